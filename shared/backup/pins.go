package backup

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
)

const (
	oldestServer    = 130000 // server_version_num
	tidRangeServer  = 140000 // the first that scans ranges of ctid
	defaultJobs     = 2
	defaultLockWait = 30 * time.Second
	closeTimeout    = 5 * time.Second  // for tidying up after a run was stopped
	heartbeatEvery  = 20 * time.Second // of the picture's connection
)

// pins are settings that decide what the server's text looks like or what it
// lets us see. They hold for one transaction, so a pooled session is left as
// it was.
const pins = `
set local search_path = '';
set local row_security = off;
set local standard_conforming_strings = on;
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0;
set local datestyle = 'ISO';
set local intervalstyle = 'postgres';
set local timezone = 'UTC';
set local extra_float_digits = 3;
set local bytea_output = 'hex';
set local xmloption = 'content';
set local quote_all_identifiers = off;
set local synchronize_seqscans = off;
set local max_parallel_workers_per_gather = 0;
set local jit = off;
`

// keepalives let the server notice within minutes that our process is gone
// though nothing closed its connection, as when Lambda takes a sandbox away, or
// a machine loses its power. By the system's defaults that takes two hours, in
// which the transaction would hold its snapshot against VACUUM, and its locks
// against ALTER TABLE: the server's own limit for idle transactions is off.
// tcp_user_timeout would be quicker, and would also end a connection whose rows
// wait for a slow store.
const keepalives = `
set local tcp_keepalives_idle = 60;
set local tcp_keepalives_interval = 30;
set local tcp_keepalives_count = 10;
`

// begin opens the transaction that a picture is seen through. It takes no
// snapshot: neither BEGIN nor SET nor LOCK TABLE does in REPEATABLE READ.
func begin(ctx context.Context, conn *pgx.Conn, lockTimeout time.Duration, snapshot string) error {
	sql := "begin isolation level repeatable read read only;"
	if snapshot != "" {
		sql += "set transaction snapshot '" + strings.ReplaceAll(snapshot, "'", "''") + "';"
	}
	sql += pins + keepalives + fmt.Sprintf("set local lock_timeout = %d;", lockTimeout.Milliseconds())
	// A database without an encoding has bytes that are not UTF-8.
	if serverSetting(conn, "server_encoding") == "SQL_ASCII" {
		sql += "set local client_encoding = 'SQL_ASCII';"
	} else {
		sql += "set local client_encoding = 'UTF8';"
	}
	v := serverSetting(conn, "server_version")
	if major(v) >= 17 {
		sql += "set local transaction_timeout = 0;"
	}
	if canRefuseViews(v) {
		// A schema can be renamed under a locked table, and a view be put in the
		// table's place: what it calls would run with our rights.
		sql += "set local restrict_nonsystem_relation_kind = 'view, foreign-table';"
	}
	return pgsession.Exec(ctx, conn, sql)
}

func serverSetting(conn *pgx.Conn, name string) string { return conn.PgConn().ParameterStatus(name) }

// canRefuseViews says whether a server knows restrict_nonsystem_relation_kind,
// which came with the fixes of August 2024.
func canRefuseViews(version string) bool {
	_, rest, _ := strings.Cut(version, ".")
	fixed := map[int]int{13: 16, 14: 13, 15: 8, 16: 4}
	since, ok := fixed[major(version)]
	return !ok || major(rest) >= since
}

func major(version string) int {
	n := 0
	for _, c := range version {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}
