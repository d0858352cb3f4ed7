package fidelity_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
	"guarda/tests/fidelity/schemagen"
)

// Long runs: GUARDA_FIDELITY_SEEDS=300 tries that many schemas on each server,
// from GUARDA_FIDELITY_FIRST on (1). GUARDA_FIDELITY_SHRINK=folder writes the
// fewest statements that still fail into the folder.
const (
	seedsVariable  = "GUARDA_FIDELITY_SEEDS"
	firstVariable  = "GUARDA_FIDELITY_FIRST"
	shrinkVariable = "GUARDA_FIDELITY_SHRINK"
)

const seedsInAll = 12 // without the variable, over all servers

func TestRandomSchemasComeBack(t *testing.T) {
	t.Parallel()
	first, _ := strconv.Atoi(os.Getenv(firstVariable))
	first = max(1, first)
	seeds := seedsInAll / len(pgtest.Servers(t))
	if n, err := strconv.Atoi(os.Getenv(seedsVariable)); err == nil {
		seeds = n
	}
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		for _, role := range schemagen.Roles() {
			s.Role(t, role)
		}
		for seed := first; seed < first+seeds; seed++ {
			t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
				t.Parallel()
				source := newRandomSource(t, s, seed)
				script := fill(t, source, seed)
				failure := try(t, func(t testing.TB) { comesBack(t, source, seed) })
				if failure == "" {
					return
				}
				if folder := os.Getenv(shrinkVariable); folder != "" {
					again := func(script []string) string {
						return try(t, func(t testing.TB) {
							source := newRandomSource(t, s, seed)
							replay(t, source, script)
							comesBack(t, source, seed)
						})
					}
					script = shrink(script, func(shorter []string) bool { return again(shorter) != "" })
					failure = again(script)
					name := filepath.Join(folder, fmt.Sprintf("seed-%d-postgres-%d.sql", seed, s.Major))
					_ = os.WriteFile(name, []byte(strings.Join(script, ";\n")+";\n/*\n"+failure+"\n*/\n"), 0o600)
				}
				t.Errorf("the schema of seed %d on PostgreSQL %d did not come back:\n%s", seed, s.Major, failure)
			})
		}
	})
}

// newRandomSource makes the database of a seed. Every third one belongs to a
// plain role, which backs it up and restores it.
func newRandomSource(t testing.TB, s pgtest.Server, seed int) database {
	t.Helper()
	d := newDatabase(t, s)
	if asSuperuser(s, seed) {
		return d
	}
	owner := schemagen.Roles()[0]
	pgtest.Exec(t, d.url, "alter database "+pgx.Identifier{databaseName(t, d.url)}.Sanitize()+" owner to "+owner)
	return d.as(t, owner)
}

func asSuperuser(s pgtest.Server, seed int) bool { return (seed+s.Major)%3 != 0 }

func fill(t testing.TB, d database, seed int) []string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	made, err := schemagen.Fill(ctx, conn, schemagen.Config{Seed: uint64(seed), Major: d.server.Major, Superuser: asSuperuser(d.server, seed), Roles: schemagen.Roles()})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if len(made.Refused) > len(made.Script) {
		t.Errorf("seed %d: the server refused %d statements and took only %d: is this still a test?", seed, len(made.Refused), len(made.Script))
	}
	if os.Getenv("GUARDA_FIDELITY_REFUSED") != "" {
		t.Logf("seed %d: %d statements, refused:\n%s", seed, len(made.Script), strings.Join(made.Refused, "\n"))
	}
	return made.Script
}

// replay runs some of a seed's statements. Those that need others fail, and
// are left out with them.
func replay(t testing.TB, d database, script []string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, sql := range script {
		_, _ = conn.PgConn().Exec(ctx, sql).ReadAll()
	}
}

// comesBack takes a seed's database through backup and restore.
func comesBack(t testing.TB, source database, seed int) {
	t.Helper()
	s := source.server
	target := newRandomSource(t, s, seed)
	k := source.backUp(t)
	_, err := restore.Run(context.Background(), restore.Deps{Connect: connector(target.url), Store: k.store}, restore.Options{Jobs: 1 + seed%4}, k.at)
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		// A view over the rows of a function can say, in the server's own words,
		// what no server takes: then pg_dump's script ends the same way.
		own := newRandomSource(t, s, seed)
		if strings.Contains(own.psql(t, source.script(t, s), false), "ERROR:  "+refused.Message) {
			t.Logf("pg_dump cannot restore it either: %s", refused.Message)
			return
		}
	}
	if err != nil {
		t.Fatalf("restore: %v (%s)\n%s", err, fault.HintOf(err), k.context(err))
	}
	if want, got := source.dump(t), target.dump(t); want != got {
		// Some things no dump can keep, such as the place of a column that a
		// parent was given after its child: then ours must be as pg_dump's own,
		// or, where that loses the order too, have the same lines.
		own := newRandomSource(t, s, seed)
		complaint := own.psql(t, source.script(t, s), false)
		theirs := own.dump(t)
		switch {
		case theirs == got && !strings.Contains(complaint, "ERROR"):
		case theirs != want && inOrder(want) == inOrder(got):
			t.Logf("pg_dump loses the order of seed %d too", seed)
		default:
			same(t, "pg_dump", want, got)
		}
	}
	k.sameRows(t, target)
}

// inOrder is a dump's lines without their order and commas: what differs only in
// these differs in the places of columns.
func inOrder(dump string) string {
	lines := strings.Split(dump, "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], ",")
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// trial is a test within a test: its failure is a result.
type trial struct {
	testing.TB
	failure  strings.Builder
	cleanups []func()
}

func try(t testing.TB, f func(t testing.TB)) string {
	x := &trial{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for i := len(x.cleanups) - 1; i >= 0; i-- {
				x.cleanups[i]()
			}
		}()
		f(x)
	}()
	<-done
	return x.failure.String()
}

func (x *trial) Errorf(format string, arguments ...any) {
	fmt.Fprintf(&x.failure, format+"\n", arguments...)
}

func (x *trial) Fatalf(format string, arguments ...any) {
	x.Errorf(format, arguments...)
	runtime.Goexit()
}

func (x *trial) Fatal(arguments ...any) { x.Fatalf("%s", fmt.Sprint(arguments...)) }
func (x *trial) Cleanup(f func())       { x.cleanups = append(x.cleanups, f) }
func (x *trial) TempDir() string        { return x.TB.(*testing.T).TempDir() }
func (x *trial) Helper()                {}

// shrink leaves out statements as long as the rest still fails: halves first,
// then ever smaller parts.
func shrink(script []string, fails func([]string) bool) []string {
	for size := (len(script) + 1) / 2; size >= 1; size /= 2 {
		for at := 0; at < len(script); {
			end := min(at+size, len(script))
			shorter := append(append([]string{}, script[:at]...), script[end:]...)
			if fails(shorter) {
				script = shorter
			} else {
				at = end
			}
		}
	}
	return script
}
