// Package export writes a backup in forms that other programs read.
package export

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/restore/choice"
	"guarda/shared/restore/sqltext"
	"guarda/shared/seal"
)

// Deps are what an export works with.
type Deps struct {
	Store blob.Store
	Keys  seal.KeyProvider // nil for a backup that is not encrypted
	// Report, if not nil, is told how many bytes of how many (COPY text) were
	// written.
	Report func(done, total int64)
}

// Options say what is exported; the words are pg_dump's.
type Options struct {
	Tables     []string // patterns; with what the tables need
	NoOwner    bool
	NoACL      bool
	SchemaOnly bool
	DataOnly   bool
	Clean      bool // drop what the script makes first, where it exists
	// CreateRoles lets the script make the roles that are missing, without
	// login or password.
	CreateRoles bool
	// NoTablespaces puts everything where the server puts what names no place.
	NoTablespaces bool
}

// Result is a finished export.
type Result struct {
	BackupID     string          `json:"backup_id"`
	Tables       int             `json:"tables"` // whose rows were written
	Rows         int64           `json:"rows"`
	LargeObjects int64           `json:"large_objects"`
	Objects      int             `json:"objects"`
	Bytes        int64           `json:"bytes"` // of the script
	Warnings     []fault.Warning `json:"warnings"`
}

const writeBytes = 256 << 10

// Plain writes a backup to w as one SQL script that psql runs against an empty
// database. The rows are proved while they are written, so when Plain fails
// after it began, what was written is not to be used: it then ends in a
// statement that fails. Memory does not depend on the size of the backup.
func Plain(ctx context.Context, d Deps, o Options, l manifest.Listed, w io.Writer) (*Result, error) {
	if o.SchemaOnly && o.DataOnly {
		return nil, fault.New(fault.Invalid, "an export cannot be of the schema only and of the rows only").Hint("choose one of the two")
	}
	if o.DataOnly && o.Clean {
		return nil, fault.New(fault.Invalid, "an export of the rows only makes nothing that could be dropped first").Hint("leave out --clean or --data-only")
	}
	m, key, err := manifest.Open(ctx, d.Store, l, d.Keys)
	if err != nil {
		return nil, err
	}
	c, err := choice.Make(m, choice.Options{Tables: o.Tables, NoOwner: o.NoOwner, NoACL: o.NoACL, NoTablespaces: o.NoTablespaces})
	if err != nil {
		return nil, err
	}
	p := &plain{Deps: d, Options: o, m: m, key: key, choice: c, out: &counter{w: w}}
	p.buf = bufio.NewWriterSize(p.out, writeBytes)
	p.result = &Result{BackupID: m.BackupID, Warnings: append([]fault.Warning{}, c.Warnings...)}
	if !o.SchemaOnly {
		p.total = c.RawBytes()
	}
	if err := p.write(ctx); err != nil {
		p.spoil()
		return nil, err
	}
	if err := p.buf.Flush(); err != nil {
		return nil, p.written(err)
	}
	p.result.Bytes = p.out.n
	return p.result, nil
}

// plain is the work of one Plain.
type plain struct {
	Deps
	Options
	m           *manifest.Manifest
	key         *seal.DataKey
	choice      *choice.Choice
	out         *counter
	buf         *bufio.Writer
	inCopy      bool
	done, total int64
	result      *Result
}

// counter counts what was written and keeps the error.
type counter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	if err != nil {
		c.err = err
	}
	return n, err
}

func (p *plain) write(ctx context.Context) error {
	p.header()
	if err := p.needs(); err != nil {
		return err
	}
	if p.Clean {
		if err := p.drops(); err != nil {
			return err
		}
	}
	if err := p.entries(choice.Schema); err != nil {
		return err
	}
	if !p.SchemaOnly {
		if err := p.rows(ctx); err != nil {
			return err
		}
		if err := p.largeObjects(ctx); err != nil {
			return err
		}
	}
	for _, pass := range []choice.Pass{choice.Values, choice.Main, choice.ACL, choice.Fill, choice.Last} {
		if err := p.entries(pass); err != nil {
			return err
		}
	}
	p.text("--\n-- PostgreSQL database dump complete\n--\n\n")
	return p.failed()
}

func (p *plain) text(s string) { _, _ = p.buf.WriteString(s) } // failed tells

// failed is the error of writing, which bufio keeps.
func (p *plain) failed() error {
	if p.out.err != nil {
		return p.written(p.out.err)
	}
	return nil
}

func (p *plain) written(err error) error {
	return fault.New(fault.Unavailable, "the script could not be written").Hint("see whether there is room, and whether somebody still reads it").Because(err)
}

func (p *plain) header() {
	p.text("--\n-- PostgreSQL database dump\n--\n\n")
	p.text("-- Of backup " + line(p.m.BackupID) + " of " + line(p.m.Source) + ", written by Guarda\n")
	p.text("-- The database as it was at " + p.m.SnapshotAt.UTC().Format("2006-01-02 15:04:05.999999") + " UTC, on version " + line(p.m.Server.Version) + "\n\n")
	p.text(pgcatalog.SessionSQL)
	if p.m.Database.Encoding == "SQL_ASCII" {
		p.text("SET client_encoding = 'SQL_ASCII';\n")
	}
	if p.NoTablespaces {
		p.text("RESET default_tablespace;\n")
	}
	if locale := p.m.Server.Monetary; locale != "" && p.choice.HoldsMoney() {
		p.text("SET lc_monetary = " + constant(locale) + ";\n")
	}
	p.text("\n")
}

// line makes a text safe inside a comment that ends with the line.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

func (p *plain) drops() error {
	for _, e := range p.choice.Drops() {
		if !p.wanted(e) {
			continue
		}
		if err := p.statement(e, e.DropSQL); err != nil {
			return err
		}
	}
	p.text("\n")
	return nil
}

// entries writes what is made in one pass.
func (p *plain) entries(pass choice.Pass) error {
	for e := range p.choice.In(pass) {
		if !p.wanted(e) {
			continue
		}
		p.title(e.Kind, e.Schema, e.Name, e.Owner)
		if err := p.statement(e, e.SQL); err != nil {
			return err
		}
		if err := p.statement(e, e.OwnerSQL); err != nil {
			return err
		}
		p.text("\n")
		p.result.Objects++
		if err := p.failed(); err != nil {
			return err
		}
	}
	return nil
}

// wanted says whether an entry belongs to the schema, the rows or both, as the
// options ask: large objects with all that is about them are rows.
func (p *plain) wanted(e *pgcatalog.Entry) bool {
	data := e.Kind == "SEQUENCE SET" || e.Kind == "MATERIALIZED VIEW DATA" || e.Kind == "BLOB" ||
		strings.HasPrefix(e.Name, "LARGE OBJECT ") && (e.Kind == "COMMENT" || e.Kind == "ACL" || e.Kind == "SECURITY LABEL")
	if data {
		return !p.SchemaOnly
	}
	return !p.DataOnly
}

func (p *plain) title(kind, schema, name, owner string) {
	or := func(s string) string {
		if s == "" {
			return "-"
		}
		return line(s)
	}
	if p.NoOwner {
		owner = ""
	}
	p.text("--\n-- Name: " + line(name) + "; Type: " + line(kind) + "; Schema: " + or(schema) + "; Owner: " + or(owner) + "\n--\n\n")
}

func (p *plain) statement(e *pgcatalog.Entry, sql string) error {
	safe, err := sqltext.ForPsql(sql)
	if err != nil {
		return fmt.Errorf("%s %s: %w", strings.ToLower(e.Kind), choice.Display(e), err)
	}
	p.text(safe)
	return nil
}

// spoil ends a script that is not whole in a way that psql cannot take for
// success: COPY would take the end of the input for the end of the rows.
func (p *plain) spoil() {
	if p.out.err != nil {
		return
	}
	if p.inCopy {
		// More fields than any table has columns.
		p.text(strings.Repeat("\t", 1700) + "the export stopped here\n\\.\n")
	}
	p.text("\n\n-- The export stopped here: this script is not whole.\nDO $$ BEGIN RAISE EXCEPTION 'the export stopped before the script was whole'; END $$;\n")
	_ = p.buf.Flush()
}
