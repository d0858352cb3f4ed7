package migrations_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/migrations"
	"guarda/shared/postgres/pgtest"
)

func strings(t *testing.T, dsn, sql string) []string {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const relations = `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname = 'guarda' and c.relkind in ('r', 'p') and not c.relispartition order by 1`

func TestUpMakesEveryTableAndDownTakesThemBack(t *testing.T) {
	t.Parallel()
	dsn, ctx := pgtest.New(t), t.Context()
	up, err := migrations.Up(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	if len(up.Applied) < 5 || up.Version != up.Applied[len(up.Applied)-1] {
		t.Fatalf("up: %+v", up)
	}
	want := []string{"advanced_logs", "alert_notifications", "alert_rules", "api_keys", "backup_chunks", "backup_executions",
		"backup_files", "backup_ledgers", "backup_schedules", "backup_verifications", "backup_workers", "idempotency_keys", "log_batches", "log_counts", "log_erasures", "log_exports", "log_feed", "log_ids",
		"log_late_days", "log_limits", "log_masking", "log_patterns", "log_retention", "log_segments", "log_settings", "login_failures", "metric_thresholds", "monitoring_metrics",
		"saved_searches", "schema_versions", "sources", "users"}
	if got := strings(t, dsn, relations); !slices.Equal(got, want) {
		t.Errorf("tables are %v", got)
	}
	again, err := migrations.Up(ctx, dsn)
	if err != nil || len(again.Applied) != 0 || again.Version != up.Version {
		t.Errorf("a second run: %+v, %v", again, err)
	}
	// Version by version, down and up again: each file can be taken back alone.
	for _, v := range slices.Backward(append([]int64{0}, up.Applied[:len(up.Applied)-1]...)) {
		if down, err := migrations.DownTo(ctx, dsn, v); err != nil || down.Version != v {
			t.Fatalf("down to %d: %+v, %v", v, down, err)
		}
		if redo, err := migrations.Up(ctx, dsn); err != nil || redo.Version != up.Version {
			t.Fatalf("up again from %d: %+v, %v", v, redo, err)
		}
	}
	if _, err := migrations.DownTo(ctx, dsn, 0); err != nil {
		t.Fatal(err)
	}
	if got := strings(t, dsn, relations); !slices.Equal(got, []string{"schema_versions"}) {
		t.Errorf("after going down there is still %v", got)
	}
}

// The specification's columns, in its order, before any of ours.
func TestTablesOfTheSpecificationAreAsItGivesThem(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	if _, err := migrations.Up(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	const u, ts = "uuid", "timestamp with time zone"
	for table, want := range map[string][]string{
		"backup_schedules": {"id " + u + " gen_random_uuid()", "name character varying(255) not null", "cron_expression character varying(100) not null",
			"backup_type character varying(50) not null", "configuration jsonb '{}'::jsonb", "active boolean true", "created_at " + ts + " now()", "updated_at " + ts + " now()"},
		"backup_executions": {"id " + u + " gen_random_uuid()", "schedule_id uuid", "status character varying(50) not null 'pending'::character varying", "started_at " + ts + " now()",
			"completed_at " + ts, "duration_seconds integer", "size_bytes bigint", "metadata jsonb '{}'::jsonb", "error_message text"},
		"advanced_logs": {"id " + u + " gen_random_uuid()", "level character varying(20) not null", "source character varying(100) not null", "message text not null",
			"metadata jsonb '{}'::jsonb", "created_at " + ts + " not null now()", "user_id uuid", "session_id character varying(255)"}, // created_at is part of the key
		"alert_rules": {"id " + u + " gen_random_uuid()", "name character varying(255) not null", "condition_type character varying(100) not null", "condition_config jsonb not null",
			"notification_config jsonb not null", "active boolean true", "created_at " + ts + " now()", "updated_at " + ts + " now()"},
	} {
		got := strings(t, dsn, `select a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
			|| case when a.attnotnull and a.attname <> 'id' then ' not null' else '' end || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '')
			from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
			where a.attrelid = 'guarda.`+table+`'::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`)
		if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Errorf("%s:\n got %q\nwant %q", table, got, want)
		}
	}
	indexes := strings(t, dsn, `select indexname from pg_indexes where schemaname = 'guarda'`)
	for _, want := range []string{"idx_backup_schedules_active", "idx_backup_schedules_type", "idx_backup_executions_status", "idx_backup_executions_started_at",
		"idx_backup_executions_schedule_id", "idx_advanced_logs_level", "idx_advanced_logs_source", "idx_advanced_logs_created_at", "idx_advanced_logs_user_id", "idx_advanced_logs_message_gin"} {
		if !slices.Contains(indexes, want) {
			t.Errorf("index %s is missing", want)
		}
	}
	rows := strings(t, dsn, `select name || '|' || cron_expression || '|' || backup_type || '|' || configuration from guarda.backup_schedules
		union all select level || '|' || source || '|' || message || '|' || metadata from guarda.advanced_logs
		union all select name || '|' || condition_type || '|' || condition_config || '|' || notification_config from guarda.alert_rules order by 1`)
	slices.Sort(rows)
	want := []string{
		`Backup Diário Completo|0 2 * * *|full|{"compression": true, "cloud_upload": true}`,
		`Backup Incremental de 6h|0 */6 * * *|incremental|{"compression": true, "retention_days": 7}`,
		`Falha de Backup Crítica|backup_failure|{"consecutive_failures": 3}|{"email": true, "slack": true, "priority": "high"}`,
		`Uso de Armazenamento Alto|storage_usage|{"threshold_percent": 85}|{"email": true, "priority": "medium"}`,
		`error|backup_system|Falha na compressão do backup|{"file_size": 1024000, "error_code": "COMPRESSION_FAILED"}`,
		`info|backup_system|Backup automático iniciado|{"type": "incremental", "schedule_id": "uuid"}`,
	}
	if !slices.Equal(rows, want) {
		t.Errorf("initial rows:\n got %q\nwant %q", rows, want)
	}
}

func TestTwoMigrationsAtOnceTakeTurns(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	applied := 0
	for range 4 {
		wg.Go(func() {
			r, err := migrations.Up(context.Background(), dsn)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			applied += len(r.Applied)
			mu.Unlock()
		})
	}
	wg.Wait()
	if applied < 4 || len(strings(t, dsn, "select version_id::text from guarda.schema_versions where version_id > 0")) != applied {
		t.Errorf("%d versions were applied", applied)
	}
}

func TestExecutionsOutliveTheirSchedule(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	if _, err := migrations.Up(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, dsn, `insert into guarda.backup_executions (schedule_id) select id from guarda.backup_schedules;
		delete from guarda.backup_schedules`)
	if got := strings(t, dsn, "select coalesce(schedule_id::text, 'none') from guarda.backup_executions"); !slices.Equal(got, []string{"none", "none"}) {
		t.Errorf("executions are %v", got)
	}
}

// A table from before partitions moves over with every row, and back.
func TestAnUnpartitionedLogTableMovesOver(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	if _, err := migrations.Up(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.DownTo(t.Context(), dsn, 8); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, dsn, `delete from guarda.advanced_logs;
		insert into guarda.advanced_logs (level, source, message, metadata, created_at, user_id, session_id)
			select (array['debug','info','error'])[1 + n % 3], 's' || n % 4, 'line ' || n, case when n % 5 > 0 then jsonb_build_object('n', n) end, case when n % 7 > 0 then now() - n * interval '1 hour' end, gen_random_uuid(), 'x' || n
			from generate_series(1, 300) n;
		insert into guarda.log_patterns (source, level, template, sample_log_id) select 's0', 'info', 'line <*>', id from guarda.advanced_logs where message = 'line 8'`)
	const content = `select concat_ws('|', id, level, source, message, metadata, user_id, session_id, case when message = 'line 8' then created_at end) from guarda.advanced_logs order by 1`
	before := strings(t, dsn, content)
	if _, err := migrations.Up(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	if after := strings(t, dsn, content); len(before) != 300 || !slices.Equal(after, before) {
		t.Errorf("%d rows before, %d after", len(before), len(after))
	}
	want := []string{"0 in the default partition", "1 sample", "300 counted", "300 ids"}
	if got := strings(t, dsn, `select count(*) || ' in the default partition' from guarda.advanced_logs_default union all select sum(n) || ' counted' from guarda.log_counts where span = 60
		union all select count(*) || ' ids' from guarda.log_ids union all select count(*) || ' sample' from guarda.log_patterns p join guarda.advanced_logs l on l.id = p.sample_log_id and l.created_at = p.sample_log_at order by 1`); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if _, err := migrations.DownTo(t.Context(), dsn, 8); err != nil {
		t.Fatal(err)
	}
	if back := strings(t, dsn, content); !slices.Equal(back, before) {
		t.Errorf("%d rows came back", len(back))
	}
}
