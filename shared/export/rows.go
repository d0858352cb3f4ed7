package export

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/restore/choice"
)

// rows writes the tables' rows: those that a foreign key refers to first, as
// far as that goes, for scripts of the rows alone.
func (p *plain) rows(ctx context.Context) error {
	for _, t := range p.inOrder() {
		if len(t.Chunks) == 0 {
			continue
		}
		p.title("TABLE DATA", t.Schema, t.Name, "")
		columns := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			columns[i] = pgx.Identifier{c}.Sanitize()
		}
		list := ""
		if len(columns) > 0 {
			list = " (" + strings.Join(columns, ", ") + ")"
		}
		p.text("COPY " + pgx.Identifier{t.Schema, t.Name}.Sanitize() + list + " FROM stdin;\n")
		p.inCopy = true
		for i := range t.Chunks {
			if err := p.chunk(ctx, &t.Chunks[i]); err != nil {
				return err
			}
		}
		p.inCopy = false
		p.text("\\.\n\n\n")
		if err := p.layers(ctx, t); err != nil {
			return err
		}
		p.result.Tables++
		p.result.Rows += t.Rows
		if err := p.failed(); err != nil {
			return err
		}
	}
	return nil
}

// layers writes what takes the place of rows that changed later.
func (p *plain) layers(ctx context.Context, t *manifest.Table) error {
	for i := range t.Layers {
		l := &t.Layers[i]
		if l.Chunk.Object == "" {
			continue
		}
		p.text("BEGIN;\n" + choice.BeforeLayer(t) + choice.CopyLayer(t) + ";\n")
		p.inCopy = true
		if err := p.chunk(ctx, &l.Chunk); err != nil {
			return err
		}
		p.inCopy = false
		p.text("\\.\n" + choice.AfterLayer(t, l) + "COMMIT;\n\n")
	}
	return nil
}

// inOrder returns the tables so that what is referred to comes first. Tables
// that refer to each other stay as they are.
func (p *plain) inOrder() []*manifest.Table {
	makers := map[int]uint32{} // the table that an entry makes or belongs to
	needs := map[uint32][]uint32{}
	for i := range p.choice.Entries {
		e := &p.choice.Entries[i]
		if e.Table != 0 {
			makers[e.ID] = e.Table
		}
		if e.Kind == "FK CONSTRAINT" {
			for _, d := range e.DependsOn {
				if other := makers[d]; other != 0 && other != e.Table {
					needs[e.Table] = append(needs[e.Table], other)
				}
			}
		}
	}
	byOID := map[uint32]*manifest.Table{}
	for _, t := range p.choice.Tables {
		byOID[t.OID] = t
	}
	var order []*manifest.Table
	seen := map[uint32]bool{}
	var visit func(oid uint32)
	visit = func(oid uint32) {
		if seen[oid] {
			return
		}
		seen[oid] = true
		for _, n := range needs[oid] {
			visit(n)
		}
		if t := byOID[oid]; t != nil {
			order = append(order, t)
		}
	}
	for _, t := range p.choice.Tables {
		visit(t.OID)
	}
	return order
}

func (p *plain) chunk(ctx context.Context, c *manifest.Chunk) error {
	if c.Object == "" {
		return nil
	}
	r, err := manifest.OpenChunk(ctx, p.Store, c, p.key)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.CopyBuffer(&copyText{p: p, start: true}, struct{ io.Reader }{r}, make([]byte, writeBytes))
	return err
}

// copyText passes rows on and refuses what would end them for psql: a line
// that is "\." is no row of any table.
type copyText struct {
	p     *plain
	start bool   // at the beginning of a line
	held  []byte // the first bytes of a line that may be "\."
}

func (c *copyText) Write(b []byte) (int, error) {
	n := len(b)
	if len(c.held) > 0 {
		b = append(c.held, b...)
		c.held, c.start = nil, true
	}
	for at := 0; at < len(b); {
		if c.start && b[at] == '\\' {
			rest := b[at:]
			switch {
			case len(rest) < 4 && bytes.HasPrefix([]byte("\\.\r\n"), rest):
				c.held = bytes.Clone(rest)
				return n, c.pass(b[:at])
			case bytes.HasPrefix(rest, []byte("\\.\n")), bytes.HasPrefix(rest, []byte("\\.\r\n")):
				return 0, fault.New(fault.Corrupt, "a row of the backup is a line that psql would take for the end of the rows").
					Hint("restore with guarda restore: somebody changed this backup")
			}
		}
		c.start = false
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
		c.start = true
	}
	return n, c.pass(b)
}

func (c *copyText) pass(b []byte) error {
	if _, err := c.p.buf.Write(b); err != nil {
		return c.p.written(err)
	}
	c.p.told(int64(len(b)))
	return nil
}

func (p *plain) told(n int64) {
	p.done += n
	if p.Report != nil {
		p.Report(p.done, p.total)
	}
}

// largeObjects writes the data of large objects, which the schema made.
func (p *plain) largeObjects(ctx context.Context) error {
	large := p.choice.LargeObjects
	if large == nil {
		return nil
	}
	p.title("BLOBS", "", "BLOBS", "")
	for i := range large.Chunks {
		if err := p.largeObjectChunk(ctx, &large.Chunks[i]); err != nil {
			return err
		}
	}
	p.text("\n")
	p.result.LargeObjects = large.Count
	return p.failed()
}

func (p *plain) largeObjectChunk(ctx context.Context, c *manifest.Chunk) error {
	r, err := manifest.OpenChunk(ctx, p.Store, c, p.key)
	if err != nil {
		return err
	}
	defer r.Close()
	p.text("BEGIN;\n\n")
	pieces := manifest.NewLargeObjectReader(r)
	var text []byte
	for {
		oid, offset, data, err := pieces.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		text = hex.AppendEncode(text[:0], data)
		fmt.Fprintf(p.buf, "SELECT pg_catalog.lo_put(%d, %d, '\\x%s');\n", oid, offset, text)
		p.told(int64(len(text)))
	}
	p.text("\nCOMMIT;\n\n")
	return p.failed()
}
