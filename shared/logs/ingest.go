package logs

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"guarda/shared/clock"
	"guarda/shared/fault"
)

// Written says what became of a batch.
type Written struct {
	Accepted   int
	Duplicates int // entries whose id was stored before
}

// Store keeps entries. Errors are *fault.Error; fault.Invalid means that the
// entries are what is wrong, every other one that the same batch may be stored
// later.
type Store interface {
	// Write stores a batch whole or not at all. A batch whose id was written
	// before is not written again; what it brought then is returned.
	Write(ctx context.Context, b *Batch) (Written, error)
	// LogSettings reads the settings.
	LogSettings(ctx context.Context) (*Settings, error)
	// Spend takes n entries from what a subject may send, and returns 0 or,
	// when nothing is left, after how long something is. keyID may be "".
	Spend(ctx context.Context, subject, keyID string, n, limit int) (time.Duration, error)
}

// Spool keeps batches while the store is away.
type Spool interface {
	Put(ctx context.Context, b *Batch, masked bool) error
}

// Ingester takes entries in. It is safe for concurrent use; copy none.
type Ingester struct {
	Store Store
	Spool Spool // nil: what cannot be stored is refused
	Clock clock.Clock
	Log   *slog.Logger

	sequence Sequence
	mu       sync.Mutex
	settings *Settings // as last read; nil: never
	readAt   time.Time
	away     time.Time // until then the store is not tried again
}

// settingsLife is how long settings are used before they are read again.
const settingsLife = 15 * time.Second

// settingsTime is how long reading them may take: a server that does not answer
// must leave time to put the batch aside.
const settingsTime = 6 * time.Second

// retryStore is how long batches go to the spool without trying the store
// after it was away: trying costs each request the time that connecting takes.
const retryStore = 2 * time.Second

// Sender is who sends a batch.
type Sender struct {
	Subject string // what limits are counted for
	KeyID   string // of an API key; ""
}

// Receipt says what became of a request's entries.
type Receipt struct {
	Written
	BatchID    uuid.UUID
	Rejections []Rejection
	Spooled    bool // put aside, not stored yet
}

// Take masks, identifies and stores a batch, or puts it aside while the store
// is away. When it returns no error every entry that is not among the
// rejections is safe. A batch of the same id is taken once. Too many entries of
// one sender are fault.RateLimited.
func (in *Ingester) Take(ctx context.Context, b *Batch, from Sender) (*Receipt, error) {
	now := in.Clock.Now()
	if b.ID == uuid.Nil {
		b.ID = uuid.New()
	}
	settings, err := in.current(ctx, now)
	if err != nil {
		return nil, err
	}
	masked := settings != nil
	if masked {
		settings.inTime(b, now)
		settings.mask(b.Entries)
	} else {
		(&Settings{MaxAgeDays: 3660}).inTime(b, now)
	}
	r := &Receipt{BatchID: b.ID}
	defer func() {
		r.Rejections = b.Rejections
		slices.SortStableFunc(r.Rejections, func(x, y Rejection) int { return cmp.Compare(x.Index, y.Index) })
	}()
	if len(b.Entries) == 0 {
		return r, nil
	}
	in.sequence.Identify(b.Entries, now)
	if masked && !in.isAway(now) {
		if r.Written, err = in.store(ctx, b, from, settings.KeyLimit); err == nil {
			return r, nil
		}
		if fault.CodeOf(err) == fault.RateLimited {
			return nil, err
		}
	}
	if in.Spool == nil {
		return nil, err
	}
	if err != nil {
		in.Log.WarnContext(ctx, "the log store is away: the batch is put aside", "batch_id", b.ID.String(), "entries", len(b.Entries), "error", err.Error())
		in.leave(in.Clock.Now().Add(retryStore))
	}
	if err := in.Spool.Put(context.WithoutCancel(ctx), b, masked); err != nil {
		return nil, err
	}
	r.Spooled, r.Accepted = true, len(b.Entries)
	return r, nil
}

// storeTime is how long storing may take, so that there is time left to put the
// batch aside before API Gateway gives up.
const storeTime = 12 * time.Second

func (in *Ingester) store(ctx context.Context, b *Batch, from Sender, limit int) (Written, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	if err := in.limit(ctx, b, from, limit); err != nil {
		return Written{}, err
	}
	return in.write(ctx, b)
}

func (in *Ingester) limit(ctx context.Context, b *Batch, from Sender, limit int) error {
	if from.Subject == "" {
		return nil
	}
	wait, err := in.Store.Spend(ctx, from.Subject, from.KeyID, len(b.Entries), limit)
	if err != nil || wait <= 0 {
		return err
	}
	return fault.New(fault.RateLimited, "this key sends more entries per minute than it may").
		Hint("wait and send it again; an administrator can raise the key's limit").RetryAfter(int(wait/time.Second) + 1)
}

// write stores the batch. When the store says that an entry is what is wrong,
// it looks for it by halves and rejects it: nothing that checks before the
// store can know all that the store refuses.
func (in *Ingester) write(ctx context.Context, b *Batch) (Written, error) {
	w, err := in.Store.Write(ctx, b)
	if fault.CodeOf(err) != fault.Invalid {
		return w, err
	}
	if len(b.Entries) == 1 {
		r := Rejections{at: b.Entries[0].index}
		r.Field("", "invalid", "the database does not take it")
		in.Log.WarnContext(ctx, "an entry was refused by the database", "error", err.Error())
		b.Rejections = append(b.Rejections, r.List...)
		b.Entries = nil
		return Written{}, nil
	}
	half := len(b.Entries) / 2
	var sum Written
	var kept []Entry
	for i, part := range [][]Entry{b.Entries[:half], b.Entries[half:]} {
		sub := &Batch{ID: halfID(b.ID, byte(i)), Entries: slices.Clone(part)}
		w, err := in.write(ctx, sub)
		if err != nil {
			return Written{}, err
		}
		sum.Accepted += w.Accepted
		sum.Duplicates += w.Duplicates
		b.Rejections = append(b.Rejections, sub.Rejections...)
		kept = append(kept, sub.Entries...)
	}
	b.Entries = kept
	return sum, nil
}

// halfID names a half of a batch, always the same for the same half.
func halfID(id uuid.UUID, i byte) uuid.UUID {
	return uuid.NewSHA1(id, []byte{i})
}

// current returns the settings; nil while they cannot be known. Settings that
// were known stay in force while the store is away.
func (in *Ingester) current(ctx context.Context, now time.Time) (*Settings, error) {
	in.mu.Lock()
	s, fresh, away := in.settings, now.Sub(in.readAt) < settingsLife, in.away.After(now)
	in.mu.Unlock()
	if s != nil && (fresh || away) || away {
		return s, nil
	}
	reading, cancel := context.WithTimeout(ctx, settingsTime)
	defer cancel()
	read, err := in.Store.LogSettings(reading)
	if err != nil {
		if in.Spool == nil {
			return nil, err
		}
		in.leave(in.Clock.Now().Add(retryStore))
		return s, nil
	}
	in.mu.Lock()
	in.settings, in.readAt = read, now
	in.mu.Unlock()
	return read, nil
}

func (in *Ingester) isAway(now time.Time) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.away.After(now)
}

func (in *Ingester) leave(until time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.away = until
}

// maxAhead is how far an entry's time may lie in the future: clocks differ.
const maxAhead = 24 * time.Hour

// inTime rejects entries that are from the future or that retention would
// delete at once. It keeps the others.
func (s *Settings) inTime(b *Batch, now time.Time) {
	kept := b.Entries[:0]
	for i := range b.Entries {
		e := &b.Entries[i]
		if e.CreatedAt.IsZero() {
			kept = append(kept, *e)
			continue
		}
		r := Rejections{at: e.index}
		days := s.Keep(e.Source, e.Level)
		if days == 0 || days > s.MaxAgeDays {
			days = s.MaxAgeDays
		}
		if e.CreatedAt.After(now.Add(maxAhead)) {
			r.Field("created_at", "out_of_range", "lies more than a day in the future")
		} else if e.CreatedAt.Before(now.AddDate(0, 0, -days)) {
			r.Field("created_at", "out_of_range", "is older than the %d days that such entries are kept", days)
		}
		if b.Rejections = append(b.Rejections, r.List...); len(r.List) == 0 {
			kept = append(kept, *e)
		}
	}
	b.Entries = kept
}
