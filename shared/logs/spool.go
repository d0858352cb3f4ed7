package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	if h.Format != 1 || h.Entries < 0 {
		return nil, false, fault.New(fault.Corrupt, "the batch has the unknown format %d", h.Format)
	}
	b = &Batch{ID: h.BatchID, Sent: h.Entries, Entries: make([]Entry, 0, min(h.Entries, MaxEntries))} // a subscription may send more than a request
	for i := range h.Entries {
		var e spoolEntry
		if err := lines.Decode(&e); err != nil {
			return nil, false, err
		}
		b.Entries = append(b.Entries, Entry{ID: e.ID, GivenID: e.Given, CreatedAt: e.CreatedAt.UTC(), Level: e.Level, Source: e.Source, Message: e.Message, Metadata: e.Metadata,
			UserID: e.UserID, SessionID: e.SessionID, index: i})
	}
	return b, h.Masked, nil
}
