package backupstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/postgres"
)

// columns of an execution, in the order of scan. The tables of a finished run
// may be thousands, so lists leave them out.
const (
	columns = `e.id::text, e.schedule_id::text, s.name, e.source_id::text, coalesce(e.source_name, ''), e.status,
		coalesce(e.backup_type, e.requested_type, 'full'), coalesce(e.requested_type, e.backup_type, 'full'), coalesce(e.trigger, 'manual'),
		e.started_at, e.completed_at, e.heartbeat_at, e.size_bytes, e.raw_bytes, e.row_count, e.progress::text,
		e.cancel_requested_at is not null, e.canceled, e.store_path, e.error_message, e.relay_count, e.resume_count, `
	withoutTables = `(coalesce(e.metadata, '{}') - 'table_details')::text`
	withTables    = `coalesce(e.metadata, '{}')::text`
	from          = ` from guarda.backup_executions e left join guarda.backup_schedules s on s.id = e.schedule_id`
)

func scan(row pgx.CollectableRow) (*execution.Execution, error) {
	var e execution.Execution
	var progress, message *string
	var metadata string
	err := row.Scan(&e.ID, &e.ScheduleID, &e.ScheduleName, &e.SourceID, &e.SourceName, &e.Status, &e.Type, &e.RequestedType, &e.Trigger,
		&e.StartedAt, &e.CompletedAt, &e.HeartbeatAt, &e.SizeBytes, &e.RawBytes, &e.Rows, &progress, &e.CancelAsked, &e.Canceled, &e.StorePath, &message, &e.Relays, &e.Resumes, &metadata)
	if err != nil {
		return nil, err
	}
	if progress != nil {
		e.Progress = json.RawMessage(*progress)
	}
	if err := json.Unmarshal([]byte(metadata), &e.Metadata); err != nil {
		return nil, fmt.Errorf("metadata of the run %s: %w", e.ID, err)
	}
	// A row that somebody else wrote by the specification has a message only.
	if e.Status == execution.Failed && e.Metadata.Error == nil && message != nil {
		e.Metadata.Error = &fault.Failure{Code: fault.Internal, Message: fault.Term(*message)}
	}
	return &e, nil
}

// requestsKept is for how long a request's run is found again, as long as
// answers to requests are kept.
const requestsKept = 24 * time.Hour

// Create begins a run as pending and returns its id. For a request that began
// a run already, whose process died before it answered, it returns that one.
func (s *Store) Create(ctx context.Context, n execution.New) (string, error) {
	metadata, err := document(execution.Metadata{Options: n.Options})
	if err != nil {
		return "", err
	}
	now := s.clock.Now()
	var id string
	if n.RequestKey != "" {
		err = s.db.QueryRow(ctx, `
			select id::text from guarda.backup_executions
			where request_key = $1::text and status <> 'failed' and started_at > $2::timestamptz`, n.RequestKey, now.Add(-requestsKept)).Scan(&id)
		if !errors.Is(err, pgx.ErrNoRows) {
			return id, postgres.Explain(err, "look for the request's run")
		}
	}
	err = s.db.QueryRow(ctx, insertExecution+` returning id::text`, insertArgs(n, metadata, now)...).Scan(&id)
	return id, postgres.Explain(err, "create a run")
}

const insertExecution = `
	insert into guarda.backup_executions
		(schedule_id, scheduled_for, source_id, source_name, requested_type, trigger, status, started_at, metadata, request_key)
	values (nullif($1::text, '')::uuid, $2::timestamptz, $3::text::uuid, $4::text, $5::text, $6::text, 'pending', $7::timestamptz, $8::text::jsonb, nullif($9::text, ''))`

func insertArgs(n execution.New, metadata string, now time.Time) []any {
	return []any{n.ScheduleID, n.ScheduledFor, n.SourceID, n.SourceName, n.RequestedType, string(n.Trigger), now, metadata, n.RequestKey}
}

// Get returns a run, with its tables and workers.
func (s *Store) Get(ctx context.Context, id string) (*execution.Execution, error) {
	e, err := s.one(ctx, id, withTables)
	if err == nil {
		e.Workers, err = s.places(ctx, e.ID)
	}
	return e, err
}

// Peek returns a run without its tables.
func (s *Store) Peek(ctx context.Context, id string) (*execution.Execution, error) {
	return s.one(ctx, id, withoutTables)
}

func (s *Store) one(ctx context.Context, id, metadata string) (*execution.Execution, error) {
	rows, err := s.db.Query(ctx, `select `+columns+metadata+from+` where e.id::text = lower($1::text)`, id)
	if err != nil {
		return nil, postgres.Explain(err, "read a run")
	}
	e, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, execution.NotFound(id)
	}
	return e, postgres.Explain(err, "read a run")
}

// Complete ends a running run as completed, with the files of its backup. A
// run that is not running any more, or that another leg has, is left as it is,
// and false returned.
func (s *Store) Complete(ctx context.Context, e *execution.Execution, leg int, files []execution.File) (bool, error) {
	metadata, err := document(e.Metadata)
	if err != nil {
		return false, err
	}
	done := false
	err = s.inTx(ctx, "complete a run", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			update guarda.backup_executions set status = 'completed', completed_at = $2::timestamptz,
				duration_seconds = greatest(0, extract(epoch from $2::timestamptz - started_at))::integer,
				heartbeat_at = $2::timestamptz, backup_type = $3::text, size_bytes = $4::bigint, raw_bytes = $5::bigint, row_count = $6::bigint,
				store_path = $7::text, progress = coalesce($8::text::jsonb, progress), error_message = null,
				metadata = coalesce(metadata, '{}') || $9::text::jsonb || jsonb_build_object('warnings',
					coalesce(nullif($9::text::jsonb->'warnings', 'null'), '[]') || coalesce(nullif(metadata->'warnings', 'null'), '[]'))
			where id = $1::text::uuid and status = 'running' and leg = $10::int`,
			e.ID, s.clock.Now(), e.Type, e.SizeBytes, e.RawBytes, e.Rows, e.StorePath, textOf(e.Progress), metadata, leg)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		done = true
		if err := insertFiles(ctx, tx, e.ID, files); err != nil {
			return err
		}
		if err := insertLedger(ctx, tx, e); err != nil {
			return err
		}
		return forgetChunks(ctx, tx, e.ID)
	})
	return done && err == nil, err
}

func textOf(raw json.RawMessage) *string {
	if raw == nil {
		return nil
	}
	text := string(raw)
	return &text
}

// Fail ends a run that has not ended as failed. It returns false, and changes
// nothing, when the run has ended already.
func (s *Store) Fail(ctx context.Context, id string, failure fault.Failure, canceled bool) (bool, error) {
	return s.failLeg(ctx, id, anyLeg, failure, canceled)
}

// FailLeg is Fail for the process that has the run; false also when another
// one has it by now.
func (s *Store) FailLeg(ctx context.Context, id string, leg int, failure fault.Failure, canceled bool) (bool, error) {
	return s.failLeg(ctx, id, leg, failure, canceled)
}

const anyLeg = -1

func (s *Store) failLeg(ctx context.Context, id string, leg int, failure fault.Failure, canceled bool) (bool, error) {
	done := false
	err := s.inTx(ctx, "fail a run", func(tx pgx.Tx) (err error) {
		done, err = s.fail(ctx, tx, id, leg, failure, canceled, "")
		return err
	})
	return done && err == nil, err
}

func (s *Store) fail(ctx context.Context, tx pgx.Tx, id string, leg int, failure fault.Failure, canceled bool, only execution.Status) (bool, error) {
	doc, err := document(map[string]any{"error": failure})
	if err != nil {
		return false, err
	}
	tag, err := tx.Exec(ctx, `
		update guarda.backup_executions set status = 'failed', completed_at = $2::timestamptz, canceled = $3::boolean, error_message = $4::text,
			duration_seconds = case when status = 'running' then greatest(0, extract(epoch from $2::timestamptz - started_at))::integer else 0 end,
			metadata = coalesce(metadata, '{}') || jsonb_build_object('phases', coalesce(progress->'phases', '[]'::jsonb)) || $5::text::jsonb
		where id = $1::text::uuid and status in ('pending', 'running') and ($6::text = '' or status = $6::text) and ($7::int < 0 or leg = $7::int)`,
		id, s.clock.Now(), canceled, failure.Message.String(), doc, string(only), leg)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	return true, forgetChunks(ctx, tx, id)
}

// Cancel tells a run to stop. A pending run ends at once; a running one when
// it next reports. A run that has ended is fault.Conflict.
func (s *Store) Cancel(ctx context.Context, id string) (*execution.Execution, error) {
	if _, err := s.Peek(ctx, id); err != nil {
		return nil, err
	}
	told := false
	err := s.inTx(ctx, "cancel a run", func(tx pgx.Tx) error {
		stopped := execution.FailureOf(fault.New(fault.Canceled, "the run was canceled before it began"))
		done, err := s.fail(ctx, tx, id, anyLeg, stopped, true, execution.Pending)
		if err != nil || done {
			told = done
			return err
		}
		tag, err := tx.Exec(ctx, `
			update guarda.backup_executions set cancel_requested_at = coalesce(cancel_requested_at, $2::timestamptz)
			where id = $1::text::uuid and status = 'running'`, id, s.clock.Now())
		told = tag.RowsAffected() == 1
		return err
	})
	if err != nil {
		return nil, err
	}
	e, err := s.Peek(ctx, id)
	if err == nil && !told {
		return nil, fault.New(fault.Conflict, "the run has ended already; it is %s", string(e.Status)).
			Hint("only a pending or running backup can be canceled")
	}
	return e, err
}

// forgetChunks removes the plan of a run that has ended: the manifest has what
// matters of it, and a failed run needs no plan.
func forgetChunks(ctx context.Context, tx pgx.Tx, id string) error {
	_, err := tx.Exec(ctx, `delete from guarda.backup_chunks where execution_id = $1::text::uuid`, id)
	return err
}
