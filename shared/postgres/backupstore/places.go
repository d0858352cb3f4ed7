package backupstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/postgres"
)

// maxCalls is how often a process is called for a place without one coming;
// the run then does without.
const maxCalls = 5

// CallFor says whether a process should be called for a place of a run's
// workers, and notes that it is: nobody has the place, and a call before this
// one had a lease's time to be followed. The last call is a warning on the run.
func (s *Store) CallFor(ctx context.Context, id, place string, lease time.Duration) (bool, error) {
	now := s.clock.Now()
	calls := 0
	err := s.inTx(ctx, "look for a worker's place", func(tx pgx.Tx) error {
		calls = 0
		err := tx.QueryRow(ctx, `
			insert into guarda.backup_workers as w (execution_id, place, called_at, calls) values ($1::text::uuid, $2::text, $3::timestamptz, 1)
			on conflict (execution_id, place) do update set called_at = $3::timestamptz, calls = w.calls + 1
			where (w.token is null or w.lease_until < $3::timestamptz) and (w.called_at is null or w.called_at < $4::timestamptz) and w.calls < $5::int
			returning calls`, id, place, now, now.Add(-lease), maxCalls).Scan(&calls)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil || calls < maxCalls {
			return err
		}
		return warn(ctx, tx, id, fault.Warn("worker_missing", place,
			"the function backup-worker was called %d times for %s, and none came or stayed; unless this call is followed, the run goes on with fewer connections", calls, place))
	})
	return calls > 0 && err == nil, err
}

// Enter takes a place for a process with a token of its own. It returns false
// when another process has it.
func (s *Store) Enter(ctx context.Context, id, place, token string, lease time.Duration) (bool, error) {
	now := s.clock.Now()
	tag, err := s.db.Exec(ctx, `
		insert into guarda.backup_workers as w (execution_id, place, token, lease_until, starts) values ($1::text::uuid, $2::text, $3::text, $4::timestamptz, 1)
		on conflict (execution_id, place) do update set token = $3::text, lease_until = $4::timestamptz, starts = w.starts + 1, calls = 0
		where w.token is null or w.lease_until < $5::timestamptz`, id, place, token, now.Add(lease), now)
	return tag.RowsAffected() == 1, postgres.Explain(err, "take a worker's place")
}

// Stay keeps a place. It returns false when another process has it.
func (s *Store) Stay(ctx context.Context, id, place, token string, lease time.Duration) (bool, error) {
	tag, err := s.db.Exec(ctx, `
		update guarda.backup_workers set lease_until = $4::timestamptz
		where execution_id = $1::text::uuid and place = $2::text and token = $3::text`, id, place, token, s.clock.Now().Add(lease))
	return tag.RowsAffected() == 1, postgres.Explain(err, "keep a worker's place")
}

// Leave gives a place back and counts what its process did.
func (s *Store) Leave(ctx context.Context, id, place, token string, did execution.Place) error {
	_, err := s.db.Exec(ctx, `
		update guarda.backup_workers set chunks = chunks + $4::int, row_count = row_count + $5::bigint, raw_bytes = raw_bytes + $6::bigint,
			called_at = case when token = $3::text then null else called_at end,
			lease_until = case when token = $3::text then null else lease_until end,
			token = nullif(token, $3::text)
		where execution_id = $1::text::uuid and place = $2::text`, id, place, token, did.Chunks, did.Rows, did.RawBytes)
	return postgres.Explain(err, "leave a worker's place")
}

func (s *Store) places(ctx context.Context, id string) ([]execution.Place, error) {
	rows, err := s.db.Query(ctx, `
		select place, token is not null and lease_until >= $2::timestamptz, starts, chunks, row_count, raw_bytes
		from guarda.backup_workers where execution_id = $1::text::uuid order by length(place), place`, id, s.clock.Now())
	if err != nil {
		return nil, postgres.Explain(err, "read the workers of a run")
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p execution.Place, err error) {
		err = row.Scan(&p.Name, &p.Active, &p.Starts, &p.Chunks, &p.Rows, &p.RawBytes)
		return p, err
	})
	return list, postgres.Explain(err, "read the workers of a run")
}
