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
	maxFailures      = 3
	maxAttempts      = 12 // with those that nobody ended: killed, or out of time
	chunksPerInsert  = 5000
	maxReleasedError = 2000 // characters
)

// Queue is the chunks of one picture of a run, shared by the processes that
// work on it. A worker of an earlier picture never gets chunks of a later one,
// so that two pictures are not mixed.
type Queue struct {
	db    postgres.DB
	clock clock.Clock
	run   string
	o     Options
}

var _ backup.Queue = (*Queue)(nil)

// Options say how chunks are handed out.
type Options struct {
	Picture int           // of the run
	Lease   time.Duration // see backup.Lease; 0 is that of processes without a limit
	// Concurrency is how many chunks may be copied at the same time, by all
	// processes together; 0 is no bound. Those of a worker that died count
	// until its lease runs out: its connection may be there still.
	Concurrency int
}

// New returns the queue of a run.
func New(db postgres.DB, c clock.Clock, executionID string, o Options) *Queue {
	if o.Lease == 0 {
		o.Lease = backup.Lease(0)
	}
	return &Queue{db: db, clock: c, run: executionID, o: o}
}

// Add puts chunks into the queue, in place of what an attempt before this one
// had planned for the same picture.
func (q *Queue) Add(ctx context.Context, chunks []backup.Chunk) error {
	err := postgres.Tx(ctx, q.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `delete from guarda.backup_chunks where execution_id = $1::text::uuid and picture = $2::int`, q.run, q.o.Picture); err != nil {
			return err
		}
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
		insert into guarda.backup_chunks (execution_id, picture, chunk_no, table_oid, table_schema, table_name, range_from, range_to, estimate)
		select $1::text::uuid, $2::int, * from unnest($3::int[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[])`,
		q.run, q.o.Picture, nos, oids, schemas, tables, froms, tos, estimates)
	return err
}

// Claim takes the next chunk that nobody has, or whose worker's lease ran out.
func (q *Queue) Claim(ctx context.Context, worker string) (c *backup.Chunk, err error) {
	if q.o.Concurrency == 0 {
		c, err = q.claim(ctx, q.db, worker)
		return c, postgres.Explain(err, "claim a chunk")
	}
	err = postgres.Tx(ctx, q.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
		c = nil
		// Taking turns makes the count below hold until we have claimed.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('guarda chunks ' || $1::text, 0))`, q.run); err != nil {
			return err
		}
		var copying int
		if err := tx.QueryRow(ctx, `
			select count(*) from guarda.backup_chunks
			where execution_id = $1::text::uuid and status = 'claimed' and lease_until >= $2::timestamptz`, q.run, q.clock.Now()).Scan(&copying); err != nil {
			return err
		}
		if copying >= q.o.Concurrency {
			return nil
		}
		c, err = q.claim(ctx, tx, worker)
		return err
	})
	return c, postgres.Explain(err, "claim a chunk")
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (q *Queue) claim(ctx context.Context, db querier, worker string) (*backup.Chunk, error) {
	now := q.clock.Now()
	var c backup.Chunk
	var oid int64
	err := db.QueryRow(ctx, `
		update guarda.backup_chunks k set status = 'claimed', worker = $3::text, lease_until = $4::timestamptz, attempts = k.attempts + 1
		where (k.execution_id, k.picture, k.chunk_no) = (
			select execution_id, picture, chunk_no from guarda.backup_chunks
			where execution_id = $1::text::uuid and picture = $2::int and attempts < $6::int
				and (status = 'pending' or status = 'claimed' and lease_until < $5::timestamptz)
			order by chunk_no limit 1 for update skip locked)
		returning chunk_no, table_oid, table_schema, table_name, range_from, range_to, estimate, attempts`,
		q.run, q.o.Picture, worker, now.Add(q.o.Lease), now, maxAttempts).
		Scan(&c.No, &oid, &c.Schema, &c.Table, &c.FromBlock, &c.ToBlock, &c.Estimate, &c.Attempt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c.TableOID = uint32(oid)
	return &c, nil
}

// Renew prolongs the lease of a claimed chunk.
func (q *Queue) Renew(ctx context.Context, no int, worker string) error {
	tag, err := q.db.Exec(ctx, `
		update guarda.backup_chunks set lease_until = $5::timestamptz
		where execution_id = $1::text::uuid and picture = $2::int and chunk_no = $3::int and worker = $4::text and status = 'claimed'`,
		q.run, q.o.Picture, no, worker, q.clock.Now().Add(q.o.Lease))
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
			raw_bytes = $6::bigint, stored_bytes = $7::bigint, sha256 = $8::text, content_hash = $9::text, encoding = $10::text, fingerprint = nullif($11::text, ''), reused = $13::boolean
		where execution_id = $1::text::uuid and picture = $12::int and chunk_no = $2::int and worker = $3::text
			and (status = 'claimed' or status = 'done' and object_key = $4::text)`,
		q.run, r.No, r.Worker, r.ObjectKey, r.Rows, r.RawBytes, r.StoredBytes, r.SHA256, r.ContentHash, r.Encoding, r.Fingerprint, q.o.Picture, r.Reused)
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
			failures = failures + (not $4::boolean)::int,
			status = case when $4::boolean or $5::boolean and failures + 1 < $8::int then 'pending' else 'failed' end
		where execution_id = $1::text::uuid and picture = $7::int and chunk_no = $2::int and worker = $6::text and status = 'claimed'`,
		q.run, no, message, errors.Is(cause, backup.ErrTimeUp), fault.CodeOf(cause) == fault.Unavailable, worker, q.o.Picture, maxFailures)
	if err == nil && tag.RowsAffected() == 0 {
		return lost(no)
	}
	return postgres.Explain(err, "give a chunk back")
}

// Counts says how far the queue is.
func (q *Queue) Counts(ctx context.Context) (backup.Counts, error) {
	var c backup.Counts
	err := q.db.QueryRow(ctx, `
		with chunks as (
			select table_oid, rows, raw_bytes, case when reused then 0 else stored_bytes end as stored_bytes,
				-- What nobody claims any more has failed, however it ended.
				case when attempts >= $3::int and (status = 'pending' or status = 'claimed' and lease_until < $4::timestamptz) then 'failed' else status end as status
			from guarda.backup_chunks where execution_id = $1::text::uuid and picture = $2::int
		), tables as (
			select count(*) filter (where status = 'pending') as pending, count(*) filter (where status = 'claimed') as claimed,
				count(*) filter (where status = 'done') as done, count(*) filter (where status = 'failed') as failed, count(*) as chunks,
				sum(rows) filter (where status = 'done') as rows, sum(raw_bytes) filter (where status = 'done') as raw_bytes,
				sum(stored_bytes) filter (where status = 'done') as stored_bytes
			from chunks group by table_oid
		)
		select coalesce(sum(pending), 0)::int, coalesce(sum(claimed), 0)::int, coalesce(sum(done), 0)::int, coalesce(sum(failed), 0)::int,
			coalesce(sum(rows), 0)::bigint, coalesce(sum(raw_bytes), 0)::bigint, coalesce(sum(stored_bytes), 0)::bigint,
			count(*) filter (where done = chunks)
		from tables`, q.run, q.o.Picture, maxAttempts, q.clock.Now()).
		Scan(&c.Pending, &c.Claimed, &c.Done, &c.Failed, &c.Rows, &c.RawBytes, &c.StoredBytes, &c.TablesDone)
	return c, postgres.Explain(err, "count the chunks of a run")
}

// Results returns the results of the chunks that are done, by number.
func (q *Queue) Results(ctx context.Context) ([]backup.ChunkResult, error) {
	rows, err := q.db.Query(ctx, `
		select chunk_no, coalesce(worker, ''), coalesce(object_key, ''), rows, raw_bytes, stored_bytes, coalesce(sha256, ''),
			coalesce(content_hash, ''), coalesce(encoding, ''), coalesce(fingerprint, ''), reused
		from guarda.backup_chunks where execution_id = $1::text::uuid and picture = $2::int and status = 'done' order by chunk_no`, q.run, q.o.Picture)
	if err != nil {
		return nil, postgres.Explain(err, "read the chunks of a run")
	}
	results, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r backup.ChunkResult, err error) {
		err = row.Scan(&r.No, &r.Worker, &r.ObjectKey, &r.Rows, &r.RawBytes, &r.StoredBytes, &r.SHA256, &r.ContentHash, &r.Encoding, &r.Fingerprint, &r.Reused)
		return r, err
	})
	return results, postgres.Explain(err, "read the chunks of a run")
}
