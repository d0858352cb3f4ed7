package backupstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/postgres"
)

// Claim begins a turn with a run that is pending and allowed to begin, or that
// was cut off: its process has been silent, or has left it until a time that
// has come. It returns nil without an error when there is nothing to take up:
// the run goes, has ended, or has to wait.
//
// A cut-off run gets a new picture, and its progress begins anew, unless only
// its manifest was missing. That holds before there is a plan too: the process
// before may be frozen, and plan its own picture when it wakes.
func (s *Store) Claim(ctx context.Context, id string) (*execution.Turn, error) {
	now := s.clock.Now()
	return s.turn(s.db.QueryRow(ctx, `
		update guarda.backup_executions set status = 'running', leg = leg + 1, told = 0, resume_at = null, snapshot_name = null,
			started_at = case when status = 'pending' then $2::timestamptz else started_at end, heartbeat_at = $2::timestamptz,
			resume_count = resume_count + (status = 'running')::int,
			progress = case when status = 'pending' or coalesce((baton->>'copied')::boolean, false) then progress end,
			picture = picture + (status = 'running' and not coalesce((baton->>'copied')::boolean, false))::int
		where id = $1::text::uuid and (
			status = 'pending' and (select count(*) from guarda.backup_executions where status = 'running') < $4::int
			or status = 'running' and cancel_requested_at is null and resume_count < $5::int
				and (resume_at <= $2::timestamptz or resume_at is null and coalesce(heartbeat_at, started_at) < $3::timestamptz))
		returning leg, picture, resume_count, baton::text`,
		id, now, now.Add(-execution.Silence), execution.MaxRunning, execution.MaxResumes))
}

func (s *Store) turn(row pgx.Row) (*execution.Turn, error) {
	var t execution.Turn
	var baton *string
	err := row.Scan(&t.Leg, &t.Picture, &t.Resumes, &baton)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, postgres.Explain(err, "claim a run")
	}
	if baton != nil {
		t.Baton = json.RawMessage(*baton)
	}
	return &t, nil
}

// Before returns the turn that a successor is to take over from: the run's,
// if it is still the given leg's. Otherwise it is nil.
func (s *Store) Before(ctx context.Context, id string, leg int) (*execution.Turn, error) {
	return s.turn(s.db.QueryRow(ctx, `
		select leg, picture, resume_count, baton::text from guarda.backup_executions
		where id = $1::text::uuid and status = 'running' and cancel_requested_at is null and resume_at is null and leg = $2::int`, id, leg))
}

// Take passes a run on: the caller, who holds the picture through a snapshot
// of its own, becomes the next leg. It returns false, and changes nothing,
// when the run is not the given leg's any more or is to stop.
func (s *Store) Take(ctx context.Context, id string, leg int, snapshot string, baton any) (bool, error) {
	doc, err := document(baton)
	if err != nil {
		return false, err
	}
	tag, err := s.db.Exec(ctx, `
		update guarda.backup_executions set leg = leg + 1, relay_count = relay_count + 1, told = 0,
			snapshot_name = $3::text, baton = $4::text::jsonb, heartbeat_at = $5::timestamptz
		where id = $1::text::uuid and status = 'running' and cancel_requested_at is null and resume_at is null and leg = $2::int`,
		id, leg, snapshot, doc, s.clock.Now())
	return tag.RowsAffected() == 1, postgres.Explain(err, "take over a run")
}

// Save keeps what the next process needs. It returns false, and changes
// nothing, when another leg has the run.
func (s *Store) Save(ctx context.Context, id string, leg int, snapshot string, baton any) (bool, error) {
	doc, err := document(baton)
	if err != nil {
		return false, err
	}
	tag, err := s.db.Exec(ctx, `
		update guarda.backup_executions set snapshot_name = nullif($3::text, ''), baton = $4::text::jsonb, heartbeat_at = $5::timestamptz
		where id = $1::text::uuid and status = 'running' and leg = $2::int`, id, leg, snapshot, doc, s.clock.Now())
	return tag.RowsAffected() == 1, postgres.Explain(err, "keep where a run is")
}

// Interrupt leaves a run until a moment, when it is to be taken up again, and
// notes why. It returns false, and changes nothing, when another leg has the
// run, or it is to stop.
func (s *Store) Interrupt(ctx context.Context, id string, leg int, until time.Time, why fault.Failure) (bool, error) {
	done := false
	err := s.inTx(ctx, "leave a run", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			update guarda.backup_executions set resume_at = $3::timestamptz, snapshot_name = null
			where id = $1::text::uuid and status = 'running' and leg = $2::int and resume_at is null and cancel_requested_at is null`, id, leg, until)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		done = true
		return warn(ctx, tx, id, fault.Warn("interrupted", "", "the run was interrupted and taken up again: %s", why.Message))
	})
	return done && err == nil, err
}

// Beat records that a leg of a run is alive and, unless progress is nil, where
// it is. The progress of a leg that has lost the run is not recorded.
func (s *Store) Beat(ctx context.Context, id string, leg int, progress any) (execution.Sign, error) {
	var doc *string
	if progress != nil {
		text, err := document(progress)
		if err != nil {
			return execution.Going, err
		}
		doc = &text
	}
	var running, canceled bool
	var now int
	err := s.db.QueryRow(ctx, `
		with beat as (
			update guarda.backup_executions set heartbeat_at = $3::timestamptz, progress = coalesce($4::text::jsonb, progress)
			where id = $1::text::uuid and status = 'running' and leg = $2::int)
		select status = 'running', cancel_requested_at is not null, leg from guarda.backup_executions where id = $1::text::uuid`,
		id, leg, s.clock.Now(), doc).Scan(&running, &canceled, &now)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return execution.Stopped, nil
	case err != nil:
		return execution.Going, postgres.Explain(err, "record the progress of a run")
	case now != leg:
		return execution.Passed, nil
	case !running || canceled:
		return execution.Stopped, nil
	}
	return execution.Going, nil
}

// Standing says how a run stands. A run that is not there does not go.
func (s *Store) Standing(ctx context.Context, id string) (x execution.Standing, err error) {
	err = s.db.QueryRow(ctx, `
		select status = 'running' and cancel_requested_at is null, leg, picture, coalesce(snapshot_name, '')
		from guarda.backup_executions where id = $1::text::uuid`, id).Scan(&x.Going, &x.Leg, &x.Picture, &x.Snapshot)
	if errors.Is(err, pgx.ErrNoRows) {
		return execution.Standing{}, nil
	}
	return x, postgres.Explain(err, "look at a run")
}
