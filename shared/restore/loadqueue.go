package restore

import (
	"errors"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// loadQueue hands out the chunks that are to be loaded. One whose rows the
// target refuses is put off until the others are in: a check, or the function
// that generates a column, may look into another table, though the server is not
// told of it, and tables that the restore did not make (the platform's) have
// their foreign keys already. Rounds go on as long as each loads something.
type loadQueue struct {
	mu       sync.Mutex
	changed  *sync.Cond
	waiting  []load
	putOff   []load
	why      error // of the latest that was put off
	running  int
	loaded   bool // in this round
	finished bool // no more are handed out
}

func newLoadQueue(loads []load) *loadQueue {
	q := &loadQueue{waiting: loads}
	q.changed = sync.NewCond(&q.mu)
	return q
}

// next returns a chunk to load; ok is false when there is none left.
func (q *loadQueue) next() (l load, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.finished {
		if len(q.waiting) > 0 {
			l, q.waiting = q.waiting[0], q.waiting[1:]
			q.running++
			return l, true
		}
		switch {
		case q.running > 0: // what runs may yet be put off
			q.changed.Wait()
		case len(q.putOff) > 0 && q.loaded:
			q.waiting, q.putOff, q.loaded, q.why = q.putOff, nil, false, nil
		default:
			q.finished = true
			q.changed.Broadcast()
		}
	}
	return load{}, false
}

// done takes back what became of a chunk. It returns the error of one that
// ends the restore.
func (q *loadQueue) done(l load, err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.changed.Broadcast()
	q.running--
	switch {
	case err == nil:
		q.loaded = true
	case refused(err):
		q.putOff, q.why = append(q.putOff, l), err
	default:
		q.finished = true
		return err
	}
	return nil
}

// left is the error of what was put off and never loaded.
func (q *loadQueue) left() error { return q.why }

// refused reports whether rows were refused by a foreign key, by a check, or by
// a function that raised an error.
func refused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && slices.Contains([]string{"23503", "23514", "P0001"}, pg.Code)
}
