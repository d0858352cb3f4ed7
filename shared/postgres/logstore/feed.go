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
	Untold int   // entries that are not among Hits although they pass: they were too many, or the feed does not list them
	Cut    bool  // there are more hits, behind the last one
}

// feedBatches is how many batches are read at once.
const feedBatches = 20

// FeedEnd returns the cursor for what comes next. Batches that are being
// written now count as what comes next.
func (s *Store) FeedEnd(ctx context.Context) (c logs.FeedCursor, err error) {
	var forgotten int64
	var seen []int64
	err = s.db.QueryRow(ctx, `select feed_forgotten, (select coalesce(array_agg(seq), '{}') from guarda.log_feed where seq > (select coalesce(max(seq), 0) - 50 from guarda.log_feed))
		from guarda.log_settings`).Scan(&forgotten, &seen)
	if err != nil {
		return c, postgres.Explain(err, "find the end of the log feed")
	}
	c.Done = forgotten
	if len(seen) > 0 {
		slices.Sort(seen)
		c.Done = max(forgotten, seen[len(seen)-1]-50)
		c.See(seen, s.clock.Now())
	}
	return c, nil
}

// Feed returns the next batches after a cursor, with no more than most hits: a
// batch with more is cut and the last one of the list. With most 0 hits are
// only counted. forgotten is the last number that the feed no longer has; what
// came after the cursor up to there is gone.
func (s *Store) Feed(ctx context.Context, c *logs.FeedCursor, q *logs.Query, words logs.TextSearch, most int) (list []FeedBatch, forgotten int64, err error) {
	type batch struct {
		seq    int64
		low    *time.Time
		high   *time.Time
		untold int
	}
	err = s.read(ctx, func(tx pgx.Tx) error {
		list = nil
		if err := tx.QueryRow(ctx, `select feed_forgotten from guarda.log_settings`).Scan(&forgotten); err != nil {
			return err
		}
		// A batch that was told in part comes first: a cursor holds one place.
		rows, err := tx.Query(ctx, `
			select seq, (select min(t) from unnest(times) t), (select max(t) from unnest(times) t), untold from guarda.log_feed
			where seq > $1::bigint or seq = any($2::bigint[]) order by seq <> $4::bigint, seq limit $3::int`, c.Done, c.Missing(), feedBatches, c.Part)
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
		left := most
		for _, b := range batches {
			out := FeedBatch{Seq: b.seq, Untold: b.untold}
			if b.low != nil {
				f := fed{seq: b.seq, low: *b.low, high: *b.high}
				if b.seq == c.Part {
					f.after = c.Offset
				}
				if err := s.batchHits(ctx, tx, &out, f, q, words, left, most > 0); err != nil {
					return err
				}
			}
			list = append(list, out)
			left -= len(out.Hits)
			if out.Cut || most > 0 && left == 0 {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, explainSearch(err)
	}
	return list, forgotten, nil
}

// fed is a batch of which the entries behind a place are asked for.
type fed struct {
	seq       int64
	low, high time.Time // of its entries
	after     int
}

// batchHits reads up to most hits of a batch, or counts them.
func (s *Store) batchHits(ctx context.Context, tx pgx.Tx, out *FeedBatch, f fed, q *logs.Query, words logs.TextSearch, most int, read bool) error {
	w := &where{}
	w.all(q, words)
	w.between("l.created_at", f.low, f.high.Add(time.Microsecond))
	w.args = append(w.args, f.seq, f.after)
	from := fmt.Sprintf(`guarda.log_feed f, unnest(f.ids, f.times) with ordinality as g (entry_id, entry_time, place), guarda.advanced_logs l
			where f.seq = $%d::bigint and g.place > $%d::int and l.created_at = g.entry_time and l.id = g.entry_id and %s`, len(w.args)-1, len(w.args), w)
	if !read {
		var n int
		err := tx.QueryRow(ctx, `select count(*)::int from `+from, w.args...).Scan(&n)
		out.Untold += n
		return err
	}
	w.args = append(w.args, most+1)
	rows, err := tx.Query(ctx, fmt.Sprintf(`select %s, '', place from (select l.*, g.place from %s order by g.place limit $%d::int) l order by place`, columns, from, len(w.args)), w.args...)
	if err != nil {
		return err
	}
	out.Hits, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (logs.Hit, error) {
		var place int
		h, err := scanHit(placed{row, &place})
		out.Places = append(out.Places, place)
		return h, err
	})
	if len(out.Hits) > most {
		out.Hits, out.Places, out.Cut = out.Hits[:most], out.Places[:most], true
	}
	return err
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
