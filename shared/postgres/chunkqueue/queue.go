// Package chunkqueue keeps the chunks of runs in Guarda's own Postgres, where
// the processes that work on a run share them. It is apart from backupstore so
// that functions which only ask about runs do not link the engine.
package chunkqueue

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/postgres"
)

const (
	lease            = 2 * time.Minute // workers renew theirs every 30 s
	maxAttempts      = 3
	chunksPerInsert  = 5000
	maxReleasedError = 2000 // characters
)

// Queue is the chunks of one run, shared by the processes that work on it.
type Queue struct {
	db    postgres.DB
	clock clock.Clock
	run   string
}

var _ backup.Queue = (*Queue)(nil)

// New returns the queue of a run.
func New(db postgres.DB, c clock.Clock, executionID string) *Queue {
	return &Queue{db: db, clock: c, run: executionID}
}

// Add puts chunks into the queue.
func (q *Queue) Add(ctx context.Context, chunks []backup.Chunk) error {
	err := postgres.Tx(ctx, q.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
		for batch := range slices.Chunk(chunks, chunksPerInsert) {
			if err := q.add(ctx, tx, batch); err != nil {
				return err
			}
		}
		return nil
	})
	return postgres.Explain(err, "plan the chunks of a run")
}

func (q *Queue) add(ctx context.Context, tx pgx.Tx, chunks []backup.Chunk) error {
	var nos []int32
	var oids, froms, tos, estimates []int64
	var schemas, tables []string
	for _, c := range chunks {
		nos, oids = append(nos, int32(c.No)), append(oids, int64(c.TableOID))
		schemas, tables = append(schemas, c.Schema), append(tables, c.Table)
		froms, tos, estimates = append(froms, c.FromBlock), append(tos, c.ToBlock), append(estimates, c.Estimate)
	}
	_, err := tx.Exec(ctx, `
		insert into guarda.backup_chunks (execution_id, chunk_no, table_oid, table_schema, table_name, range_from, range_to, estimate)
		select $1::text::uuid, * from unnest($2::int[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[])`,
		q.run, nos, oids, schemas, tables, froms, tos, estimates)
	return err
}

// Claim takes the next chunk that nobody has, or whose worker's lease ran out.
func (q *Queue) Claim(ctx context.Context, worker string) (*backup.Chunk, error) {
	now := q.clock.Now()
	var c backup.Chunk
	var oid int64
	err := q.db.QueryRow(ctx, `
		update guarda.backup_chunks k set status = 'claimed', worker = $2::text, lease_until = $3::timestamptz, attempts = k.attempts + 1
		where (k.execution_id, k.chunk_no) = (
			select execution_id, chunk_no from guarda.backup_chunks
			where execution_id = $1::text::uuid and (status = 'pending' or status = 'claimed' and lease_until < $4::timestamptz)
			order by chunk_no limit 1 for update skip locked)
		returning chunk_no, table_oid, table_schema, table_name, range_from, range_to, estimate, attempts`,
		q.run, worker, now.Add(lease), now).
		Scan(&c.No, &oid, &c.Schema, &c.Table, &c.FromBlock, &c.ToBlock, &c.Estimate, &c.Attempt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, postgres.Explain(err, "claim a chunk")
	}
	c.TableOID = uint32(oid)
	return &c, nil
}

// Renew prolongs the lease of a claimed chunk.
func (q *Queue) Renew(ctx context.Context, no int, worker string) error {
	tag, err := q.db.Exec(ctx, `
		update guarda.backup_chunks set lease_until = $4::timestamptz
		where execution_id = $1::text::uuid and chunk_no = $2::int and worker = $3::text and status = 'claimed'`,
		q.run, no, worker, q.clock.Now().Add(lease))
	if err == nil && tag.RowsAffected() == 0 {
		return lost(no)
	}
	return postgres.Explain(err, "renew a chunk's lease")
}

func lost(no int) error {
	return fault.New(fault.Conflict, "chunk %d is not being copied by this worker", no)
}

// Done records a result. Recording the same result twice changes nothing.
func (q *Queue) Done(ctx context.Context, r backup.ChunkResult) error {
	tag, err := q.db.Exec(ctx, `
		update guarda.backup_chunks set status = 'done', lease_until = null, error = null, object_key = $4::text, rows = $5::bigint,
			raw_bytes = $6::bigint, stored_bytes = $7::bigint, sha256 = $8::text, content_hash = $9::text, encoding = $10::text, fingerprint = nullif($11::text, '')
		where execution_id = $1::text::uuid and chunk_no = $2::int and worker = $3::text
			and (status = 'claimed' or status = 'done' and object_key = $4::text)`,
		q.run, r.No, r.Worker, r.ObjectKey, r.Rows, r.RawBytes, r.StoredBytes, r.SHA256, r.ContentHash, r.Encoding, r.Fingerprint)
	if err == nil && tag.RowsAffected() == 0 {
		return lost(r.No)
	}
	return postgres.Explain(err, "record a chunk")
}

// Release gives a chunk back after a failure, or counts it as failed.
func (q *Queue) Release(ctx context.Context, no int, worker string, cause error) error {
	message := cause.Error()
	if len(message) > maxReleasedError {
		message = message[:maxReleasedError]
	}
	tag, err := q.db.Exec(ctx, `
		update guarda.backup_chunks set lease_until = null, error = $3::text,
			status = case when $4::boolean and attempts < $5::int then 'pending' else 'failed' end
		where execution_id = $1::text::uuid and chunk_no = $2::int and worker = $6::text and status = 'claimed'`,
		q.run, no, message, fault.CodeOf(cause) == fault.Unavailable, maxAttempts, worker)
	if err == nil && tag.RowsAffected() == 0 {
		return lost(no)
	}
	return postgres.Explain(err, "give a chunk back")
}

// Counts says how far the queue is.
func (q *Queue) Counts(ctx context.Context) (backup.Counts, error) {
	var c backup.Counts
	err := q.db.QueryRow(ctx, `
		with tables as (
			select count(*) filter (where status = 'pending') as pending, count(*) filter (where status = 'claimed') as claimed,
				count(*) filter (where status = 'done') as done, count(*) filter (where status = 'failed') as failed, count(*) as chunks,
				sum(rows) filter (where status = 'done') as rows, sum(raw_bytes) filter (where status = 'done') as raw_bytes,
				sum(stored_bytes) filter (where status = 'done') as stored_bytes
			from guarda.backup_chunks where execution_id = $1::text::uuid group by table_oid
		)
		select coalesce(sum(pending), 0)::int, coalesce(sum(claimed), 0)::int, coalesce(sum(done), 0)::int, coalesce(sum(failed), 0)::int,
			coalesce(sum(rows), 0)::bigint, coalesce(sum(raw_bytes), 0)::bigint, coalesce(sum(stored_bytes), 0)::bigint,
			count(*) filter (where done = chunks)
		from tables`, q.run).
		Scan(&c.Pending, &c.Claimed, &c.Done, &c.Failed, &c.Rows, &c.RawBytes, &c.StoredBytes, &c.TablesDone)
	return c, postgres.Explain(err, "count the chunks of a run")
}

// Results returns the results of the chunks that are done, by number.
func (q *Queue) Results(ctx context.Context) ([]backup.ChunkResult, error) {
	rows, err := q.db.Query(ctx, `
		select chunk_no, coalesce(worker, ''), coalesce(object_key, ''), rows, raw_bytes, stored_bytes, coalesce(sha256, ''),
			coalesce(content_hash, ''), coalesce(encoding, ''), coalesce(fingerprint, '')
		from guarda.backup_chunks where execution_id = $1::text::uuid and status = 'done' order by chunk_no`, q.run)
	if err != nil {
		return nil, postgres.Explain(err, "read the chunks of a run")
	}
	results, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r backup.ChunkResult, err error) {
		err = row.Scan(&r.No, &r.Worker, &r.ObjectKey, &r.Rows, &r.RawBytes, &r.StoredBytes, &r.SHA256, &r.ContentHash, &r.Encoding, &r.Fingerprint)
		return r, err
	})
	return results, postgres.Explain(err, "read the chunks of a run")
}
