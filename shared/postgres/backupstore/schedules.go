package backupstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/schedule"
)

const selectSchedules = `
	select s.id::text, s.name, s.cron_expression, s.backup_type, s.source_id::text, coalesce(o.name, d.name), coalesce(s.configuration, '{}')::text,
		coalesce(s.active, false), s.next_run_at, s.last_tick_at, s.version, s.created_at, s.updated_at
	from guarda.backup_schedules s
	left join guarda.sources o on o.id = s.source_id
	left join guarda.sources d on d.is_default and s.source_id is null`

func scanSchedule(row pgx.CollectableRow) (*schedule.Schedule, error) {
	var s schedule.Schedule
	var configuration string
	err := row.Scan(&s.ID, &s.Name, &s.Cron, &s.BackupType, &s.SourceID, &s.SourceName, &configuration, &s.Active, &s.NextRun, &s.LastTick, &s.Version, &s.CreatedAt, &s.UpdatedAt)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(configuration), &s.Configuration); err != nil {
		return nil, fmt.Errorf("configuration of the schedule %s: %w", s.ID, err)
	}
	return &s, nil
}

// SchedulePosition is where a page of schedules begins: after this one.
type SchedulePosition struct {
	Name string `json:"n"`
	ID   string `json:"i"`
}

// ScheduleFilter narrows a list of schedules. Zero members do not narrow.
type ScheduleFilter struct {
	Active   *bool
	SourceID string
}

// Schedules returns up to limit schedules after a position, by name.
func (s *Store) Schedules(ctx context.Context, f ScheduleFilter, after SchedulePosition, limit int) ([]*schedule.Schedule, error) {
	rows, err := s.db.Query(ctx, selectSchedules+`
		where ($1::boolean is null or s.active = $1::boolean)
			and ($2::text = '' or coalesce(s.source_id, d.id)::text = lower($2::text))
			and ($4::text = '' or (s.name collate "C", s.id::text) > ($3::text, $4::text))
		order by s.name collate "C", s.id::text limit $5::int`, f.Active, f.SourceID, after.Name, after.ID, limit)
	if err != nil {
		return nil, postgres.Explain(err, "list schedules")
	}
	list, err := pgx.CollectRows(rows, scanSchedule)
	return list, postgres.Explain(err, "list schedules")
}

// Schedule returns a schedule.
func (s *Store) Schedule(ctx context.Context, id string) (*schedule.Schedule, error) {
	rows, err := s.db.Query(ctx, selectSchedules+` where s.id::text = lower($1::text)`, id)
	if err != nil {
		return nil, postgres.Explain(err, "read a schedule")
	}
	found, err := pgx.CollectExactlyOneRow(rows, scanSchedule)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, noSchedule(id)
	}
	return found, postgres.Explain(err, "read a schedule")
}

func noSchedule(id string) error {
	return fault.New(fault.NotFound, "there is no schedule %s", id).Hint("GET /api/backup/schedules lists the schedules")
}

// CreateSchedule keeps a new schedule and returns its id.
func (s *Store) CreateSchedule(ctx context.Context, n *schedule.Schedule) (string, error) {
	configuration, err := document(n.Configuration)
	if err != nil {
		return "", err
	}
	var id string
	err = s.db.QueryRow(ctx, `
		insert into guarda.backup_schedules (name, cron_expression, backup_type, source_id, configuration, active, next_run_at, created_at, updated_at)
		values ($1::text, $2::text, $3::text, $4::text::uuid, $5::text::jsonb, $6::boolean, $7::timestamptz, $8::timestamptz, $8::timestamptz)
		returning id::text`, n.Name, n.Cron, n.BackupType, n.SourceID, configuration, n.Active, n.NextRun, s.clock.Now()).Scan(&id)
	if postgres.IsForeignKey(err) {
		return "", noSuchSource(*n.SourceID)
	}
	return id, postgres.Explain(err, "create a schedule")
}

func noSuchSource(id string) error {
	return fault.New(fault.Invalid, "there is no source %s", id).
		Hint("GET /api/sources lists the sources; leave source_id out for the default one").
		Field("source_id", "unknown", "there is no such source")
}

// UpdateSchedule replaces a schedule whose version is still n.Version;
// otherwise it is fault.Precondition.
func (s *Store) UpdateSchedule(ctx context.Context, n *schedule.Schedule) error {
	configuration, err := document(n.Configuration)
	if err != nil {
		return err
	}
	tag, err := s.db.Exec(ctx, `
		update guarda.backup_schedules set name = $3::text, cron_expression = $4::text, backup_type = $5::text, source_id = $6::text::uuid,
			configuration = $7::text::jsonb, active = $8::boolean, next_run_at = $9::timestamptz, updated_at = $10::timestamptz, version = version + 1
		where id = $1::text::uuid and version = $2::bigint`,
		n.ID, n.Version, n.Name, n.Cron, n.BackupType, n.SourceID, configuration, n.Active, n.NextRun, s.clock.Now())
	if postgres.IsForeignKey(err) {
		return noSuchSource(*n.SourceID)
	}
	if err != nil || tag.RowsAffected() == 1 {
		return postgres.Explain(err, "change a schedule")
	}
	if _, err := s.Schedule(ctx, n.ID); err != nil {
		return err
	}
	return fault.New(fault.Precondition, "the schedule was changed by somebody else since you read it").
		Hint("read it again, look at what changed, and send your change with the new ETag")
}

// DeleteSchedule removes a schedule. Its runs stay.
func (s *Store) DeleteSchedule(ctx context.Context, id string) error {
	tag, err := s.db.Exec(ctx, `delete from guarda.backup_schedules where id::text = lower($1::text)`, id)
	if err == nil && tag.RowsAffected() == 0 {
		return noSchedule(id)
	}
	return postgres.Explain(err, "delete a schedule")
}

// NextRuns returns the earliest next run of each source's active schedules.
func (s *Store) NextRuns(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.db.Query(ctx, `
		select coalesce(s.source_id, d.id)::text, min(s.next_run_at)
		from guarda.backup_schedules s left join guarda.sources d on d.is_default and s.source_id is null
		where s.active and s.next_run_at is not null and coalesce(s.source_id, d.id) is not null group by 1`)
	if err != nil {
		return nil, postgres.Explain(err, "find the next runs")
	}
	next := map[string]time.Time{}
	var id string
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &at}, func() error {
		next[id] = at.UTC()
		return nil
	})
	return next, postgres.Explain(err, "find the next runs")
}
