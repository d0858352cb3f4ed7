package logstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/logs"
	"guarda/shared/postgres"
)

// What package cold works with: see cold.Entries for the contract, and
// docs/design/cold-logs.md for why no entry is lost or shown twice.

// quiet is how long a day past hot_days is left alone after entries came to it,
// but no longer than quietAtMost in all. It is the life of the feed, whose
// entries tails look for among the hot ones.
const (
	quiet       = feedLife
	quietAtMost = 24 * time.Hour
)

func partition(d time.Time) string {
	return pgx.Identifier{"guarda", "advanced_logs_" + dayOf(d)}.Sanitize()
}

// NoteLate takes down the days before a moment to which entries came since
// counts were added up last.
func (s *Store) NoteLate(ctx context.Context, before time.Time) error {
	now := s.clock.Now()
	_, err := s.db.Exec(ctx, `with old as (delete from guarda.log_late_days where seen_at < $2::timestamptz - interval '2 days')
		insert into guarda.log_late_days (day, since, seen_at)
			select distinct (bucket at time zone 'UTC')::date, $2::timestamptz, $2::timestamptz from guarda.log_counts where not merged and span = 86400 and n > 0 and bucket < $1::timestamptz
			on conflict (day) do update set seen_at = excluded.seen_at`, before, now)
	return postgres.Explain(err, "look for late log entries")
}

// ArchiveDays lists the days before a moment that have a partition, the oldest
// first, without those to which entries came lately.
func (s *Store) ArchiveDays(ctx context.Context, before time.Time) ([]time.Time, error) {
	now := s.clock.Now()
	rows, err := s.db.Query(ctx, `select d from guarda.log_days() d where d < ($1::timestamptz at time zone 'UTC')::date and not exists (
		select from guarda.log_late_days l where l.day = d and l.seen_at > $2::timestamptz and l.since > $3::timestamptz) order by d`, before, now.Add(-quiet), now.Add(-quietAtMost))
	if err != nil {
		return nil, postgres.Explain(err, "list the days of log entries")
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	return days, postgres.Explain(err, "list the days of log entries")
}

// Piece returns the range of a day's oldest hot entries, about n of them: from
// low on, before high. false: the day has none.
func (s *Store) Piece(ctx context.Context, day time.Time, n int) (low, high time.Time, ok bool, err error) {
	table := partition(day)
	err = s.db.QueryRow(ctx, `select created_at from `+table+` order by created_at limit 1`).Scan(&low)
	if errors.Is(err, pgx.ErrNoRows) || isMissingTable(err) {
		return low, high, false, nil
	}
	if err == nil {
		err = s.db.QueryRow(ctx, `select created_at from `+table+` order by created_at offset $1::int limit 1`, n).Scan(&high)
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		high, err = day.Add(24*time.Hour), nil
	case err == nil && !high.After(low): // as many of one moment
		high = low.Add(time.Microsecond)
	}
	return low.UTC(), high.UTC(), err == nil, postgres.Explain(err, "find log entries to archive")
}

// readBytes is how much of a piece is handed on at once.
const readBytes = 4 << 20

// ReadPiece hands a piece's rows to f in their order, some at a time.
func (s *Store) ReadPiece(ctx context.Context, day, low, high time.Time, f func([]logs.Archived) error) error {
	w := &where{}
	w.between("created_at", low, high)
	rows, err := s.db.Query(ctx, fmt.Sprintf(`select id::text, created_at, level, source, message, metadata::text, user_id::text, session_id, pattern_id::text from %s where %s order by created_at, id`, partition(day), w))
	if err != nil {
		return postgres.Explain(err, "read log entries to archive")
	}
	defer rows.Close()
	var batch []logs.Archived
	size := 0
	for rows.Next() {
		a, err := scanArchived(rows)
		if err != nil {
			return err
		}
		batch = append(batch, a)
		if size += a.Bytes(); size >= readBytes {
			if err := f(batch); err != nil {
				return err
			}
			batch, size = batch[:0], 0
		}
	}
	if err := rows.Err(); err != nil {
		return postgres.Explain(err, "read log entries to archive")
	}
	return f(batch)
}

func scanArchived(row pgx.Row) (a logs.Archived, err error) {
	var id string
	var at time.Time
	var metadata, user, pattern *string
	if err := row.Scan(&id, &at, &a.Level, &a.Source, &a.Message, &metadata, &user, &a.Session, &pattern); err != nil {
		return a, postgres.Explain(err, "read log entries to archive")
	}
	a.ID, a.At = parseUUID(id), at.UnixMicro()
	if metadata != nil {
		a.Metadata = []byte(*metadata)
	}
	if user != nil {
		a.User = uuid.NullUUID{UUID: parseUUID(*user), Valid: true}
	}
	if pattern != nil {
		a.Pattern = uuid.NullUUID{UUID: parseUUID(*pattern), Valid: true}
	}
	return a, nil
}

// Lexemes returns the words that a text search finds in messages, each once.
func (s *Store) Lexemes(ctx context.Context, words logs.TextSearch, messages []string) ([]string, error) {
	if !configName.MatchString(words.Config) {
		return nil, fmt.Errorf("the text search configuration %q", words.Config)
	}
	rows, err := s.db.Query(ctx, `select distinct w from unnest($1::text[]) message, unnest(tsvector_to_array(`+vector(words)+`)) w`, messages)
	if err != nil {
		return nil, postgres.Explain(err, "find the words of log entries")
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return list, postgres.Explain(err, "find the words of log entries")
}

// BeginSegment records that a segment is being written, before anything is, so
// that nothing that a dead function wrote is forgotten.
func (s *Store) BeginSegment(ctx context.Context, seg *logs.Segment, reason string) error {
	_, err := s.db.Exec(ctx, `insert into guarda.log_segments (id, day, state, reason, path, low, high, rows, content, size, footer, index_size, index_header, kinds, text_search, fold_accents, written_at)
		values ($1::text::uuid, ($2::timestamptz at time zone 'UTC')::date, 'writing', $3::text, $4::text, $2::timestamptz, $2::timestamptz, 0, 0, 0, 0, 0, 0, '[]', $5::text, $6::bool, $7::timestamptz)`,
		seg.ID.String(), seg.Day, reason, seg.Path, seg.Words.Config, seg.Words.Fold, s.clock.Now())
	return postgres.Explain(err, "begin to archive log entries")
}

// errOther rolls a transaction back whose rows are not those that were written.
var errOther = errors.New("the rows are not those that were written")

// publish makes a segment that was being written live.
func (s *Store) publish(ctx context.Context, tx pgx.Tx, seg *logs.Segment, erasedTo int64) error {
	kinds := make([][3]any, len(seg.Kinds))
	for i, k := range seg.Kinds {
		kinds[i] = [3]any{k.Level, k.Source, k.Rows}
	}
	raw, err := json.Marshal(kinds)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `update guarda.log_segments set state = 'live', live_at = $2::timestamptz, low = $3::timestamptz, high = $4::timestamptz, rows = $5::bigint, content = $6::text::numeric, size = $7::bigint,
		footer = $8::bigint, index_size = $9::bigint, index_header = $10::bigint, kinds = $11::text::jsonb, erased_to = $12::bigint where id = $1::text::uuid and state = 'writing'`,
		seg.ID.String(), s.clock.Now(), seg.Low, seg.High, seg.Rows, seg.Content, seg.Size, seg.Footer, seg.IndexSize, seg.IndexHeader, string(raw), erasedTo)
	if err == nil && tag.RowsAffected() != 1 {
		err = errOther
	}
	return err
}

// SwitchSegment takes a piece's rows out of Postgres and shows the segment
// instead, in one transaction. false, and nothing changed: the rows are not
// exactly those of the segment any more.
func (s *Store) SwitchSegment(ctx context.Context, seg *logs.Segment, low, high time.Time) (bool, error) {
	w := &where{}
	w.between("created_at", low, high)
	err := postgres.Tx(ctx, s.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_catalog.set_config('lock_timeout', '5s', true)`); err != nil {
			return err
		}
		if err := s.publish(ctx, tx, seg, 0); err != nil {
			return err
		}
		// Statements on the partition itself do not touch the counts, which
		// stay. An id that does not tell its time is found through log_ids.
		var n int64
		var content string
		err := tx.QueryRow(ctx, fmt.Sprintf(`
			with gone as (delete from %s where %s returning *),
			told as (insert into guarda.log_ids (id, created_at) select id, created_at from gone
				where not (left(replace(id::text, '-', ''), 12) = lpad(to_hex(round(extract(epoch from date_trunc('milliseconds', created_at)) * 1000)::bigint), 12, '0') and id::text ~ '^.{14}7.{4}[89ab]')
				on conflict do nothing)
			select count(*), coalesce(sum(guarda.log_fingerprint(id, created_at, level, source, message, metadata, user_id, session_id, pattern_id)), 0)::text from gone`, partition(seg.Day), w)).Scan(&n, &content)
		if err == nil && (n != seg.Rows || content != seg.Content) {
			err = errOther
		}
		return err
	})
	if errors.Is(err, errOther) || isMissingTable(err) {
		return false, nil
	}
	return err == nil, postgres.Explain(err, "archive log entries")
}

// ReplaceSegment takes a live segment away and shows another instead (nil:
// none), which has its rows without those that are removed. false, and nothing
// changed: it is not live any more.
func (s *Store) ReplaceSegment(ctx context.Context, old, by *logs.Segment, removed *logs.Removed, erasure int64) (bool, error) {
	err := postgres.Tx(ctx, s.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
		var erasedTo int64
		err := tx.QueryRow(ctx, `update guarda.log_segments set state = 'gone', gone_at = $2::timestamptz where id = $1::text::uuid and state = 'live' returning erased_to`, old.ID.String(), s.clock.Now()).Scan(&erasedTo)
		if errors.Is(err, pgx.ErrNoRows) {
			return errOther
		}
		if err != nil {
			return err
		}
		if by != nil {
			if err := s.publish(ctx, tx, by, max(erasedTo, erasure)); err != nil {
				return err
			}
		}
		counted := map[countKey]int{}
		for k, n := range removed.Counts {
			at := time.UnixMicro(k.Minute).UTC()
			for _, span := range spans {
				counted[countKey{span, at.Truncate(time.Duration(span) * time.Second), k.Source, k.Level, k.Pattern}] -= n
			}
		}
		if err := copyRows(ctx, tx, `guarda.log_counts (span, bucket, source, level, pattern_id, n)`, countRows(counted)); err != nil {
			return err
		}
		ids := make([]string, len(removed.IDs))
		for i, id := range removed.IDs {
			ids[i] = id.String()
		}
		if _, err := tx.Exec(ctx, `delete from guarda.log_ids where id = any($1::text[]::uuid[])`, ids); err != nil || erasure == 0 {
			return err
		}
		_, err = tx.Exec(ctx, `update guarda.log_erasures set cold_rows = cold_rows + $2::bigint, segments_rewritten = segments_rewritten + 1, updated_at = $3::timestamptz where seq = $1::bigint`, erasure, len(ids), s.clock.Now())
		return err
	})
	if errors.Is(err, errOther) {
		return false, nil
	}
	return err == nil, postgres.Explain(err, "rewrite archived log entries")
}

// AbandonSegment gives up a segment that is being written; what is stored of it
// will be removed.
func (s *Store) AbandonSegment(ctx context.Context, seg *logs.Segment) error {
	_, err := s.db.Exec(ctx, `update guarda.log_segments set state = 'gone', gone_at = $2::timestamptz where id = $1::text::uuid and state = 'writing'`, seg.ID.String(), s.clock.Now())
	return postgres.Explain(err, "give up archiving log entries")
}

// LiveSegments lists the live segments whose rows are all older than a moment.
func (s *Store) LiveSegments(ctx context.Context, before time.Time) ([]*logs.Segment, error) {
	rows, err := s.db.Query(ctx, `select `+segmentColumns+` from guarda.log_segments where state = 'live' and high < $1::timestamptz order by low, id`, before)
	if err != nil {
		return nil, postgres.Explain(err, "list archived log entries")
	}
	list, err := pgx.CollectRows(rows, scanSegment)
	return list, postgres.Explain(err, "list archived log entries")
}

// GoneSegments lists segments whose objects can be removed: those that were
// never shown, and those that nobody has been able to see since a moment. Those
// that have been written for longer than their function can live count too.
func (s *Store) GoneSegments(ctx context.Context, since time.Time) ([]*logs.Segment, error) {
	if _, err := s.db.Exec(ctx, `update guarda.log_segments set state = 'gone', gone_at = $2::timestamptz where state = 'writing' and written_at < $1::timestamptz`, since, s.clock.Now()); err != nil {
		return nil, postgres.Explain(err, "list archived log entries")
	}
	rows, err := s.db.Query(ctx, `select `+segmentColumns+` from guarda.log_segments where state = 'gone' and (live_at is null or gone_at < $1::timestamptz) order by gone_at limit 200`, since)
	if err != nil {
		return nil, postgres.Explain(err, "list archived log entries")
	}
	list, err := pgx.CollectRows(rows, scanSegment)
	return list, postgres.Explain(err, "list archived log entries")
}

// ForgetSegment forgets a segment whose objects are removed.
func (s *Store) ForgetSegment(ctx context.Context, seg *logs.Segment) error {
	_, err := s.db.Exec(ctx, `delete from guarda.log_segments where id = $1::text::uuid and state = 'gone'`, seg.ID.String())
	return postgres.Explain(err, "forget archived log entries")
}

// DropEmptyDays drops the partitions before a moment that are empty because
// their rows are in segments, none of which came since another moment: whoever
// saw the rows in the partition is done.
func (s *Store) DropEmptyDays(ctx context.Context, before, since time.Time) (dropped []string, err error) {
	rows, err := s.db.Query(ctx, `select d from guarda.log_days() d where d < ($1::timestamptz at time zone 'UTC')::date
		and exists (select from guarda.log_segments s where s.day = d) and not exists (select from guarda.log_segments s where s.day = d and (s.live_at >= $2::timestamptz or s.state = 'writing')) order by d`, before, since)
	if err != nil {
		return nil, postgres.Explain(err, "drop empty partitions")
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return nil, postgres.Explain(err, "drop empty partitions")
	}
	for _, d := range days {
		var done bool
		err := postgres.Tx(ctx, s.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `select pg_catalog.set_config('lock_timeout', '2s', true)`); err != nil {
				return err
			}
			return tx.QueryRow(ctx, `select guarda.drop_empty_log_partition($1::text::date)`, d.Format(time.DateOnly)).Scan(&done)
		})
		if err != nil {
			return dropped, postgres.Explain(err, "drop empty partitions")
		}
		if done {
			dropped = append(dropped, d.Format(time.DateOnly))
		}
	}
	return dropped, nil
}
