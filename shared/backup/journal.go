package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

// A run with Run.Keep says in the store what it is about to make and what it
// has: a plain mark, the state with its plan, and, every moment, the results of the chunks that were stored since. A run that is cut off at any
// moment leaves what the next one of the source needs to go on; each of these
// objects comes into being whole or not at all.

const (
	markName      = "run.json"
	journalFolder = "journal/"
	journalFirst  = 100 * time.Millisecond // until the first results are noted; each time is a tenth longer,
	journalLast   = 2 * time.Second        // up to this: a long run costs no more requests than it is worth
	markEvery     = time.Minute            // a mark that is older belongs to a run that has ended
	maxMark       = 1 << 20                // bytes
	maxJournal    = 1 << 30                // bytes of one object
)

// mark is the plain object that tells a run's folder from garbage while there
// is no manifest. It is written again every minute.
type mark struct {
	Format    int              `json:"format"`
	BackupID  string           `json:"backup_id"`
	Source    string           `json:"source"`
	StartedAt time.Time        `json:"started_at"`
	Encrypted bool             `json:"encrypted"`
	Key       *seal.WrappedKey `json:"key,omitempty"`
	StateKey  string           `json:"state_key"`
	// Refers are the folders that the run may refer to: nothing in them may be
	// removed while it goes on.
	Refers []string `json:"refers,omitempty"`
}

// journal is a queue that keeps the results in the store, too.
type journal struct {
	Queue
	x      *execution
	mark   mark
	beaten time.Time

	mu      sync.Mutex
	pending []ChunkResult
	batches int
	stored  bool // some result has an object of this run
}

// keep begins the journal of the run.
func (x *execution) keep(ctx context.Context) error {
	if !x.spec.Keep {
		return nil
	}
	j := &journal{Queue: x.Queue, x: x, mark: mark{Format: manifest.Format, BackupID: x.spec.ID, Source: x.spec.Source, StartedAt: x.started,
		Encrypted: x.key != nil, Key: x.wrapped, StateKey: x.stateKey, Refers: x.found.wraps}}
	if err := j.beat(ctx); err != nil {
		return err
	}
	x.journal, x.Queue = j, j
	return nil
}

// Done implements Queue.
func (j *journal) Done(ctx context.Context, r ChunkResult) error {
	if err := j.Queue.Done(ctx, r); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending = append(j.pending, r)
	j.stored = j.stored || r.ObjectKey != "" && !r.Reused
	return nil
}

// watch writes until ctx ends. That the store does not take a batch is no
// reason to stop: the rows come into the next one.
func (j *journal) watch(ctx context.Context) error {
	if j == nil {
		return nil
	}
	for every := journalFirst; ; every = min(journalLast, every*11/10) {
		if !sleepUntil(ctx, j.x.Clock, j.x.Clock.Now().Add(every)) {
			return nil
		}
		err := j.flush(ctx)
		if err == nil && j.x.Clock.Now().Sub(j.beaten) >= markEvery {
			err = j.beat(ctx)
		}
		if err != nil && ctx.Err() == nil {
			j.x.Log.WarnContext(ctx, "what was stored could not be noted; trying again", "error", err.Error())
		}
	}
}

func (j *journal) beat(ctx context.Context) error {
	raw, err := json.Marshal(j.mark)
	if err != nil {
		return fmt.Errorf("encode the run's mark: %w", err)
	}
	if _, err := j.x.Store.Put(ctx, j.x.folder+markName, bytes.NewReader(raw), blob.PutOptions{ContentType: "application/json"}); err != nil {
		return err
	}
	j.beaten = j.x.Clock.Now()
	return nil
}

func (j *journal) flush(ctx context.Context) error {
	j.mu.Lock()
	batch := j.pending
	j.pending = nil
	j.batches++
	name := fmt.Sprintf("%s%06d.json", journalFolder, j.batches)
	j.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	plain, err := json.Marshal(batch)
	if err == nil {
		_, err = manifest.Put(ctx, j.x.Store, j.x.folder, name, plain, j.x.key)
	}
	if err != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.pending = append(batch, j.pending...)
	}
	return err
}

// worthKeeping says, after the run failed, whether the next one can use
// something of it, and sees to it that it can.
func (j *journal) worthKeeping(ctx context.Context) bool {
	if j == nil {
		return false
	}
	j.mu.Lock()
	stored := j.stored
	j.mu.Unlock()
	if !stored {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := j.flush(ctx); err != nil {
		j.x.Log.WarnContext(ctx, "the last of what was stored could not be noted", "error", err.Error())
	}
	return true
}

// forget removes what only other processes and later runs needed, once the
// manifest is there.
func (x *execution) forget(ctx context.Context) {
	var keys []string
	if x.Relay == nil && x.stateKey != "" {
		keys = append(keys, x.stateKey)
	}
	if x.journal != nil {
		keys = append(keys, x.folder+markName)
		for o, err := range x.Store.List(ctx, x.folder+journalFolder) {
			if err != nil {
				break
			}
			keys = append(keys, o.Key)
		}
	}
	if err := x.Store.Delete(ctx, keys...); err != nil { // else garbage collection does
		x.Log.WarnContext(ctx, "what only the run needed could not be removed", "folder", x.folder, "error", err.Error())
	}
}

// findRun reads what an unfinished run left. It is nil without an error where
// there is nothing that could be used: another run may be at work on it, or it
// was cut off before it had a plan.
func (x *execution) findRun(ctx context.Context, folder string) (*stored, *seal.DataKey, error) {
	m, err := readMark(ctx, x.Store, folder)
	if m == nil || err != nil {
		return nil, nil, err
	}
	var key *seal.DataKey
	if m.Encrypted != (x.Keys != nil) || m.Encrypted && m.Key == nil || !strings.HasPrefix(m.StateKey, folder) {
		return nil, nil, nil
	}
	if m.Encrypted {
		if key, err = x.Keys.Unwrap(ctx, *m.Key); err != nil {
			return nil, nil, x.useless(ctx, folder, err)
		}
	}
	s, err := readState(ctx, x.Store, m.StateKey, key)
	if err != nil {
		return nil, nil, x.useless(ctx, folder, err)
	}
	var results []ChunkResult
	for o, err := range x.Store.List(ctx, folder+journalFolder) {
		if err != nil {
			return nil, nil, x.useless(ctx, folder, err)
		}
		var batch []ChunkResult
		if err := readJSON(ctx, x.Store, o.Key, key, maxJournal, &batch); err != nil {
			if err := x.useless(ctx, folder, err); err != nil {
				return nil, nil, err
			}
			continue
		}
		results = append(results, batch...)
	}
	if len(results) == 0 {
		return nil, nil, nil
	}
	return storedByRun(s, results), key, nil
}

// useless says that something of an unfinished run cannot be used. Only a
// store that does not answer is a reason not to go on.
func (x *execution) useless(ctx context.Context, folder string, err error) error {
	if fault.CodeOf(err) == fault.Unavailable || ctx.Err() != nil {
		return err
	}
	x.Log.WarnContext(ctx, "an unfinished run cannot be used", "folder", folder, "error", err.Error())
	return nil
}

// readMark returns the mark in a folder, nil if there is none that we know.
func readMark(ctx context.Context, store blob.Store, folder string) (*mark, error) {
	src, err := store.Get(ctx, folder+markName, 0, maxMark)
	if fault.CodeOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer src.Close()
	raw, err := io.ReadAll(src)
	if err != nil {
		return nil, err
	}
	var m mark
	if err := json.Unmarshal(raw, &m); err != nil || m.Format < 1 || m.Format > manifest.Format {
		return nil, nil
	}
	return &m, nil
}

// readJSON reads a sealed object of JSON.
func readJSON(ctx context.Context, store blob.Store, objectKey string, key *seal.DataKey, limit int64, into any) error {
	src, err := store.Get(ctx, objectKey, 0, -1)
	if err != nil {
		return err
	}
	defer src.Close()
	raw, err := manifest.ReadSealed(src, manifest.Object{Key: objectKey, Encoding: string(seal.Zstd)}, key, limit)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return fmt.Errorf("read the object %s: %w", objectKey, err)
	}
	return nil
}
