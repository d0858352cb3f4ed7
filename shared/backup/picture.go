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
)

// picture is one consistent view of the source. It lasts as long as the
// transaction on conn does.
type picture struct {
	conn   *pgx.Conn
	id     string    // of the exported snapshot
	at     time.Time // the server's clock when it was taken
	server manifest.Server
}

const (
	lockBatch    = 500 // tables in a LOCK statement
	lockAttempts = 5
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
	// The database's own search_path may lead to functions and operators that
	// somebody made in the place of the server's.
	if err := pgsession.Exec(ctx, b, "set search_path = ''"); err != nil {
		return nil, pgsession.Explain(err, "prepare the session")
	}
	p := &picture{conn: a}
	if err := p.checkServer(ctx); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		err := p.lockAll(ctx, b, r.LockTimeout)
		if err == nil {
			err = p.export(ctx, b)
		}
		if err == nil {
			err = p.lockMissed(ctx)
		}
		if err == nil {
			return p, p.identify(ctx)
		}
		if attempt == lockAttempts || !comesAndGoes(err) {
			return nil, lockError(ctx, b, err, r.LockTimeout)
		}
		if err := pgsession.Exec(ctx, a, "rollback"); err != nil {
			return nil, pgsession.Explain(err, "lock the tables")
		}
	}
}

// errChanged says that a table was changed between the snapshot and its lock.
var errChanged = errors.New("a table was changed while the tables were locked")

// comesAndGoes says whether a table was dropped, renamed or changed between
// listing and locking: then it makes sense to look again.
func comesAndGoes(err error) bool {
	pg := (*pgconn.PgError)(nil)
	return errors.Is(err, errChanged) || errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "3F000" || pg.Code == "42809")
}

// export takes the snapshot, with the locks held, and exports it.
func (p *picture) export(ctx context.Context, b *pgx.Conn) (err error) {
	if p.server.Watermark, err = watermark(ctx, b, p.server.Standby); err != nil {
		return err
	}
	row, err := pgsession.One(ctx, p.conn, `select pg_catalog.pg_export_snapshot(), to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.USOF')`)
	if err != nil {
		return pgsession.Explain(err, "export the snapshot")
	}
	p.id = row[0]
	if p.at, err = time.Parse("2006-01-02T15:04:05.999999-07", row[1]); err != nil {
		return fmt.Errorf("read the server's clock: %w", err)
	}
	p.at = p.at.UTC()
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

// readableTables are the tables that we may read, as pg_class c and
// pg_namespace n, and those that are gone though the snapshot shows them.
const readableTables = `
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence <> 't'
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_(temp|toast_temp)_'
  and coalesce(pg_catalog.has_schema_privilege(n.oid, 'usage'), true) and coalesce(pg_catalog.has_table_privilege(c.oid, 'select'), true)`

// lockAll lists the tables that we may read, on b, and locks them in a new
// transaction on p.conn. Tables that we may not read are found by the check of
// privileges later, if they belong into the backup.
func (p *picture) lockAll(ctx context.Context, b *pgx.Conn, timeout time.Duration) error {
	// The names as UTF-8, whatever the database's encoding: p.conn takes them so.
	results, err := b.PgConn().Exec(ctx, "set client_encoding = 'UTF8'; select pg_catalog.format('%I.%I', n.nspname, c.relname)"+readableTables+" order by c.oid").ReadAll()
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

// lockMissed locks the tables that the snapshot shows and lockAll did not see:
// those that were made, or got their name, in between. Their locks come after
// the snapshot. It returns errChanged when one was changed before its lock: the
// snapshot would show the definition of one table and the rows of another.
func (p *picture) lockMissed(ctx context.Context) error {
	const unlocked = `not exists (
  select from pg_catalog.pg_locks l
  where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.relation = c.oid and l.granted and l.mode = 'AccessShareLock')`
	results, err := p.conn.PgConn().Exec(ctx, "select c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname)"+readableTables+" and "+unlocked).ReadAll()
	if err != nil || len(results[0].Rows) == 0 {
		return err
	}
	var oids, names []string
	for _, row := range results[0].Rows {
		oids, names = append(oids, string(row[0])), append(names, string(row[1]))
	}
	if err := lockTables(ctx, p.conn, names); err != nil {
		return err
	}
	// Another table may have the name now. The file's number is compared as the
	// snapshot shows it and as it is.
	row, err := pgsession.One(ctx, p.conn, "select count(*) from pg_catalog.pg_class c where c.oid in ("+strings.Join(oids, ", ")+") and ("+unlocked+`
  or pg_catalog.pg_relation_filenode(c.oid) is distinct from nullif(c.relfilenode, 0))`)
	if err == nil && row[0] != "0" {
		err = errChanged
	}
	return err
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

// lockError explains why the tables could not be locked; it asks b who holds them.
func lockError(ctx context.Context, b *pgx.Conn, err error, timeout time.Duration) error {
	if errors.Is(err, errChanged) {
		return fault.New(fault.Unavailable, "tables were made and changed faster than they could be locked, %d times", lockAttempts).
			Hint("run the backup again when fewer tables come and go")
	}
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
// and notices when it is lost. It does so until side ends; only the end of the
// run breaks off a question that was asked by then, since a question that is
// broken off takes its connection, and the picture, with it.
func (p *picture) beat(run, side context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-side.Done():
			return nil
		case <-tick.C:
			if _, err := pgsession.One(run, p.conn, "select 1"); err != nil {
				if run.Err() != nil {
					return nil
				}
				return pgsession.Explain(err, "keep the snapshot")
			}
		}
	}
}
