package backup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/ledger"
	"guarda/shared/pgcatalog"
)

// The timestamp strategy is for tables that are too large to be looked
// through: a column says when a row was last written, and a backup stores the
// rows written since its base as a layer on top of what the base has. It
// trusts the application to set the column in every INSERT and UPDATE, to the
// time of the transaction or a later one, and it cannot see rows that were
// deleted; both are said wherever the backup is shown.
//
// "Since the base" is not the newest value that the base has: a transaction
// that was still running then may have stamped its rows before that. It is the
// watermark, the time at which the oldest transaction began that was running
// when the snapshot was taken, less a margin for the moment between a
// transaction's beginning and its being listed as begun.

const (
	watermarkMargin = 10 * time.Second
	// zoneSpread is how far a local time can lag behind UTC: a column without a
	// time zone is compared as if it were written where that is most.
	zoneSpread = 12 * time.Hour
)

// Delta says how a table is followed by a timestamp.
type Delta struct {
	Column string          `json:"column"`
	Since  time.Time       `json:"since"`
	Key    []string        `json:"key"`
	Base   *manifest.Table `json:"base"` // what the rows come on top of
}

// watermark reads the time before which no transaction began that the
// snapshot will not see. It is called right before the snapshot is taken:
// whoever ends in between is seen, and whoever begins in between began later.
// It is nil where nobody can say: on a standby, where the server does not show
// the sessions of others, and while prepared transactions are open, whose
// beginning is not kept.
func watermark(ctx context.Context, conn *pgx.Conn, standby bool) (*time.Time, error) {
	if standby {
		return nil, nil
	}
	row, err := pgsession.One(ctx, conn, `
select pg_catalog.to_char(least(pg_catalog.clock_timestamp(), min(a.xact_start)) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       coalesce(pg_catalog.bool_or(a.query = '<insufficient privilege>' or a.state = 'disabled'), false)
       or exists (select from pg_catalog.pg_prepared_xacts where database = pg_catalog.current_database())
from pg_catalog.pg_stat_activity a
where a.datname = pg_catalog.current_database() and a.pid <> pg_catalog.pg_backend_pid()
  and a.backend_type not in ('autovacuum worker', 'walsender')`)
	if err != nil {
		return nil, pgsession.Explain(err, "look for running transactions")
	}
	if row[1] == "t" {
		return nil, nil
	}
	at, err := time.Parse(time.RFC3339Nano, row[0])
	if err != nil {
		return nil, fmt.Errorf("read the server's clock: %w", err)
	}
	return &at, nil
}

// followed is a table that Run.Timestamps names.
type followed struct {
	table  *pgcatalog.Table
	column string
	zone   bool // the column has a time zone
	key    []string
	// others are the unique, exclusion and foreign key constraints that a row
	// which is gone, and which the backup still has, may break at restore.
	others []string
}

// followTables finds the tables and refuses what cannot be followed, also in a full
// backup: the mistake is in the settings, and later would be too late.
func (x *execution) followTables(ctx context.Context, conn *pgx.Conn, c *pgcatalog.Catalog) ([]followed, error) {
	var all []followed
	for _, name := range slices.Sorted(maps.Keys(x.spec.Timestamps)) {
		f := followed{column: x.spec.Timestamps[name]}
		for i := range c.Tables {
			t := &c.Tables[i]
			if name != t.Name && name != t.Schema+"."+t.Name {
				continue
			}
			if f.table != nil {
				return nil, fault.New(fault.Invalid, "several tables are called %s", name).Hint("write schema.table in the table's timestamp setting")
			}
			f.table = t
		}
		if f.table == nil {
			return nil, fault.New(fault.Invalid, "the table %s, which is to be followed by a timestamp, is not in the backup", name).
				Hint("check the name in the timestamp setting; of a partitioned table, name the partitions")
		}
		if err := f.check(ctx, conn); err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// check refuses tables without a primary key, and columns that are missing,
// may be null or are no timestamps.
func (f *followed) check(ctx context.Context, conn *pgx.Conn) error {
	name := f.table.Schema + "." + f.table.Name
	var kind string
	var notNull bool
	rows, err := conn.Query(ctx, `
select t.typname, a.attnotnull,
       coalesce((select pg_catalog.array_agg(k.attname::text order by o.n)
        from pg_catalog.pg_index i cross join lateral unnest(i.indkey) with ordinality o (attnum, n)
        join pg_catalog.pg_attribute k on k.attrelid = i.indrelid and k.attnum = o.attnum
        where i.indrelid = $1::oid and i.indisprimary and o.n <= i.indnkeyatts), '{}'),
       coalesce((select pg_catalog.array_agg(x.name::text order by x.name)
        from (select c.relname from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
              where i.indrelid = $1::oid and not i.indisprimary and (i.indisunique or i.indisexclusion)
              union select k.conname from pg_catalog.pg_constraint k where k.conrelid = $1::oid and k.contype = 'f') as x (name)), '{}')
from pg_catalog.pg_class c
left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = $2::text and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_type t on t.oid = a.atttypid and t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
where c.oid = $1::oid`, pgx.QueryExecModeExec, f.table.OID, f.column)
	if err != nil {
		return pgsession.Explain(err, "look at the columns of "+name)
	}
	var typ *string
	var filled *bool
	if _, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (struct{}, error) {
		return struct{}{}, row.Scan(&typ, &filled, &f.key, &f.others)
	}); err != nil {
		return pgsession.Explain(err, "look at the columns of "+name)
	}
	if typ != nil {
		kind = *typ
	}
	notNull = filled != nil && *filled
	switch {
	case len(f.key) == 0 || !containsAll(f.table.Columns, f.key):
		return fault.New(fault.Invalid, "the table %s has no primary key, so it cannot be followed by a timestamp", name).
			Hint("add a primary key, or leave the table to the default strategy, which needs none")
	case filled == nil:
		return fault.New(fault.Invalid, "the table %s has no column %s to be followed by", name, f.column).
			Hint("name a column of type timestamptz that every INSERT and UPDATE sets")
	case kind != "timestamptz" && kind != "timestamp":
		return fault.New(fault.Invalid, "the column %s of the table %s is no timestamp", f.column, name).
			Hint("name a column of type timestamptz that every INSERT and UPDATE sets")
	case !notNull:
		return fault.New(fault.Invalid, "the column %s of the table %s may be null, and rows without a timestamp would be lost", f.column, name).
			Hint("set the column to not null, or leave the table to the default strategy")
	}
	f.zone = kind == "timestamptz"
	return nil
}

func containsAll(list, part []string) bool {
	for _, s := range part {
		if !slices.Contains(list, s) {
			return false
		}
	}
	return true
}

// narrow decides which tables of this backup become layers on top of the base,
// and narrows them in the catalog to the rows that were written since. The
// others of those that are followed are compared or copied whole like any
// table: there is no base, or it has another table of that name, or cannot say
// since when.
func (x *execution) narrow(base *manifest.Manifest, tables []followed, volatile map[uint32]bool, there func(string) bool, l *ledger.Ledger) map[uint32]*Delta {
	deltas := map[uint32]*Delta{}
	if base == nil || base.Server.Watermark == nil {
		return deltas
	}
	before := map[uint32]*manifest.Table{}
	for i := range base.Tables {
		before[base.Tables[i].OID] = &base.Tables[i]
	}
	since := base.Server.Watermark.Add(-watermarkMargin)
	for _, f := range tables {
		b := before[f.table.OID]
		if b == nil || volatile[f.table.OID] || !whole(b, there) ||
			!sameTable(&pgcatalog.Table{FileNode: b.FileNode, Definition: b.Definition, Columns: b.Columns, Filter: b.Filter}, f.table) {
			continue
		}
		deltas[f.table.OID] = &Delta{Column: f.column, Since: since, Key: f.key, Base: b}
		f.table.Filter = f.condition(since)
		name := f.table.Schema + "." + f.table.Name
		text := fault.Say("the rows of %s are followed by %s: what was deleted or given another primary key since backup %s, or written without setting it, is not seen", name, f.column, x.found.id)
		if len(f.others) > 0 {
			text = fault.Join("; ", text, fault.Say("such a row may keep %s from being made when the backup is restored", strings.Join(f.others, ", ")))
		}
		x.warnings = append(x.warnings, text.Warning("deletes_invisible", name))
		if l != nil {
			l.Items = append(l.Items, ledger.Item{Status: ledger.Dumped, Kind: "table rows", Schema: f.table.Schema,
				Name: pgx.Identifier{f.table.Schema, f.table.Name}.Sanitize(), Rule: ledger.ByTimestamp, Detail: text.String(), DetailText: text, Objects: 1})
		}
	}
	return deltas
}

// whole says whether all objects of a table are still there.
func whole(t *manifest.Table, there func(string) bool) bool {
	for _, c := range t.Chunks {
		if c.Object != "" && !there(c.Object) {
			return false
		}
	}
	for _, l := range t.Layers {
		if l.Chunk.Object != "" && !there(l.Chunk.Object) {
			return false
		}
	}
	return true
}

func (f *followed) condition(since time.Time) string {
	column := pgx.Identifier{f.column}.Sanitize()
	if f.zone {
		return fmt.Sprintf("%s >= '%s'::pg_catalog.timestamptz", column, since.UTC().Format(time.RFC3339Nano))
	}
	return fmt.Sprintf("%s >= '%s'::pg_catalog.timestamp", column, strings.TrimSuffix(since.UTC().Add(-zoneSpread).Format(time.RFC3339Nano), "Z"))
}

// layered is a table of the base with what was written since.
func (d *Delta) layered(now *pgcatalog.Table, rows manifest.Chunk, id, folder string, at time.Time) manifest.Table {
	t := *d.Base
	t.Schema, t.Name, t.Pages = now.Schema, now.Name, now.Pages
	t.Chunks = slices.Clone(t.Chunks)
	for i := range t.Chunks {
		t.Chunks[i].BackupID = writtenBy(folder, t.Chunks[i].Object)
	}
	t.Layers = slices.Clone(t.Layers)
	for i := range t.Layers {
		t.Layers[i].Chunk.BackupID = writtenBy(folder, t.Layers[i].Chunk.Object)
	}
	if rows.Rows > 0 {
		t.Layers = append(t.Layers, manifest.Layer{BackupID: id, SnapshotAt: at, Column: d.Column, Since: d.Since, Key: d.Key, Chunk: rows})
	}
	return t
}
