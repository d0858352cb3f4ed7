package logstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/logs"
)

// Get returns an entry by its id, or fault.NotFound. The id itself or the table
// of given ids says when the entry was made; for one that came by another way
// every partition's key is read.
func (s *Store) Get(ctx context.Context, id string) (hit *logs.Hit, err error) {
	err = s.read(ctx, func(tx pgx.Tx) error {
		hit, err = s.get(ctx, tx, id)
		return err
	})
	if err != nil {
		return nil, explainSearch(err)
	}
	return hit, nil
}

func (s *Store) get(ctx context.Context, tx pgx.Tx, id string) (*logs.Hit, error) {
	find := func(low, high time.Time) (*logs.Hit, error) {
		w := &where{}
		w.add("id = ?::text::uuid", id)
		w.between("created_at", low, high)
		rows, err := tx.Query(ctx, fmt.Sprintf(`select %s, '' from guarda.advanced_logs where %s limit 1`, columns, w), w.args...)
		if err != nil {
			return nil, err
		}
		h, err := pgx.CollectExactlyOneRow(rows, scanHit)
		switch {
		case !errors.Is(err, pgx.ErrNoRows):
			return &h, err
		case low.IsZero(): // of archived entries either the id or the table of ids knows the time
			return nil, nil
		}
		return s.findArchived(ctx, tx, id, low, high)
	}
	if at, ok := logs.TimeOf(parseUUID(id)); ok {
		if h, err := find(at, at.Add(time.Millisecond)); h != nil || err != nil {
			return h, err
		}
	}
	var at time.Time
	err := tx.QueryRow(ctx, `select created_at from guarda.log_ids where id = $1::text::uuid`, id).Scan(&at)
	if err == nil {
		if h, err := find(at, at.Add(time.Microsecond)); h != nil || err != nil {
			return h, err
		}
	} else if !errors.Is(err, pgx.ErrNoRows) {
		return nil, err
	}
	h, err := find(time.Time{}, time.Time{})
	if h == nil && err == nil {
		return nil, fault.New(fault.NotFound, "there is no such log entry").Hint("it may be older than entries are kept")
	}
	return h, err
}

// Context returns an entry and its neighbours, oldest first. q filters the
// neighbours.
func (s *Store) Context(ctx context.Context, hit *logs.Hit, q logs.Query, before, after int, budget time.Duration) (older, newer []logs.Hit, err error) {
	at := &logs.Position{At: hit.CreatedAt, ID: hit.ID}
	if before > 0 {
		found, err := s.Search(ctx, &q, SearchOptions{After: at, Limit: before, Budget: budget})
		if err != nil {
			return nil, nil, err
		}
		for i := len(found.Hits) - 1; i >= 0; i-- {
			older = append(older, found.Hits[i])
		}
	}
	if after > 0 {
		q.OldestTop = true
		found, err := s.Search(ctx, &q, SearchOptions{After: at, Limit: after, Budget: budget})
		if err != nil {
			return nil, nil, err
		}
		newer = found.Hits
	}
	return older, newer, nil
}

// Pattern is what entries with a pattern's id belong to now.
type Pattern struct {
	ID       uuid.UUID // itself, or what it was merged into
	Template string
}

// PatternsOf returns what ids stand for; those that are not known are left out.
func (s *Store) PatternsOf(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Pattern, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	rows, err := s.db.Query(ctx, `select p.id::text, coalesce(r.id, p.id)::text, coalesce(r.template, p.template)
		from guarda.log_patterns p left join guarda.log_patterns r on r.id = p.merged_into where p.id = any($1::text[]::uuid[])`, texts)
	if err != nil {
		return nil, explainSearch(err)
	}
	out := map[uuid.UUID]Pattern{}
	var id, now, template string
	_, err = pgx.ForEachRow(rows, []any{&id, &now, &template}, func() error {
		out[parseUUID(id)] = Pattern{parseUUID(now), template}
		return nil
	})
	if err != nil {
		return nil, explainSearch(err)
	}
	return out, nil
}
