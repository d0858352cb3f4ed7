package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

// picture is one consistent view of the source. It lasts as long as the
// transaction on conn does.
type picture struct {
	conn   *pgx.Conn
	id     string    // of the exported snapshot
	at     time.Time // the server's clock when it was taken
	server manifest.Server
	locked map[uint32]bool // the relations that were locked before it was taken
}

const (
	lockBatch    = 500 // tables in a LOCK statement
	lockAttempts = 3
)

// takePicture connects, refuses what cannot hold a picture, locks the tables
// against changes of their definition and then takes the snapshot, in that
// order: a table that is locked before the snapshot is taken is the same in
// the catalog that the snapshot shows and in the one that COPY uses.
func takePicture(ctx context.Context, d Deps, r Run) (_ *picture, err error) {
	a, err := d.Connect(ctx)
	if err != nil {
		return nil, pgsession.ConnectError(err)
	}
	defer func() {
		if err != nil {
			pgsession.Close(ctx, a)
		}
	}()
	b, err := d.Connect(ctx)
	if err != nil {
		return nil, pgsession.ConnectError(err)
	}
	defer pgsession.Close(ctx, b)
	if err := pgsession.RefusePooler(ctx, a, b); err != nil {
		return nil, pgsession.Explain(err, "look for a connection pooler")
	}
	p := &picture{conn: a}
	if err := p.checkServer(ctx); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		err := p.lockAll(ctx, b, r.LockTimeout)
		if err == nil {
			break
		}
		// Dropped or renamed between listing and locking: look again.
		if pg := (*pgconn.PgError)(nil); attempt < lockAttempts && errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "3F000" || pg.Code == "42809") {
			if err := pgsession.Exec(ctx, a, "rollback"); err != nil {
				return nil, pgsession.Explain(err, "lock the tables")
			}
			continue
		}
		return nil, lockError(ctx, b, err, r.LockTimeout)
	}
	if p.server.Watermark, err = watermark(ctx, b, p.server.Standby); err != nil {
		return nil, err
	}
	if err := p.snapshot(ctx); err != nil {
		return nil, err
	}
	return p, p.identify(ctx)
}

// snapshot takes and exports the snapshot.
func (p *picture) snapshot(ctx context.Context) error {
	row, err := pgsession.One(ctx, p.conn, `select pg_catalog.pg_export_snapshot(), to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.USOF')`)
	if err != nil {
		return pgsession.Explain(err, "export the snapshot")
	}
	p.id = row[0]
	if p.at, err = time.Parse("2006-01-02T15:04:05.999999-07", row[1]); err != nil {
		return fmt.Errorf("read the server's clock: %w", err)
	}
	p.at = p.at.UTC()
	results, err := p.conn.PgConn().Exec(ctx, "select distinct relation from pg_catalog.pg_locks where pid = pg_catalog.pg_backend_pid() and locktype = 'relation'").ReadAll()
	if err != nil {
		return pgsession.Explain(err, "see which tables are locked")
	}
	p.locked = make(map[uint32]bool, len(results[0].Rows))
	for _, row := range results[0].Rows {
		oid, err := strconv.ParseUint(string(row[0]), 10, 32)
		if err != nil {
			return fmt.Errorf("see which tables are locked: %w", err)
		}
		p.locked[uint32(oid)] = true
	}
	return nil
}

func (p *picture) checkServer(ctx context.Context) error {
	row, err := pgsession.One(ctx, p.conn, "select pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('block_size'), pg_catalog.pg_is_in_recovery()")
	if err != nil {
		return pgsession.Explain(err, "ask for the server's version")
	}
	p.server.VersionNum, _ = strconv.Atoi(row[0])
	p.server.BlockSize, _ = strconv.ParseInt(row[1], 10, 64)
	p.server.Standby = row[2] == "t"
	p.server.Version, _, _ = strings.Cut(serverSetting(p.conn, "server_version"), " ")
	if p.server.VersionNum < oldestServer {
		return fault.New(fault.Invalid, "the source runs PostgreSQL %s, which is too old", p.server.Version).
			Hint("version 13 and newer can be backed up")
	}
	return nil
}

// lockAll lists the tables that we may read, on b, and locks them in a new
// transaction on p.conn. Tables that we may not read are found by the check of
// privileges later, if they belong into the backup.
func (p *picture) lockAll(ctx context.Context, b *pgx.Conn, timeout time.Duration) error {
	// The names as UTF-8, whatever the database's encoding: p.conn takes them so.
	results, err := b.PgConn().Exec(ctx, `
set client_encoding = 'UTF8';
select pg_catalog.format('%I.%I', n.nspname, c.relname)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence <> 't'
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_(temp|toast_temp)_'
  and pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select')
order by c.oid`).ReadAll()
	if err != nil {
		return err
	}
	if err := begin(ctx, p.conn, timeout, ""); err != nil {
		return err
	}
	names := make([]string, len(results[1].Rows))
	for i, row := range results[1].Rows {
		names[i] = string(row[0])
	}
	return lockTables(ctx, p.conn, names)
}

// lockTables locks tables, given as identifiers, against changes of their
// definition until the end of the transaction.
func lockTables(ctx context.Context, conn *pgx.Conn, names []string) error {
	for batch := range slices.Chunk(names, lockBatch) {
		if err := pgsession.Exec(ctx, conn, "lock table only "+strings.Join(batch, ", only ")+" in access share mode"); err != nil {
			return err
		}
	}
	return nil
}

// lockRest locks those of the picture's tables that were made, or took their
// name, after the list of what to lock was read and before the snapshot was
// taken. Whoever emptied or rewrote one before it was locked did so for every
// snapshot, also for ours: COPY reads the file that there is now.
func (p *picture) lockRest(ctx context.Context, tables []pgcatalog.Table) error {
	for i := range tables {
		t := &tables[i]
		if p.locked[t.OID] {
			continue
		}
		if err := lockTables(ctx, p.conn, []string{pgx.Identifier{t.Schema, t.Name}.Sanitize()}); err != nil {
			return pgsession.Explain(err, "lock the table "+t.Schema+"."+t.Name)
		}
		row, err := pgsession.One(ctx, p.conn, fmt.Sprintf("select coalesce(pg_catalog.pg_relation_filenode(%d), 0), coalesce(pg_catalog.to_regclass(%s)::pg_catalog.oid, 0)",
			t.OID, "'"+strings.ReplaceAll(pgx.Identifier{t.Schema, t.Name}.Sanitize(), "'", "''")+"'"))
		if err != nil {
			return pgsession.Explain(err, "look at the table "+t.Schema+"."+t.Name)
		}
		if row[0] != strconv.FormatUint(uint64(t.FileNode), 10) || row[1] != strconv.FormatUint(uint64(t.OID), 10) {
			return fault.New(fault.Unavailable, "the table %s.%s was made and changed again in the moment when the snapshot was taken", t.Schema, t.Name).
				Hint("run the backup again")
		}
	}
	return nil
}

// lockError explains why the tables could not be locked; it asks b who holds them.
func lockError(ctx context.Context, b *pgx.Conn, err error, timeout time.Duration) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "55P03" {
		return pgsession.Explain(err, "lock the tables")
	}
	row, holderErr := pgsession.One(ctx, b, `
select coalesce(string_agg(distinct l.relation::pg_catalog.regclass || ' (process ' || l.pid || ')', ', '), 'nobody any more')
from pg_catalog.pg_locks l
where l.locktype = 'relation' and l.granted and l.mode = 'AccessExclusiveLock'
  and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`)
	if holderErr != nil {
		row = []string{"unknown"}
	}
	return fault.New(fault.Unavailable, "a table stayed locked by somebody else for %s", timeout.String()).
		Hint("locked now: %s; wait for that process or end it, then run the backup again", row[0]).Because(pg)
}

// beat keeps the picture's connection from looking idle to what is in between,
// and notices when it is lost.
func (p *picture) beat(ctx context.Context) error {
	tick := time.NewTicker(heartbeatSeconds * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if _, err := pgsession.One(ctx, p.conn, "select 1"); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return pgsession.Explain(err, "keep the snapshot")
			}
		}
	}
}
