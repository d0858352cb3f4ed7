package logstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"guarda/shared/logs"
	"guarda/shared/postgres"
)

// FeedBatch is a batch that was taken in, with those of its entries that a
// query lets pass.
type FeedBatch struct {
	Seq    int64
	Hits   []logs.Hit
	Places []int // of each hit in the batch, from 1
	Untold int   // entries of the batch that the feed does not list
}

// feedBatches is how many batches are read at once.
const feedBatches = 20

// FeedEnd returns the cursor for what comes next. Batches that are being
// written now count as what comes next.
func (s *Store) FeedEnd(ctx context.Context) (c logs.FeedCursor, err error) {
	var last int64
	var seen []int64
	err = s.db.QueryRow(ctx, `select coalesce(max(seq), 0), coalesce(array_agg(seq), '{}') from guarda.log_feed where seq > (select coalesce(max(seq), 0) - 50 from guarda.log_feed)`).Scan(&last, &seen)
	if err != nil {
		return c, postgres.Explain(err, "find the end of the log feed")
	}
	c.Done = max(0, last-50)
	if len(seen) > 0 {
		slices.Sort(seen)
		c.See(seen, s.clock.Now())
	}
	return c, nil
}

// Feed returns the next batches after a cursor and moves the cursor past them.
// expired says that the feed no longer has all that came after the cursor.
func (s *Store) Feed(ctx context.Context, c *logs.FeedCursor, q *logs.Query, words logs.TextSearch) (list []FeedBatch, expired bool, err error) {
	type batch struct {
		seq    int64
		low    *time.Time
		high   *time.Time
		untold int
	}
	next := *c
	err = s.read(ctx, func(tx pgx.Tx) error {
		list = nil
		var oldest *int64
		if err := tx.QueryRow(ctx, `select min(seq) from guarda.log_feed`).Scan(&oldest); err != nil {
			return err
		}
		expired = oldest != nil && c.Done > 0 && *oldest > c.Done+1 && c.Done+maxExpected < *oldest
		rows, err := tx.Query(ctx, `
			select seq, (select min(t) from unnest(times) t), (select max(t) from unnest(times) t), untold from guarda.log_feed
			where seq > $1::bigint or seq = any($2::bigint[]) order by seq limit $3::int`, c.Done, c.Missing(), feedBatches)
		if err != nil {
			return err
		}
		batches, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b batch, err error) {
			err = row.Scan(&b.seq, &b.low, &b.high, &b.untold)
			return b, err
		})
		if err != nil {
			return err
		}
		var seqs []int64
		for _, b := range batches {
			out := FeedBatch{Seq: b.seq, Untold: b.untold}
			if b.low != nil {
				if out.Hits, out.Places, err = s.batchHits(ctx, tx, b.seq, *b.low, *b.high, q, words); err != nil {
					return err
				}
			}
			list = append(list, out)
			seqs = append(seqs, b.seq)
		}
		next.See(seqs, s.clock.Now())
		return nil
	})
	if err != nil {
		return nil, false, explainSearch(err)
	}
	next.Part, next.Offset = 0, 0
	*c = next
	return list, expired, nil
}

// maxExpected is how many numbers in a row may be missing because transactions
// failed.
const maxExpected = 100

func (s *Store) batchHits(ctx context.Context, tx pgx.Tx, seq int64, low, high time.Time, q *logs.Query, words logs.TextSearch) (hits []logs.Hit, places []int, err error) {
	w := &where{}
	w.all(q, words)
	w.between("l.created_at", low, high.Add(time.Microsecond))
	w.args = append(w.args, seq)
	rows, err := tx.Query(ctx, fmt.Sprintf(`
		select %s, '', place from (
			select l.*, g.place from guarda.log_feed f, unnest(f.ids, f.times) with ordinality as g (entry_id, entry_time, place), guarda.advanced_logs l
			where f.seq = $%d::bigint and l.created_at = g.entry_time and l.id = g.entry_id and %s
		) l order by place`, columns, len(w.args), w), w.args...)
	if err != nil {
		return nil, nil, err
	}
	hits, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (logs.Hit, error) {
		var place int
		h, err := scanHit(placed{row, &place})
		places = append(places, place)
		return h, err
	})
	return hits, places, err
}

// placed scans one column more than scanHit knows.
type placed struct {
	pgx.CollectableRow
	place *int
}

func (p placed) Scan(dest ...any) error { return p.CollectableRow.Scan(append(dest, p.place)...) }

// Listen returns a function that waits until something was taken in, or the
// context ends. Behind a transaction pooler no notice ever comes: callers look
// for themselves from time to time.
func Listen(ctx context.Context, pool *pgxpool.Pool) (wait func(context.Context) error, stop func(), err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, nil, postgres.Explain(err, "listen for log entries")
	}
	if _, err := conn.Exec(ctx, `listen guarda_logs`); err != nil {
		conn.Release()
		return nil, nil, postgres.Explain(err, "listen for log entries")
	}
	own := conn.Hijack() // it must not serve others with what it is told
	return func(ctx context.Context) error {
			_, err := own.WaitForNotification(ctx)
			return err
		}, func() {
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = own.Close(closing)
		}, nil
}
