package backup

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/pgsession"
)

// identify records what tells this history of the database from another one,
// so that a later backup can see whether ctid and xmin mean the same rows (see
// incomparable). Managed services hide some of it: what they refuse stays
// empty, and the backup goes on.
//
// The timeline comes from the name of the log file that is being written,
// because the control file has that of the last checkpoint: for a while after
// a promotion, that is the old one. A standby writes no log; there the newest
// of what the control file knows must do.
func (p *picture) identify(ctx context.Context) error {
	row, err := pgsession.One(ctx, p.conn, `
select pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()), pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()),
       pg_catalog.current_setting('lc_monetary')`)
	if err != nil {
		return pgsession.Explain(err, "identify the server")
	}
	p.server.NextXID, _ = strconv.ParseUint(row[0], 10, 64)
	p.server.OldestXID, _ = strconv.ParseUint(row[1], 10, 64)
	p.server.Monetary = row[2]
	log, timeline := "pg_catalog.pg_current_wal_lsn()", "('x' || left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::int"
	if p.server.Standby {
		log = "pg_catalog.pg_last_wal_replay_lsn()"
		timeline = "greatest((select timeline_id from pg_catalog.pg_control_checkpoint()), (select min_recovery_end_timeline from pg_catalog.pg_control_recovery()))"
	}
	for _, mark := range []struct {
		sql   string
		found func(string)
	}{
		{log, func(s string) { p.server.LSN = s }},
		{timeline, func(s string) { p.server.Timeline, _ = strconv.ParseInt(s, 10, 64) }},
		{"(select system_identifier from pg_catalog.pg_control_system())", func(s string) { p.server.SystemIdentifier = s }},
	} {
		s, err := ask(ctx, p.conn, mark.sql)
		if err != nil {
			return err
		}
		mark.found(s)
	}
	return p.identifyRecovery(ctx)
}

// identifyRecovery records since when the server counts what it does. A crash
// sets all of these back, and so does starting from a copy of the files of a
// running server, such as a snapshot of its volume, which nothing else tells:
// see recovered. They differ between a primary and its standbys, and a standby
// has no history of its own.
func (p *picture) identifyRecovery(ctx context.Context) error {
	if p.server.Standby {
		return nil
	}
	for _, kind := range []string{"bgwriter", "archiver"} {
		s, err := ask(ctx, p.conn, "(select to_char(stats_reset at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') from pg_catalog.pg_stat_"+kind+")")
		if err != nil {
			return err
		}
		if s != "" {
			if p.server.StatisticsSince == nil {
				p.server.StatisticsSince = map[string]string{}
			}
			p.server.StatisticsSince[kind] = s
		}
	}
	return nil
}

// ask evaluates an expression that the server may refuse, which is "". The
// transaction survives a refusal.
func ask(ctx context.Context, conn *pgx.Conn, expression string) (string, error) {
	if err := pgsession.Exec(ctx, conn, "savepoint ask"); err != nil {
		return "", pgsession.Explain(err, "identify the server")
	}
	row, err := pgsession.One(ctx, conn, "select "+expression)
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		return "", pgsession.Explain(pgsession.Exec(ctx, conn, "rollback to savepoint ask; release savepoint ask"), "identify the server")
	}
	if err == nil {
		err = pgsession.Exec(ctx, conn, "release savepoint ask")
	}
	if err != nil {
		return "", pgsession.Explain(err, "identify the server")
	}
	return row[0], nil
}

// volatileTables returns the tables whose rows' text changes though neither a
// row nor the table's definition does: those with a column that shows the name
// of something else in the database, such as regclass, in whatever array,
// domain, range or composite type.
func volatileTables(ctx context.Context, conn *pgx.Conn) (map[uint32]bool, error) {
	multiranges := ""
	if major(serverSetting(conn, "server_version")) >= 14 {
		multiranges = "union all select rngtypid, rngmultitypid from pg_catalog.pg_range"
	}
	results, err := conn.PgConn().Exec(ctx, `
with recursive made (part, type) as materialized (
	select typelem, oid from pg_catalog.pg_type where typelem <> 0
	union all select typbasetype, oid from pg_catalog.pg_type where typbasetype <> 0
	union all select rngsubtype, rngtypid from pg_catalog.pg_range
	`+multiranges+`
	union all select a.atttypid, c.reltype from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
		where c.reltype <> 0 and a.attnum > 0 and not a.attisdropped
), names (type) as (
	select oid from pg_catalog.pg_type
	where typnamespace = 'pg_catalog'::pg_catalog.regnamespace and (typname like 'reg%' and typcategory = 'N' or typname = 'aclitem')
	union
	select m.type from names n join made m on m.part = n.type
)
select distinct a.attrelid
from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
where c.relkind = 'r' and c.oid >= 16384 and a.attnum > 0 and not a.attisdropped and a.atttypid in (select type from names)`).ReadAll()
	if err != nil {
		return nil, pgsession.Explain(err, "look for columns that show names")
	}
	volatile := map[uint32]bool{}
	for _, row := range results[0].Rows {
		oid, err := strconv.ParseUint(string(row[0]), 10, 32)
		if err != nil {
			return nil, err
		}
		volatile[uint32(oid)] = true
	}
	return volatile, nil
}
