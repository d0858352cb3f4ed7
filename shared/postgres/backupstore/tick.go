package backupstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/schedule"
)

// Due returns the active schedules whose next run is not after a moment, or
// is not known yet.
func (s *Store) Due(ctx context.Context, at time.Time) ([]*schedule.Schedule, error) {
	rows, err := s.db.Query(ctx, selectSchedules+`
		where s.active and (s.next_run_at is null or s.next_run_at <= $1::timestamptz) order by s.next_run_at nulls first, s.id`, at)
	if err != nil {
		return nil, postgres.Explain(err, "find the schedules that are due")
	}
	list, err := pgx.CollectRows(rows, scanSchedule)
	return list, postgres.Explain(err, "find the schedules that are due")
}

// Fire moves a schedule on to its next run and, unless n is nil, begins the
// run that is due, both or nothing. It returns "" when another tick was first:
// then the schedule's next run is not the one that was read. With a run of the
// schedule under way it does what the policy says: skip moves on and notes the
// skipped run on the one under way, queue leaves the run due.
func (s *Store) Fire(ctx context.Context, due *schedule.Schedule, next time.Time, n *execution.New, at time.Time) (execution.Fired, error) {
	var fired execution.Fired
	var nextOrNull *time.Time
	if !next.IsZero() {
		nextOrNull = &next
	}
	err := s.inTx(ctx, "start a run that is due", func(tx pgx.Tx) error {
		fired = execution.Fired{}
		var underway *string
		// The row's lock makes ticks take turns, so what is read next holds.
		err := tx.QueryRow(ctx, `
			select (select e.id::text from guarda.backup_executions e where e.schedule_id = s.id and e.status in ('pending', 'running') order by e.started_at limit 1)
			from guarda.backup_schedules s
			where s.id = $1::text::uuid and s.active and s.version = $2::bigint and s.next_run_at is not distinct from $3::timestamptz
			for update of s`, due.ID, due.Version, due.NextRun).Scan(&underway)
		if errors.Is(err, pgx.ErrNoRows) {
			fired.Lost = true
			return nil
		}
		if err != nil {
			return err
		}
		if n != nil && underway != nil {
			fired.Overlaps = *underway
			if due.Configuration.Overlap == schedule.Queue {
				_, err := tx.Exec(ctx, `update guarda.backup_schedules set last_tick_at = $2::timestamptz where id = $1::text::uuid`, due.ID, at)
				return err
			}
			if err := noteSkipped(ctx, tx, *underway, *n.ScheduledFor); err != nil {
				return err
			}
			n = nil
		}
		if _, err := tx.Exec(ctx, `
			update guarda.backup_schedules set next_run_at = $2::timestamptz, last_tick_at = $3::timestamptz where id = $1::text::uuid`, due.ID, nextOrNull, at); err != nil || n == nil {
			return err
		}
		metadata, err := document(execution.Metadata{Options: n.Options})
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, insertExecution+` on conflict (schedule_id, scheduled_for) do nothing returning id::text`, insertArgs(*n, metadata, s.clock.Now())...).Scan(&fired.ExecutionID)
		if errors.Is(err, pgx.ErrNoRows) { // it ran already, before the schedule was changed
			return nil
		}
		return err
	})
	return fired, err
}

// noteSkipped adds a warning to the run that made another one be skipped.
func noteSkipped(ctx context.Context, tx pgx.Tx, id string, due time.Time) error {
	return warn(ctx, tx, id, fault.Warn("run_skipped", "", "the run due at %s was skipped, because this one was still going", due.UTC().Format(time.RFC3339)))
}

// warn adds a warning to a run that has not ended.
func warn(ctx context.Context, tx pgx.Tx, id string, w fault.Warning) error {
	warning, err := document([]fault.Warning{w})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		update guarda.backup_executions
		set metadata = jsonb_set(coalesce(metadata, '{}'), '{warnings}', coalesce(nullif(metadata->'warnings', 'null'), '[]'::jsonb) || $2::text::jsonb)
		where id = $1::text::uuid`, id, warning)
	return err
}

// Waiting returns the pending runs that nobody was told about since a moment,
// oldest first, and notes that somebody is told now.
func (s *Store) Waiting(ctx context.Context, since time.Time, limit int) ([]string, error) {
	rows, err := s.db.Query(ctx, `
		update guarda.backup_executions set heartbeat_at = $2::timestamptz
		where id in (
			select id from guarda.backup_executions where status = 'pending' and coalesce(heartbeat_at, started_at) < $1::timestamptz
			order by started_at limit $3::int for update skip locked)
		returning id::text`, since, s.clock.Now(), limit)
	if err != nil {
		return nil, postgres.Explain(err, "find the runs that wait")
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return ids, postgres.Explain(err, "find the runs that wait")
}

// Stale is a run that was cut off, or that never began.
type Stale = execution.Stale

// roomFor is how long a pending run that had to wait for others may take to
// begin once there is room.
const roomFor = 10 * time.Minute

// Stale returns running runs that were cut off by the given moment, or whose
// time to go on has come, and pending ones that were asked for before pending,
// unless they wait for room: as many go as may, or did a moment ago.
func (s *Store) Stale(ctx context.Context, at, pending time.Time, limit int) ([]Stale, error) {
	rows, err := s.db.Query(ctx, `
		select id::text, status, leg, resume_count, told,
			case when status = 'running' then coalesce(heartbeat_at, started_at) else started_at end, cancel_requested_at is not null
		from guarda.backup_executions
		where status = 'running' and (resume_at <= $1::timestamptz or resume_at is null and coalesce(heartbeat_at, started_at) < $2::timestamptz
				or cancel_requested_at is not null and coalesce(heartbeat_at, started_at) < $2::timestamptz)
			or status = 'pending' and started_at < $3::timestamptz
				and (select count(*) from guarda.backup_executions o
					where o.status = 'running' or o.leg > 0 and o.completed_at > $6::timestamptz) < $5::int
		order by started_at limit $4::int`, at, at.Add(-execution.Silence), pending, limit, execution.MaxRunning, at.Add(-roomFor))
	if err != nil {
		return nil, postgres.Explain(err, "find the runs that were cut off")
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (x Stale, err error) {
		err = row.Scan(&x.ID, &x.Status, &x.Leg, &x.Resumes, &x.Told, &x.LastSign, &x.CancelAsked)
		return x, err
	})
	return list, postgres.Explain(err, "find the runs that were cut off")
}

// Told counts that the coordinator is told to take a run up. It returns false
// when somebody has taken it up meanwhile, or told the coordinator.
func (s *Store) Told(ctx context.Context, x Stale) (bool, error) {
	tag, err := s.db.Exec(ctx, `
		update guarda.backup_executions set told = told + 1
		where id = $1::text::uuid and status = 'running' and leg = $2::int and told = $3::int`, x.ID, x.Leg, x.Told)
	return tag.RowsAffected() == 1, postgres.Explain(err, "tell the coordinator of a run")
}

// FailStale ends a run as failed if it still has given no sign of life since
// the given one.
func (s *Store) FailStale(ctx context.Context, x Stale, failure fault.Failure) (bool, error) {
	done := false
	err := s.inTx(ctx, "fail a run that died", func(tx pgx.Tx) error {
		var same bool
		err := tx.QueryRow(ctx, `
			select status = $2::text and (status = 'pending' or coalesce(heartbeat_at, started_at) = $3::timestamptz)
			from guarda.backup_executions where id = $1::text::uuid for update`, x.ID, string(x.Status), x.LastSign).Scan(&same)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && !same {
			return nil
		}
		if err != nil {
			return err
		}
		done, err = s.fail(ctx, tx, x.ID, x.Leg, failure, x.CancelAsked, "")
		return err
	})
	return done && err == nil, err
}
