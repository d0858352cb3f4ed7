package logstore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/shared/postgres"
)

// A change of the text search needs an index over every entry. It is wanted
// first; the keeper builds the index, partition by partition so that nobody
// waits, and only then it becomes the active one. The specification's index
// stays whatever is active.

var configName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// WantWords asks for a text search: a configuration of pg_catalog, with or
// without accents. An unknown configuration is fault.Invalid. Asking for the
// active one takes back what was asked for before.
func (s *Store) WantWords(ctx context.Context, words logs.TextSearch) error {
	return wantWords(ctx, s.db, words, s.clock.Now())
}

func wantWords(ctx context.Context, db postgres.Querier, words logs.TextSearch, now time.Time) error {
	var there bool
	if configName.MatchString(words.Config) {
		err := db.QueryRow(ctx, `select exists (select from pg_catalog.pg_ts_config where cfgname = $1::text and cfgnamespace = 'pg_catalog'::regnamespace)`, words.Config).Scan(&there)
		if err != nil {
			return postgres.Explain(err, "look up a text search configuration")
		}
	}
	if !there {
		return fault.New(fault.Invalid, "the database has no text search configuration %q", words.Config).
			Field("text_search", "not_allowed", "is no text search configuration of PostgreSQL, such as portuguese or simple")
	}
	_, err := db.Exec(ctx, `update guarda.log_settings set version = version + 1, updated_at = $3::timestamptz,
		wanted_text_search = case when (text_search, fold_accents) = ($1::text, $2::bool) then null else $1::text end,
		wanted_fold_accents = case when (text_search, fold_accents) = ($1::text, $2::bool) then null else $2::bool end`, words.Config, words.Fold, now)
	return postgres.Explain(err, "set the text search")
}

// indexOf names the index of a text search; the specification's has its name.
func indexOf(words logs.TextSearch) string {
	name := "idx_advanced_logs_message_gin"
	if words.Config != "portuguese" {
		name += "_" + words.Config
	}
	if words.Fold {
		name += "_folded"
	}
	return name[:min(len(name), 63)]
}

// prepareWords builds what a wanted text search needs and makes it the active
// one. It goes on where an earlier call ended.
func (s *Store) prepareWords(ctx context.Context, settings *logs.Settings, k *Kept) error {
	if settings.Wanted == nil {
		return s.dropIndexes(ctx, indexOf(settings.Words()))
	}
	words := *settings.Wanted
	if !configName.MatchString(words.Config) {
		return fmt.Errorf("the text search configuration %q", words.Config)
	}
	index := indexOf(words)
	var valid *bool
	err := s.db.QueryRow(ctx, `select i.indisvalid from pg_catalog.pg_index i where i.indexrelid = to_regclass('guarda.' || $1::text)`, index).Scan(&valid)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if valid == nil || !*valid {
		if err := s.buildIndex(ctx, index, vector(words)); err != nil {
			return err
		}
	}
	_, err = s.db.Exec(ctx, `update guarda.log_settings set text_search = $1::text, fold_accents = $2::bool, wanted_text_search = null, wanted_fold_accents = null, version = version + 1
		where wanted_text_search = $1::text and wanted_fold_accents = $2::bool`, words.Config, words.Fold)
	if err == nil {
		k.TextSearch = index
	}
	return err
}

// dropIndexes drops the indexes of text searches that nobody uses any more,
// but for the one that is active and the specification's: each of them costs
// every entry that comes in. It waits for its lock only shortly, since everybody
// else would wait behind it; the next time tries again.
func (s *Store) dropIndexes(ctx context.Context, active string) error {
	rows, err := s.db.Query(ctx, `
		select c.relname from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
		where i.indrelid = 'guarda.advanced_logs'::regclass and c.relname like 'idx\_advanced\_logs\_message\_gin\_%' and c.relname <> $1::text`, active)
	if err != nil {
		return err
	}
	old, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, index := range old {
		err := postgres.Tx(ctx, s.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `select pg_catalog.set_config('lock_timeout', '2s', true)`); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `drop index if exists guarda.`+pgx.Identifier{index}.Sanitize())
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// buildIndex makes the index of the partitioned table alone, then each
// partition's without blocking its writers, and attaches it. The whole is valid
// when every partition has its own.
func (s *Store) buildIndex(ctx context.Context, index, expression string) error {
	const using = ` using gin (%s) with (gin_pending_list_limit = 4096)`
	if _, err := s.db.Exec(ctx, fmt.Sprintf(`create index if not exists %s on only guarda.advanced_logs`+using, index, expression)); err != nil {
		return err
	}
	rows, err := s.db.Query(ctx, `
		select c.relname from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
		where i.inhparent = 'guarda.advanced_logs'::regclass and not exists (
			select from pg_catalog.pg_index x join pg_catalog.pg_inherits h on h.inhrelid = x.indexrelid
			where x.indrelid = c.oid and h.inhparent = ('guarda.' || $1::text)::regclass) order by 1 desc`, index)
	if err != nil {
		return err
	}
	parts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, part := range parts {
		name := part + index[len("idx_advanced_logs_message"):]
		// What an interrupted build left is no use.
		if _, err := s.db.Exec(ctx, `drop index if exists guarda.`+pgx.Identifier{name}.Sanitize()); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, fmt.Sprintf(`create index concurrently %s on guarda.%s`+using, pgx.Identifier{name}.Sanitize(), pgx.Identifier{part}.Sanitize(), expression)); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, fmt.Sprintf(`alter index guarda.%s attach partition guarda.%s`, index, pgx.Identifier{name}.Sanitize())); err != nil {
			return err
		}
	}
	return nil
}
