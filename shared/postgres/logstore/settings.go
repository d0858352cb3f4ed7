package logstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/httpapi"
	"guarda/shared/logs"
	"guarda/shared/postgres"
)

// LogSettings reads the settings, in one statement.
func (s *Store) LogSettings(ctx context.Context) (*logs.Settings, error) {
	out := &logs.Settings{Masking: map[string][]string{}}
	var wanted *string
	var wantedFold *bool
	var masked []string
	rows, err := s.db.Query(ctx, `
		select 0, text_search, fold_accents, key_limit, max_age_days, version, wanted_text_search, wanted_fold_accents, '', null::text[], '', '', coalesce(hot_days, 0) from guarda.log_settings
		union all select 1, '', false, 0, 0, 0, null, null, source, rules, '', '', 0 from guarda.log_masking
		union all select 2, '', false, 0, 0, 0, null, null, coalesce(source, ''), null, coalesce(level, ''), id::text, coalesce(days, 0) from guarda.log_retention
		order by 1`)
	if err != nil {
		return nil, postgres.Explain(err, "read the settings of logs")
	}
	var kind, keyLimit, maxAge, days int
	var config, source, level, id string
	var fold bool
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&kind, &config, &fold, &keyLimit, &maxAge, &version, &wanted, &wantedFold, &source, &masked, &level, &id, &days}, func() error {
		switch kind {
		case 0:
			out.TextSearch, out.FoldAccents, out.KeyLimit, out.MaxAgeDays, out.HotDays, out.Version = config, fold, keyLimit, maxAge, days, version
			if wanted != nil && wantedFold != nil {
				out.Wanted = &logs.TextSearch{Config: *wanted, Fold: *wantedFold}
			}
		case 1:
			out.Masking[source] = masked
		case 2:
			out.Retention = append(out.Retention, logs.RetentionRule{Source: source, Level: logs.Level(level), Days: days})
			out.RetentionIDs = append(out.RetentionIDs, id)
		}
		return nil
	})
	return out, postgres.Explain(err, "read the settings of logs")
}

// Spend counts entries against a subject's limit. A request passes while
// something is left, and may take more than is left: the next one waits until
// the bucket has filled up again.
func (s *Store) Spend(ctx context.Context, subject, keyID string, n, limit int) (time.Duration, error) {
	var key *string
	if keyID != "" {
		key = &keyID
	}
	now := s.clock.Now()
	var left, perMinute float64
	err := s.db.QueryRow(ctx, `
		with l as (
			select coalesce((select logs_per_minute from guarda.api_keys where id = $3::text::uuid), $2::int)::float8 as n
		)
		insert into guarda.log_limits as b (subject, tokens, updated_at)
			select $1::text, l.n - $4::int, $5::timestamptz from l
			on conflict (subject) do update
				set tokens = least(excluded.tokens + $4::int, b.tokens + greatest(extract(epoch from $5::timestamptz - b.updated_at), 0) * (excluded.tokens + $4::int) / 60) - $4::int, updated_at = $5::timestamptz
				where b.tokens + greatest(extract(epoch from $5::timestamptz - b.updated_at), 0) * (excluded.tokens + $4::int) / 60 > 0
		returning tokens`, subject, limit, key, n, now).Scan(&left)
	if err == nil {
		return 0, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return 0, postgres.Explain(err, "count entries against a limit")
	}
	err = s.db.QueryRow(ctx, `
		select b.tokens + greatest(extract(epoch from $4::timestamptz - b.updated_at), 0) * l.n / 60, l.n
		from guarda.log_limits b, (select coalesce((select logs_per_minute from guarda.api_keys where id = $3::text::uuid), $2::int)::float8) as l (n)
		where b.subject = $1::text`, subject, limit, key, now).Scan(&left, &perMinute)
	if err != nil {
		return 0, postgres.Explain(err, "count entries against a limit")
	}
	return time.Duration(max(0, -left)/perMinute*60*float64(time.Second)) + time.Second, nil
}

// SetLogSettings replaces limits, retention and masking, and asks for the
// wanted text search. Settings that changed since a version are
// fault.Precondition.
func (s *Store) SetLogSettings(ctx context.Context, to *logs.Settings, version int64) error {
	err := postgres.Tx(ctx, s.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update guarda.log_settings set key_limit = $1::int, hot_days = nullif($4::int, 0), version = version + 1, updated_at = $2::timestamptz where version = $3::bigint`, to.KeyLimit, s.clock.Now(), version, to.HotDays)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return httpapi.Changed()
		}
		if _, err := tx.Exec(ctx, `delete from guarda.log_retention`); err != nil {
			return err
		}
		for _, r := range to.Retention {
			if _, err := tx.Exec(ctx, `insert into guarda.log_retention (source, level, days) values (nullif($1::text, ''), nullif($2::text, ''), nullif($3::int, 0))`, r.Source, string(r.Level), r.Days); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `delete from guarda.log_masking`); err != nil {
			return err
		}
		for source, rules := range to.Masking {
			if _, err := tx.Exec(ctx, `insert into guarda.log_masking (source, rules) values ($1::text, $2::text[])`, source, rules); err != nil {
				return err
			}
		}
		return wantWords(ctx, tx, *to.Wanted, s.clock.Now())
	})
	return postgres.Explain(err, "set the settings of logs")
}
