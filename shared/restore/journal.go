package restore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
)

// journalSchema holds, in the target, what was restored so far. Every object and
// every piece of rows is entered in the transaction that makes it, so a restore
// that broke off anywhere can go on exactly where it stopped. It is dropped when
// the restore is complete.
const journalSchema = "guarda_restore"

// journal knows what an earlier attempt did. After begin it is only read.
type journal struct {
	on   bool // the target has one
	done map[string]bool
}

// identity is what must be the same for a restore to go on.
func (x *restoration) identity() string {
	raw, _ := json.Marshal(struct { // strings and booleans: cannot fail
		Backup             string
		Tables             []string
		ToSchema           map[string]string
		NoOwner, NoACL     bool
		NoTablespaces      bool
		WithoutUnsupported bool
	}{x.m.BackupID, x.Tables, x.ToSchema, x.NoOwner, x.NoACL, x.NoTablespaces, x.WithoutUnsupported})
	return string(raw)
}

// openJournal begins the journal, or takes up that of an earlier attempt. A role
// that may not make a schema restores without one.
func (x *restoration) openJournal(ctx context.Context) error {
	if x.Resume {
		return x.resume(ctx)
	}
	sql := `begin; create schema ` + journalSchema + `;
create table ` + journalSchema + `.run (identity text);
create table ` + journalSchema + `.done (what text);
insert into ` + journalSchema + `.run values (` + quoteText(x.identity()) + `); commit`
	err := pgsession.Exec(ctx, x.conn, sql)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		x.warn(fault.Warn("cannot_resume", "", "the role may not make a schema in the target, so this restore cannot be resumed if it stops"))
		err = pgsession.Exec(ctx, x.conn, "rollback")
	} else {
		x.journal.on = err == nil
	}
	if err != nil {
		return pgsession.Explain(err, "begin the restore's journal")
	}
	return nil
}

func (x *restoration) resume(ctx context.Context) error {
	there, err := x.names(ctx, `select nspname from pg_catalog.pg_namespace where nspname = any ($1::text[])`, []string{journalSchema})
	if err != nil {
		return err
	}
	if len(there) == 0 {
		return fault.New(fault.NotFound, "there is no restore to resume in the database %q", x.target.name).
			Hint("restore without --resume")
	}
	before, err := x.names(ctx, `select identity from `+journalSchema+`.run where $1::text[] is not null`, []string{})
	if err != nil {
		return err
	}
	if len(before) != 1 || before[0] != x.identity() {
		return fault.New(fault.Conflict, "the restore that stopped in the database %q was of another backup, or had other options", x.target.name).
			Hint("give the same --backup, --tables, --to-schema, --no-owner and --no-acl as then, or begin again with --clean")
	}
	done, err := x.names(ctx, `select what from `+journalSchema+`.done where $1::text[] is not null`, []string{})
	if err != nil {
		return err
	}
	x.journal.on, x.journal.done = true, make(map[string]bool, len(done))
	for _, what := range done {
		x.journal.done[what] = true
	}
	for i := range x.choice.Entries {
		if e := &x.choice.Entries[i]; x.journal.done[keptMark(e.ID)] {
			x.keep(e)
			x.journal.done[entryMark(e.ID)] = true
		}
	}
	return nil
}

// What the journal calls an entry that was made, one that was there, and a chunk.
func entryMark(id int) string { return fmt.Sprintf("entry %d", id) }
func keptMark(id int) string  { return fmt.Sprintf("kept %d", id) }

func chunkMark(table uint32, c *manifest.Chunk) string {
	return fmt.Sprintf("rows %d %d", table, c.FromBlock)
}

// note returns the statement that enters what was done, to be run in the
// transaction that does it; "" without a journal.
func (j *journal) note(marks ...string) string {
	if !j.on || len(marks) == 0 {
		return ""
	}
	values := make([]string, len(marks))
	for i, m := range marks {
		values[i] = "(" + quoteText(m) + ")"
	}
	return "insert into " + journalSchema + ".done values " + strings.Join(values, ", ") + ";\n"
}

// has asks the target whether something was done: for when the answer to a
// commit was lost.
func (j *journal) has(ctx context.Context, conn *pgx.Conn, mark string) (bool, error) {
	if !j.on {
		return false, nil
	}
	row, err := pgsession.One(ctx, conn, "select exists (select from "+journalSchema+".done where what = "+quoteText(mark)+")")
	if err != nil {
		return false, pgsession.Explain(err, "read the restore's journal")
	}
	return row[0] == "t", nil
}

// dropJournal removes the journal when all is done, or it is not wanted any more.
const dropJournal = "drop table if exists " + journalSchema + ".run, " + journalSchema + ".done; drop schema if exists " + journalSchema

func quoteText(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}
