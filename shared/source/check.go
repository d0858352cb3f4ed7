package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/preset"
)

// Status is how a check went.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Check is one thing that a backup needs.
type Check struct {
	Name    string // "connect", "version", "session", "privileges" or "row_security"
	Status  Status
	Message fault.Text
	Hint    fault.Text
}

// Report says whether a backup of a source would work.
type Report struct {
	OK            bool // nothing failed
	ServerVersion string
	SizeBytes     *int64           // nil: the role may not ask
	Platform      *preset.Detected // nil: there is no connection, or no answer
	Checks        []Check
}

// Tester tries sources.
type Tester struct {
	Connect func(ctx context.Context, dsn string) (*pgx.Conn, error)
	// SessionMode is an error when the connection leads through a pooler that
	// does not hold a session (see postgres.SessionMode).
	SessionMode func(ctx context.Context, conn *pgx.Conn) error
	// Preset and Strict are the source's settings: what belongs to the platform
	// need not be readable, and what is not readable fails only a strict run.
	Preset string
	Strict bool
}

// Test tries the connection and everything that a backup will need. What does
// not work is in the report, not an error.
func (t Tester) Test(ctx context.Context, dsn string) *Report {
	r := &Report{}
	conn, err := t.Connect(ctx, dsn)
	if err != nil {
		r.add("connect", err)
		r.skip("version", "session", "privileges", "row_security")
		return r
	}
	defer conn.Close(context.WithoutCancel(ctx))
	r.add("connect", nil)
	r.add("version", r.version(ctx, conn))
	r.add("session", t.SessionMode(ctx, conn))
	var found preset.Detected
	if err := alone(ctx, conn, func(tx pgx.Tx) (err error) { found, err = preset.Detect(ctx, tx); return err }); err == nil {
		r.Platform = &found
	}
	platform := preset.Choose(t.Preset, found)
	r.add("privileges", t.lenient(alone(ctx, conn, func(tx pgx.Tx) error { return privileges(ctx, tx, platform) })))
	r.add("row_security", t.lenient(alone(ctx, conn, func(tx pgx.Tx) error { return rowSecurity(ctx, tx, platform) })))
	r.OK = true
	for _, c := range r.Checks {
		r.OK = r.OK && c.Status != Failed
	}
	var size int64
	if conn.QueryRow(ctx, "select pg_catalog.pg_database_size(pg_catalog.current_database())").Scan(&size) == nil {
		r.SizeBytes = &size
	}
	return r
}

// alone runs queries so that the names in them mean the server's own functions
// and operators, whatever the database's search_path puts before those.
func alone(ctx context.Context, conn *pgx.Conn, run func(pgx.Tx) error) error {
	begin := "begin read only; set local search_path = ''; set local idle_in_transaction_session_timeout = 0"
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{BeginQuery: begin}, run)
}

// warning is an error that does not keep a backup from working.
type warning struct{ cause *fault.Error }

func (w warning) Error() string { return w.cause.Error() }

// lenient makes a warning of what only a strict run fails at.
func (t Tester) lenient(err error) error {
	if f := fault.As(err); f != nil && !t.Strict {
		return warning{f}
	}
	return err
}

func (r *Report) add(name string, err error) {
	c := Check{Name: name, Status: OK, Message: passed(name)}
	if err != nil {
		c.Status = Failed
		f := fault.As(err)
		if w, ok := err.(warning); ok { //nolint:errorlint // ours, not wrapped
			c.Status, f = Warning, w.cause
		}
		if f == nil {
			f = fault.New(fault.Unavailable, "the check could not be made: %s", err)
		}
		c.Message, c.Hint = f.Message, f.HintText
	}
	r.Checks = append(r.Checks, c)
}

func (r *Report) skip(names ...string) {
	for _, n := range names {
		r.Checks = append(r.Checks, Check{Name: n, Status: Skipped, Message: fault.New(fault.Unavailable, "not tried: there is no connection").Message})
	}
}

func passed(name string) fault.Text {
	switch name {
	case "connect":
		return fault.New("", "the server takes the connection").Message
	case "version":
		return fault.New("", "the server's version is supported").Message
	case "session":
		return fault.New("", "the connection holds its session").Message
	case "privileges":
		return fault.New("", "every table and sequence can be read").Message
	}
	return fault.New("", "no table hides rows from this user").Message
}

func (r *Report) version(ctx context.Context, conn *pgx.Conn) error {
	var number int
	err := conn.QueryRow(ctx, `select pg_catalog.current_setting('server_version'), pg_catalog.current_setting('server_version_num')::int`).Scan(&r.ServerVersion, &number)
	if err != nil {
		return err
	}
	switch major := number / 10000; {
	case major < 13:
		return fault.New(fault.Invalid, "PostgreSQL %s is too old", r.ServerVersion).Hint("Guarda backs up PostgreSQL 13 to 18")
	case major > 18:
		return warning{fault.New(fault.Invalid, "PostgreSQL %s is newer than what Guarda was tested with", r.ServerVersion).Hint("Guarda backs up PostgreSQL 13 to 18")}
	}
	return nil
}

// relationsWhere starts a query for names of the relations that a backup
// reads; views have no rows of their own.
const relationsWhere = `
	select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), pg_catalog.quote_ident(n.nspname), n.nspname::text
	from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
	where n.nspname <> 'information_schema' and n.nspname !~ '^pg_' and c.relpersistence <> 't' and `

type relation struct{ Name, Schema, plainSchema string }

// relations leaves out what belongs to the platform.
func relations(ctx context.Context, tx pgx.Tx, platform preset.Preset, where string) ([]relation, error) {
	rows, err := tx.Query(ctx, relationsWhere+where+" order by 1")
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r relation, err error) {
		return r, row.Scan(&r.Name, &r.Schema, &r.plainSchema)
	})
	return slices.DeleteFunc(found, func(r relation) bool { return platform.Schema(r.plainSchema) }), err
}

func privileges(ctx context.Context, tx pgx.Tx, platform preset.Preset) error {
	found, err := relations(ctx, tx, platform, `c.relkind in ('r', 'S') and not case
		when not pg_catalog.has_schema_privilege(n.oid, 'usage') then false
		when c.relkind = 'S' then pg_catalog.has_sequence_privilege(c.oid, 'select')
		else pg_catalog.has_table_privilege(c.oid, 'select') end`)
	if err != nil || len(found) == 0 {
		return err
	}
	user := ""
	if err := tx.QueryRow(ctx, "select pg_catalog.quote_ident(current_user)").Scan(&user); err != nil {
		return err
	}
	var grants []string
	last := ""
	for _, f := range found {
		if f.Schema != last && len(grants) < 3 {
			grants = append(grants, fmt.Sprintf("grant usage on schema %[1]s to %[2]s; grant select on all tables in schema %[1]s to %[2]s; grant select on all sequences in schema %[1]s to %[2]s;", f.Schema, user))
		}
		last = f.Schema
	}
	return fault.New(fault.Forbidden, "the user may not read %d tables or sequences: %s", len(found), some(found)).
		Hint("as their owner run: %s", strings.Join(grants, " "))
}

func rowSecurity(ctx context.Context, tx pgx.Tx, platform preset.Preset) error {
	found, err := relations(ctx, tx, platform, `c.relkind = 'r' and pg_catalog.row_security_active(c.oid)`)
	if err != nil || len(found) == 0 {
		return err
	}
	return fault.New(fault.Forbidden, "row security hides rows of %d tables from the user: %s", len(found), some(found)).
		Hint("back up as a user that has the attribute BYPASSRLS (alter role … bypassrls), or that owns the tables")
}

func some(found []relation) string {
	var names []string
	for i, f := range found {
		if i == 5 {
			names = append(names, "…")
			break
		}
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
