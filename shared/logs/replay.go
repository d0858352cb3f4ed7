package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"

	"guarda/shared/blob"
	"guarda/shared/fault"
)

// Replayed says what a replay did.
type Replayed struct {
	Batches int `json:"batches"`
	Entries int `json:"entries"`
	Broken  int `json:"broken"`  // batches that cannot be read
	Refused int `json:"refused"` // entries that the store does not take
}

// Replay stores the batches that wait, in the order of their arrival, and
// forgets each once it is stored. It stops at the first one that the store does
// not take at the moment, so that none is stored before an earlier one, and when
// ctx is done. A batch that was stored already is only forgotten. What can
// never be stored is moved out of the way of the others, and kept.
func Replay(ctx context.Context, blobs blob.Store, store Store, log *slog.Logger) (r Replayed, err error) {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var settings *Settings
	in := &Ingester{Store: store, Log: log}
	forget := forgetter{blobs: blobs, errs: make(chan error, forgetAtOnce)}
	defer func() {
		if forgetErr := forget.wait(); err == nil {
			err = forgetErr
		}
		if ctx.Err() != nil {
			err = nil // the time is up: the next run goes on
		}
	}()
	for got := range readAhead(reading, blobs) {
		s := <-got
		if s.err != nil && (s.key == "" || fault.CodeOf(s.err) == fault.Unavailable || fault.CodeOf(s.err) == fault.NotFound) {
			return r, s.err
		}
		if ctx.Err() != nil {
			return r, nil
		}
		if s.err != nil {
			r.Broken++
			log.ErrorContext(ctx, "a batch that was put aside cannot be read", "key", s.key, "moved_to", spoolBroken, "error", s.err.Error())
			if err := setAside(ctx, blobs, s.key); err != nil {
				return r, err
			}
			continue
		}
		if settings == nil {
			if settings, err = store.LogSettings(ctx); err != nil {
				return r, err
			}
		}
		if !s.masked {
			settings.mask(s.batch.Entries)
		}
		all := slices.Clone(s.batch.Entries)
		w, err := in.write(ctx, s.batch)
		if err != nil {
			return r, err
		}
		if len(s.batch.Rejections) > 0 {
			r.Refused += len(s.batch.Rejections)
			if err := keepRefused(ctx, blobs, s.key, s.batch, all); err != nil {
				return r, err
			}
		}
		if err := forget.start(ctx, s.key); err != nil {
			return r, err
		}
		r.Batches++
		r.Entries += w.Accepted
	}
	return r, nil
}

// spooled is a batch that was read; without a key the list of them failed.
type spooled struct {
	key    string
	batch  *Batch
	masked bool
	err    error
}

// aheadAtOnce is how many batches are read while one is stored: an object store
// takes its time to answer, and batches wait one behind the other.
const aheadAtOnce = 4

// readAhead reads the batches that wait, and hands them out in their order.
func readAhead(ctx context.Context, blobs blob.Store) <-chan chan spooled {
	out := make(chan chan spooled, aheadAtOnce-1)
	go func() {
		defer close(out)
		for object, err := range blobs.List(ctx, spoolFolder) {
			got := make(chan spooled, 1)
			select {
			case out <- got:
			case <-ctx.Done():
				return
			}
			if err != nil {
				got <- spooled{err: err}
				return
			}
			go func() {
				s := spooled{key: object.Key}
				s.batch, s.masked, s.err = readSpooled(ctx, blobs, object.Key)
				got <- s
			}()
		}
	}()
	return out
}

// forgetAtOnce is how many batches are being deleted while others are stored.
const forgetAtOnce = 4

// forgetter deletes stored batches. One that is left, because the process died,
// is stored again, which does nothing.
type forgetter struct {
	blobs   blob.Store
	errs    chan error
	pending int
}

// start waits for an earlier one when too many are under way.
func (f *forgetter) start(ctx context.Context, key string) error {
	if f.pending == forgetAtOnce {
		f.pending--
		if err := <-f.errs; err != nil {
			return err
		}
	}
	f.pending++
	go func() { f.errs <- f.blobs.Delete(context.WithoutCancel(ctx), key) }()
	return nil
}

func (f *forgetter) wait() error {
	var all []error
	for ; f.pending > 0; f.pending-- {
		all = append(all, <-f.errs)
	}
	return errors.Join(all...)
}

// keepRefused keeps the entries of a batch that the store refused.
func keepRefused(ctx context.Context, blobs blob.Store, key string, b *Batch, all []Entry) error {
	refused := &Batch{ID: b.ID}
	for _, x := range b.Rejections {
		refused.Entries = append(refused.Entries, all[x.Index])
	}
	body, err := encodeSpool(refused, true)
	if err != nil {
		return err
	}
	_, err = blobs.Put(ctx, spoolBroken+"refused-"+key[len(spoolFolder):], bytes.NewReader(body), blob.PutOptions{ContentType: "application/zstd"})
	return err
}

func readSpooled(ctx context.Context, blobs blob.Store, key string) (*Batch, bool, error) {
	body, err := blobs.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, false, err
	}
	defer body.Close()
	raw, err := io.ReadAll(body) // apart from decoding: what did not arrive is not broken
	if err != nil {
		return nil, false, fault.New(fault.Unavailable, "a batch that was put aside could not be read").RetryAfter(5).Because(err)
	}
	return decodeSpool(bytes.NewReader(raw))
}

// setAside moves an object out of the way of the others.
func setAside(ctx context.Context, blobs blob.Store, key string) error {
	body, err := blobs.Get(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := blobs.Put(ctx, spoolBroken+key[len(spoolFolder):], body, blob.PutOptions{}); err != nil {
		return err
	}
	return blobs.Delete(ctx, key)
}
