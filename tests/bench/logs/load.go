package main

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres"
)

// The entries: 60 templates of which each word is one of the cases' words with
// the frequency that the case needs, counted over all rows:
//
//	zebra    in 13 rows
//	girafa   in 10,000
//	baleia   in 200,000
//	conexão  in 1,000,000 (a tenth)
//	servidor in a fifth; with conexão together in a fiftieth
//	dinossauro only in the oldest day, 20 rows
//
// The source "rare" has 200 of them.
const rowsSQL = `
	select gen_random_uuid(),
		(array['debug','info','info','info','info','info','info','warn','error','critical'])[1 + (i * 7919 %% 1000 / 100)],
		case when i %% %[6]d = 41 then 'rare' else 'service-' || (i * 104729 %% 40) end,
		concat_ws(' ',
			(array['Requisição recebida', 'Sessão iniciada', 'Backup automático concluído', 'Tempo esgotado ao ler', 'Fila processada', 'Pedido confirmado', 'Cache renovado', 'Usuário autenticado'])[1 + i %% 8],
			case when i %% 10 = 3 then 'conexão' end, case when i %% 5 = (i / 10) %% 5 then 'servidor' end,
			case when i %% %[1]d = 17 then 'baleia' end, case when i %% %[2]d = 23 then 'girafa' end, case when i %% %[3]d = 29 then 'zebra' end,
			case when i < 20 then 'dinossauro' end,
			'em', (i * 31 %% 997) || 'ms', 'chave', md5(i::text), 'de 10.0.' || (i %% 250) || '.' || (i * 7 %% 250), 'caminho /api/v1/recurso/' || (i * 13 %% 5000)),
		jsonb_build_object('request_id', md5((i * 3)::text), 'status', 200 + (i %% 4) * 100, 'duration_ms', i * 31 %% 997, 'host', 'ip-' || (i %% 20)),
		timestamptz '%[4]s' + i * interval '1 microsecond' * %[5]d,
		case when i %% 1000 = 0 then ('00000000-0000-4000-8000-' || lpad((i / 1000 %% 500)::text, 12, '0'))::uuid end,
		case when i %% 50 = 0 then 's' || (i / 50 %% 100000) end,
		('10000000-0000-4000-8000-' || lpad((i %% 8 + case when i %% 10 = 3 then 8 else 0 end + case when i %% 5 = (i / 10) %% 5 then 16 else 0 end)::text, 12, '0'))::uuid`

// The patterns that the entries have: one for each beginning of a message, with
// and without each of the two frequent words.
const patternsSQL = `
	insert into guarda.log_patterns (id, source, level, template)
	select ('10000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'service', 'info', 'template ' || n from generate_series(0, 31) n`

// load writes the entries day by day and builds indexes as ingestion would,
// unless an earlier run kept them.
func (b *bench) load() error {
	begin := b.clock.Now()
	if kept, err := b.kept(); kept || err != nil {
		return err
	}
	every := func(n int) int { return max(40, b.rows/n) }
	step := int64(b.days) * 24 * 3600 * 1_000_000 / int64(b.rows)
	source := fmt.Sprintf(rowsSQL, every(200_000), every(10_000), every(13)+1, b.first.Format("2006-01-02 15:04:05+00"), step, every(200)+7)
	perDay := b.rows / b.days
	if err := b.exec(`select guarda.drop_log_partition(d) from guarda.log_days() d; delete from guarda.log_counts; delete from guarda.log_patterns; drop table if exists public.advanced_logs; ` + patternsSQL); err != nil {
		return err
	}
	for d := range b.days {
		date := b.first.AddDate(0, 0, d).Format("20060102")
		if err := b.exec(`select guarda.make_log_partition('` + date + `')`); err != nil {
			return err
		}
		if err := b.exec(fmt.Sprintf(`insert into guarda.advanced_logs_%s (id, level, source, message, metadata, created_at, user_id, session_id, pattern_id) %s from generate_series(%d::bigint, %d) i`, date, source, d*perDay, (d+1)*perDay-1)); err != nil {
			return err
		}
		if err := b.exec(`analyze guarda.advanced_logs_` + date); err != nil {
			return err
		}
	}
	if err := b.exec(`insert into guarda.log_counts (span, bucket, source, level, pattern_id, n, merged)
		select s.span, date_trunc(s.unit, created_at, 'UTC'), source, level, pattern_id, count(*), true
		from guarda.advanced_logs cross join (values (60, 'minute'), (3600, 'hour'), (86400, 'day')) s (span, unit) group by 1, 2, 3, 4, 5`); err != nil {
		return err
	}
	if err := b.exec(`analyze guarda.log_counts`); err != nil {
		return err
	}
	fmt.Printf("%d entries over %d days were loaded in %s\n", b.rows, b.days, b.clock.Now().Sub(begin).Round(time.Second))
	return b.exec(fmt.Sprintf(`create table public.bench as select %d as rows, %d as days, timestamptz '%s' as first; checkpoint`, b.rows, b.days, b.first.Format(time.RFC3339)))
}

// loadPlain makes the specification's table with the same entries, unless an
// earlier run kept it.
func (b *bench) loadPlain() error {
	if !b.plain {
		return nil
	}
	var there bool
	if err := b.db.QueryRow(b.ctx, `select to_regclass('public.advanced_logs') is not null`).Scan(&there); err != nil || there {
		return err
	}
	begin := b.clock.Now()
	err := postgres.Tx(b.ctx, b.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`create table public.advanced_logs (id uuid primary key default gen_random_uuid(), level varchar(20) not null, source varchar(100) not null, message text not null,
				metadata jsonb default '{}', created_at timestamptz default now(), user_id uuid, session_id varchar(255))`,
			`insert into public.advanced_logs select id, level, source, message, metadata, created_at, user_id, session_id from guarda.advanced_logs`,
			`create index on public.advanced_logs (level)`, `create index on public.advanced_logs (source)`, `create index on public.advanced_logs (created_at desc)`,
			`create index on public.advanced_logs (user_id)`, `create index on public.advanced_logs using gin (to_tsvector('portuguese', message))`,
		} {
			if _, err := tx.Exec(b.ctx, sql); err != nil {
				return fmt.Errorf("%.80s…: %w", sql, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Printf("the specification's table with the same entries was made in %s\n", b.clock.Now().Sub(begin).Round(time.Second))
	if err := b.exec(`vacuum analyze public.advanced_logs`); err != nil {
		return err
	}
	return b.exec(`checkpoint`)
}

// kept finds out what an earlier run left in the database, and takes its first
// day. What that run ingested today is removed.
func (b *bench) kept() (bool, error) {
	var there bool
	if err := b.db.QueryRow(b.ctx, `select to_regclass('public.bench') is not null`).Scan(&there); err != nil || !there {
		return false, err
	}
	var rows, days int
	if err := b.db.QueryRow(b.ctx, `select rows, days, first from public.bench`).Scan(&rows, &days, &b.first); err != nil {
		return false, err
	}
	b.first = b.first.UTC()
	if rows != b.rows || days != b.days {
		return false, fmt.Errorf("the kept database has %d entries over %d days: remove %s or measure these", rows, days, b.work)
	}
	fmt.Printf("%d entries over %d days are those of an earlier run\n", rows, days)
	return true, b.exec(fmt.Sprintf(`select guarda.drop_log_partition(d) from guarda.log_days() d where d >= date '%s'; delete from guarda.log_ids; delete from guarda.log_batches; delete from guarda.log_feed;
		select guarda.make_log_partition((now() at time zone 'UTC')::date + n) from generate_series(0, 1) n`, b.first.AddDate(0, 0, days).Format(time.DateOnly)))
}

func (b *bench) exec(sql string) error {
	_, err := b.db.Exec(b.ctx, sql)
	if err != nil {
		return fmt.Errorf("%.80s…: %w", sql, err)
	}
	return nil
}
