package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

// No source can be named _logs. spoolFolder holds the batches that wait, spoolBroken those that cannot be
// read: they are kept for a person to look at.
const (
	spoolFolder = "_logs/spool/"
	spoolBroken = "_logs/spool-broken/"
)

// BlobSpool keeps batches in the object store, one object each. The key starts
// with the time of arrival, so that the order of keys is that of arrival.
type BlobSpool struct {
	Open  func(ctx context.Context) (blob.Store, error) // the first batch opens it
	Clock clock.Clock
}

// spoolHeader is an object's first line; the entries follow, one a line.
type spoolHeader struct {
	Format  int       `json:"format"` // 1
	BatchID uuid.UUID `json:"batch_id"`
	Masked  bool      `json:"masked"` // false: the rules were not known
	Entries int       `json:"entries"`
}

type spoolEntry struct {
	ID        uuid.UUID       `json:"id"`
	Given     bool            `json:"given,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
	Level     Level           `json:"level"`
	Source    string          `json:"source"`
	Message   string          `json:"message"`
	Metadata  json.RawMessage `json:"metadata,omitempty"`
	UserID    uuid.UUID       `json:"user_id"`
	SessionID string          `json:"session_id,omitempty"`
}

// Put stores a batch; once it returns nil the batch is safe.
func (s *BlobSpool) Put(ctx context.Context, b *Batch, masked bool) error {
	store, err := s.Open(ctx)
	if err != nil {
		return err
	}
	body, err := encodeSpool(b, masked)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%s%016d-%s.ndjson.zst", spoolFolder, s.Clock.Now().UnixMicro(), b.ID)
	_, err = store.Put(ctx, key, bytes.NewReader(body), blob.PutOptions{ContentType: "application/zstd"})
	return err
}

func encodeSpool(b *Batch, masked bool) ([]byte, error) {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	lines := json.NewEncoder(z)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(spoolHeader{Format: 1, BatchID: b.ID, Masked: masked, Entries: len(b.Entries)}); err != nil {
		return nil, err
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		if err := lines.Encode(spoolEntry{e.ID, e.GivenID, e.CreatedAt, e.Level, e.Source, e.Message, e.Metadata, e.UserID, e.SessionID}); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func decodeSpool(r io.Reader) (b *Batch, masked bool, err error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, false, err
	}
	defer z.Close()
	lines := json.NewDecoder(z)
	var h spoolHeader
	if err := lines.Decode(&h); err != nil {
		return nil, false, err
	}
	if h.Format != 1 || h.Entries < 0 || h.Entries > MaxEntries {
		return nil, false, fault.New(fault.Corrupt, "the batch has the unknown format %d", h.Format)
	}
	b = &Batch{ID: h.BatchID, Sent: h.Entries, Entries: make([]Entry, h.Entries)}
	for i := range b.Entries {
		var e spoolEntry
		if err := lines.Decode(&e); err != nil {
			return nil, false, err
		}
		b.Entries[i] = Entry{ID: e.ID, GivenID: e.Given, CreatedAt: e.CreatedAt.UTC(), Level: e.Level, Source: e.Source, Message: e.Message, Metadata: e.Metadata,
			UserID: e.UserID, SessionID: e.SessionID, index: i}
	}
	return b, h.Masked, nil
}

// Replayed says what a replay did.
type Replayed struct {
	Batches int `json:"batches"`
	Entries int `json:"entries"`
	Broken  int `json:"broken"`
}

// Replay stores the batches that wait, in the order of their arrival, and
// forgets each once it is stored. It stops at the first one that the store does
// not take at the moment, so that none is stored before an earlier one, and when
// ctx is done. A batch that was stored already is only forgotten.
func Replay(ctx context.Context, blobs blob.Store, store Store, log *slog.Logger) (r Replayed, err error) {
	var settings *Settings
	in := &Ingester{Store: store, Log: log}
	for object, err := range blobs.List(ctx, spoolFolder) {
		if err != nil {
			return r, err
		}
		if ctx.Err() != nil {
			return r, nil
		}
		if settings == nil {
			if settings, err = store.LogSettings(ctx); err != nil {
				return r, err
			}
		}
		b, masked, err := readSpooled(ctx, blobs, object.Key)
		if fault.CodeOf(err) == fault.Unavailable || fault.CodeOf(err) == fault.NotFound {
			return r, err
		}
		if err != nil {
			r.Broken++
			log.ErrorContext(ctx, "a batch that was put aside cannot be read", "key", object.Key, "moved_to", spoolBroken, "error", err.Error())
			if err := setAside(ctx, blobs, object.Key); err != nil {
				return r, err
			}
			continue
		}
		if !masked {
			settings.mask(b.Entries)
		}
		w, err := in.write(ctx, b)
		if err != nil {
			return r, err
		}
		if err := blobs.Delete(ctx, object.Key); err != nil {
			return r, err
		}
		r.Batches++
		r.Entries += w.Accepted
	}
	return r, nil
}

func readSpooled(ctx context.Context, blobs blob.Store, key string) (*Batch, bool, error) {
	body, err := blobs.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, false, err
	}
	defer body.Close()
	return decodeSpool(body)
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
