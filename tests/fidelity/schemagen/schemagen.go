// Package schemagen fills a database with a random schema and awkward rows, to
// find what a backup does not bring back. It works on a live server: it knows
// what the server refused, so it may try what a grammar alone could not know
// to be legal, and later objects refer only to what is there.
package schemagen

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// Roles are those that a schema names as owners and in grants. They belong to
// the server, so the test makes them.
func Roles() []string {
	return []string{"gen_a", `Gen "Ö".b`, "gen_c"}
}

// Config says how to fill a database.
type Config struct {
	Seed  uint64 // the same seed on the same version gives the same schema
	Major int    // the server's version
	Roles []string
	// Superuser makes what only superusers can, other owners too.
	Superuser bool
}

// Schema is what became of a seed.
type Schema struct {
	Script  []string // the statements that the server took, in order
	Refused []string // those that it did not take, with its answer
}

// Fill makes the schema of a seed, on a connection of its own.
func Fill(ctx context.Context, conn *pgx.Conn, c Config) (*Schema, error) {
	g := &generator{ctx: ctx, conn: conn, Config: c, random: rand.New(rand.NewPCG(c.Seed, 7)), types: builtin(c.Major)} //nolint:gosec // repeatable, not secret
	for _, sql := range []string{
		"set statement_timeout = '20s'", "set client_min_messages = error", "set xmloption = content",
	} {
		g.must(sql)
	}
	steps := []struct {
		make     func()
		min, max int
	}{
		{g.schema, 1, 4}, {g.defaultPrivilege, 0, 2}, {g.userType, 1, 6}, {g.collation, 0, 1}, {g.sequence, 0, 3}, {g.function, 1, 6}, {g.domain, 0, 3},
		{g.table, 2, 6}, {g.partitioned, 0, 2}, {g.inherited, 0, 3}, {g.rowFunction, 0, 2}, {g.typed, 0, 1}, {g.rows, 2, 8},
		{g.index, 2, 8}, {g.foreignKey, 2, 7}, {g.constraint, 1, 5}, {g.statistics, 0, 2},
		{g.view, 2, 7}, {g.viewCycle, 0, 1}, {g.viewFunction, 0, 2}, {g.matview, 0, 3}, {g.function, 0, 3}, {g.standardBody, 0, 3},
		{g.trigger, 1, 4}, {g.rule, 0, 2}, {g.policy, 0, 3}, {g.publication, 0, 1}, {g.operator, 0, 2}, {g.aggregate, 0, 1}, {g.textSearch, 0, 1}, {g.cast, 0, 1},
		{g.change, 3, 12}, {g.rename, 0, 4}, {g.rows, 0, 3}, {g.comment, 2, 8}, {g.owner, 1, 6}, {g.grant, 2, 12},
	}
	for _, s := range steps {
		for range s.min + g.random.IntN(s.max-s.min+1) {
			if g.err != nil {
				return nil, g.err
			}
			s.make()
		}
	}
	g.refresh()
	return &g.Schema, g.err
}

type generator struct {
	Config
	Schema
	ctx    context.Context
	conn   *pgx.Conn
	err    error // of the connection: the server is gone
	random *rand.Rand
	named  int

	schemas   []string // quoted, as all names here
	types     []sqlType
	tables    []*table
	views     []*table
	functions []function
	sequences []string
	objects   []object
}

// object is something with an owner, a comment and grants: "table" and its name.
type object struct {
	kind, name string
}

// table is what rows can be read from, views included.
type table struct {
	name        string
	kind        string // as in pg_class.relkind
	columns     []column
	key         []string // columns of the primary key
	leaf        bool     // rows can be put into it
	partitioned string   // the column that it is partitioned by
}

type column struct {
	name     string
	t        sqlType
	computed bool // generated or identity: not in an insert
	required bool
}

// try runs a statement and notes it; false when the server refused it.
func (g *generator) try(format string, arguments ...any) bool {
	sql := format
	if len(arguments) > 0 {
		sql = fmt.Sprintf(format, arguments...)
	}
	if g.err != nil {
		return false
	}
	if _, err := g.conn.PgConn().Exec(g.ctx, sql).ReadAll(); err != nil {
		if g.conn.IsClosed() {
			g.err = fmt.Errorf("%s: %w", sql, err)
			return false
		}
		g.Refused = append(g.Refused, sql+"\n-- "+err.Error())
		return false
	}
	g.Script = append(g.Script, sql)
	return true
}

func (g *generator) must(sql string) {
	if !g.try("%s", sql) && g.err == nil {
		g.err = fmt.Errorf("%s", g.Refused[len(g.Refused)-1])
	}
}

func (g *generator) made(kind, name string) { g.objects = append(g.objects, object{kind, name}) }

func (g *generator) chance(percent int) bool { return g.random.IntN(100) < percent }

func pick[T any](g *generator, of []T) T { return of[g.random.IntN(len(of))] }

// some picks up to n different ones, at least one.
func some[T any](g *generator, of []T, n int) []T {
	order := g.random.Perm(len(of))
	var out []T
	for _, i := range order[:min(len(of), 1+g.random.IntN(max(1, n)))] {
		out = append(out, of[i])
	}
	return out
}

// maybe returns a text or nothing.
func (g *generator) maybe(percent int, text string) string {
	if g.chance(percent) {
		return text
	}
	return ""
}

// name makes up a name that nothing else has: often a plain one, often one
// that must be quoted.
func (g *generator) name() string {
	g.named++
	n := g.named
	var s string
	switch g.random.IntN(16) {
	case 0:
		s = fmt.Sprintf(`quo"te"%d`, n)
	case 1:
		s = fmt.Sprintf("dot.ted.%d", n)
	case 2:
		s = fmt.Sprintf("new\nline%d", n)
	case 3:
		s = fmt.Sprintf("Capital%d", n)
	case 4:
		s = fmt.Sprintf("größe_ação_%d_名前", n)
	case 5:
		s = fmt.Sprintf("%d%s", n, strings.Repeat("x", 70))
	case 6:
		s = fmt.Sprintf("%dé%s", n, strings.Repeat("ü", 40))
	case 7:
		s = pick(g, []string{"select", "user", "order", "table", "all", "from", "default", "Null", "check", "primary"}) + strings.Repeat(" ", n%3) + fmt.Sprint(n)
	case 8:
		s = fmt.Sprintf(`it's \%d`, n)
	case 9:
		s = fmt.Sprintf("$tag$%d $$", n)
	case 10:
		s = fmt.Sprintf("-- %d; /* ", n)
	case 11:
		s = fmt.Sprintf("%%s tab\t%d", n)
	default:
		s = fmt.Sprintf("%s_%d", pick(g, []string{"orders", "a", "item", "t", "log"}), n)
	}
	for len(s) > 63 || !utf8.ValidString(s) {
		s = s[:min(63, len(s)-1)]
	}
	return quote(s)
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func literal(s string) string {
	if strings.Contains(s, `\`) {
		return "E'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'"
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// in makes up a name in one of the schemas.
func (g *generator) in() string { return pick(g, g.schemas) + "." + g.name() }

// dollar quotes a function's body with a tag that is not in it.
func dollar(body string) string {
	for tag := "$$"; ; tag = "$" + strings.Trim(tag, "$") + "x$" {
		if !strings.Contains(body, tag) && !strings.HasSuffix(body, "$") {
			return tag + body + tag
		}
		if strings.HasSuffix(body, "$") {
			body += " "
		}
	}
}

func (g *generator) schema() {
	if len(g.schemas) == 0 && g.chance(50) {
		g.schemas = append(g.schemas, "public")
	}
	name := g.name()
	if g.try("create schema %s", name) {
		g.schemas = append(g.schemas, name)
		g.made("schema", name)
	}
}
