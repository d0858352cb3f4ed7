package logstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/shared/postgres"
)

// eraseAtOnce is how many hot entries are erased in one transaction.
const eraseAtOnce = 5000

// digestText is what is digested of a subject.
func digestText(s *logs.Subject) string {
	user := ""
	if s.User.Valid {
		user = s.User.UUID.String()
	}
	return "user=" + user + ";session=" + s.Session
}

// CreateErasure records the request to erase somebody's entries.
func (s *Store) CreateErasure(ctx context.Context, e *logs.Erasure) (*logs.Erasure, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	digest := sha256.Sum256(append(append([]byte{}, salt...), digestText(&e.Subject)...))
	var user *string
	if e.Subject.User.Valid {
		id := e.Subject.User.UUID.String()
		user = &id
	}
	rows, err := s.db.Query(ctx, `insert into guarda.log_erasures (user_id, session_id, salt, digest, reason, requested_by, requested_by_name, requested_at, updated_at)
		values ($1::text::uuid, nullif($2::text, ''), $3::bytea, $4::bytea, $5::text, nullif($6::text, '')::uuid, $7::text, $8::timestamptz, $8::timestamptz) returning `+erasureColumns,
		user, e.Subject.Session, salt, digest[:], e.Reason, e.ByID, e.By, s.clock.Now())
	return oneErasure(rows, err)
}

const erasureColumns = `id::text, seq, coalesce(user_id::text, ''), coalesce(session_id, ''), stage, state, reason, requested_by_name, coalesce(requested_by::text, ''), requested_at, updated_at, completed_at,
	hot_rows, cold_rows, spooled_rows, segments_total, segments_done, segments_rewritten, cold_done_at, last_error, last_failure::text`

func scanErasure(row pgx.CollectableRow) (e logs.Erasure, err error) {
	var user string
	var message, failure *string
	err = row.Scan(&e.ID, &e.Seq, &user, &e.Subject.Session, &e.Stage, &e.State, &e.Reason, &e.By, &e.ByID, &e.RequestedAt, &e.UpdatedAt, &e.CompletedAt,
		&e.HotRows, &e.ColdRows, &e.SpooledRows, &e.SegmentsTotal, &e.SegmentsDone, &e.SegmentsRewritten, &e.ColdDoneAt, &message, &failure)
	switch {
	case err != nil:
		return e, err
	case failure != nil:
		if err := json.Unmarshal([]byte(*failure), &e.LastError); err != nil {
			return e, fmt.Errorf("read the failure of erasure %s: %w", e.ID, err)
		}
	case message != nil: // from before failures were kept
		e.LastError = &fault.Failure{Code: fault.Internal, Message: fault.Term(*message)}
	}
	if user != "" {
		e.Subject.User = uuid.NullUUID{UUID: parseUUID(user), Valid: true}
	}
	e.RequestedAt, e.UpdatedAt = e.RequestedAt.UTC(), e.UpdatedAt.UTC()
	for _, t := range []*time.Time{e.CompletedAt, e.ColdDoneAt} {
		if t != nil {
			*t = t.UTC()
		}
	}
	return e, nil
}

func oneErasure(rows pgx.Rows, err error) (*logs.Erasure, error) {
	var e logs.Erasure
	if err == nil {
		e, err = pgx.CollectExactlyOneRow(rows, scanErasure)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "there is no such erasure")
	}
	if err != nil {
		return nil, postgres.Explain(err, "read an erasure of log entries")
	}
	return &e, nil
}

// Erasure returns one by its id, or fault.NotFound.
func (s *Store) Erasure(ctx context.Context, id string) (*logs.Erasure, error) {
	rows, err := s.db.Query(ctx, `select `+erasureColumns+` from guarda.log_erasures where id = $1::text::uuid`, id)
	return oneErasure(rows, err)
}

// Erasures lists those before a number (0: all), the newest first. With a
// subject only those that were asked for it, whether they are done or not.
func (s *Store) Erasures(ctx context.Context, subject *logs.Subject, before int64, limit int) ([]logs.Erasure, error) {
	text := ""
	if subject != nil {
		text = digestText(subject)
	}
	rows, err := s.db.Query(ctx, `select `+erasureColumns+` from guarda.log_erasures where ($1::bigint = 0 or seq < $1::bigint)
		and ($2::text = '' or digest = pg_catalog.sha256(salt || pg_catalog.convert_to($2::text, 'UTF8'))) order by seq desc limit $3::int`, before, text, limit)
	if err != nil {
		return nil, postgres.Explain(err, "list erasures of log entries")
	}
	list, err := pgx.CollectRows(rows, scanErasure)
	return list, postgres.Explain(err, "list erasures of log entries")
}

// OpenErasures returns those that are not done, the oldest first.
func (s *Store) OpenErasures(ctx context.Context) ([]logs.Erasure, error) {
	rows, err := s.db.Query(ctx, `select `+erasureColumns+` from guarda.log_erasures where state <> 'completed' order by seq limit 100`)
	if err != nil {
		return nil, postgres.Explain(err, "list erasures of log entries")
	}
	list, err := pgx.CollectRows(rows, scanErasure)
	return list, postgres.Explain(err, "list erasures of log entries")
}

// EraseSome deletes some of the subject's entries of advanced_logs, whose
// trigger keeps the counts, with their ids, and adds their number to the
// erasure, in one transaction.
func (s *Store) EraseSome(ctx context.Context, e *logs.Erasure) (n int64, err error) {
	w := &where{}
	if e.Subject.User.Valid {
		w.add("user_id = ?::text::uuid", e.Subject.User.UUID.String())
	}
	if e.Subject.Session != "" {
		w.add("session_id = ?::text", e.Subject.Session)
	}
	if len(w.conditions) == 0 {
		return 0, fault.New(fault.Internal, "an erasure names nobody")
	}
	w.args = append(w.args, eraseAtOnce)
	err = postgres.Tx(ctx, s.db, postgres.TxOptions{Attempts: 3}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select id::text, created_at from guarda.advanced_logs where `+w.String()+` limit $`+strconv.Itoa(len(w.args))+`::int for update`, w.args...)
		if err != nil {
			return err
		}
		var ids []string
		var times []time.Time
		var id string
		var at time.Time
		if _, err := pgx.ForEachRow(rows, []any{&id, &at}, func() error {
			ids, times = append(ids, id), append(times, at)
			return nil
		}); err != nil || len(ids) == 0 {
			n = 0
			return err
		}
		low, high := earliest(times...), latest(times...)
		tag, err := tx.Exec(ctx, `delete from guarda.advanced_logs l using unnest($1::text[], $2::timestamptz[]) as g (id, created_at)
			where l.created_at = g.created_at and l.id = g.id::uuid and l.created_at >= $3::timestamptz and l.created_at <= $4::timestamptz`, ids, times, low, high)
		if err != nil {
			return err
		}
		n = tag.RowsAffected()
		if _, err := tx.Exec(ctx, `delete from guarda.log_ids where id = any($1::text[]::uuid[])`, ids); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `update guarda.log_erasures set hot_rows = hot_rows + $2::bigint, updated_at = $3::timestamptz where seq = $1::bigint`, e.Seq, n, s.clock.Now())
		return err
	})
	return n, postgres.Explain(err, "erase log entries")
}

// Unerased lists the live segments that an erasure has not looked at, or, for
// the last look, those that came since it was asked for too.
func (s *Store) Unerased(ctx context.Context, e *logs.Erasure, last bool) ([]*logs.Segment, error) {
	rows, err := s.db.Query(ctx, `select `+segmentColumns+` from guarda.log_segments where state = 'live' and (erased_to < $1::bigint or $2::bool and live_at >= $3::timestamptz) order by low, id`, e.Seq, last, e.RequestedAt)
	if err != nil {
		return nil, postgres.Explain(err, "list archived log entries")
	}
	list, err := pgx.CollectRows(rows, scanSegment)
	return list, postgres.Explain(err, "list archived log entries")
}

// Erased records that a segment has none of the subject's entries.
func (s *Store) Erased(ctx context.Context, e *logs.Erasure, seg *logs.Segment) error {
	_, err := s.db.Exec(ctx, `update guarda.log_segments set erased_to = greatest(erased_to, $2::bigint) where id = $1::text::uuid`, seg.ID.String(), e.Seq)
	return postgres.Explain(err, "erase archived log entries")
}

// GoneSince reports whether segments that went until a moment, and so may have
// the subject's entries, still have objects.
func (s *Store) GoneSince(ctx context.Context, until time.Time) (there bool, err error) {
	err = s.db.QueryRow(ctx, `select exists (select from guarda.log_segments where state = 'gone' and gone_at <= $1::timestamptz)`, until).Scan(&there)
	return there, postgres.Explain(err, "erase archived log entries")
}

// SaveErasure records how far an erasure is. With the stage done the subject is
// forgotten.
func (s *Store) SaveErasure(ctx context.Context, e *logs.Erasure) error {
	var message, failure *string
	if e.LastError != nil {
		doc, err := json.Marshal(e.LastError)
		if err != nil {
			return fmt.Errorf("encode the failure: %w", err)
		}
		english, kept := e.LastError.Message.String(), string(doc)
		message, failure = &english, &kept
	}
	_, err := s.db.Exec(ctx, `update guarda.log_erasures set stage = $2::text, spooled_rows = $3::bigint, segments_total = $4::int, segments_done = $5::int, cold_done_at = $6::timestamptz, last_error = $7::text, last_failure = $9::text::jsonb, updated_at = $8::timestamptz,
		state = case when $2::text = 'done' then 'completed' else 'running' end, completed_at = case when $2::text = 'done' then $8::timestamptz end,
		user_id = case when $2::text = 'done' then null else user_id end, session_id = case when $2::text = 'done' then null else session_id end where seq = $1::bigint`,
		e.Seq, e.Stage, e.SpooledRows, e.SegmentsTotal, e.SegmentsDone, e.ColdDoneAt, message, s.clock.Now(), failure)
	return postgres.Explain(err, "record an erasure of log entries")
}
