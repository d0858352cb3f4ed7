package logs

import (
	"bytes"
	"context"
	"slices"

	"guarda/shared/blob"
	"guarda/shared/fault"
)

// EraseSpooled takes the entries that gone names out of the batches that wait,
// and returns how many there were. A batch keeps its key and its id; one of
// which nothing is left goes.
func EraseSpooled(ctx context.Context, blobs blob.Store, gone func(*Entry) bool) (n int, err error) {
	for object, err := range blobs.List(ctx, spoolFolder) {
		if err != nil {
			return n, err
		}
		b, masked, err := readSpooled(ctx, blobs, object.Key)
		switch fault.CodeOf(err) {
		case fault.NotFound: // it was stored meanwhile
			continue
		case fault.Unavailable, fault.Forbidden:
			return n, err
		}
		if err != nil { // the replay moves it out of the way
			continue
		}
		before := len(b.Entries)
		b.Entries = slices.DeleteFunc(b.Entries, func(e Entry) bool { return gone(&e) })
		if len(b.Entries) == before {
			continue
		}
		if len(b.Entries) == 0 {
			err = blobs.Delete(ctx, object.Key)
		} else {
			var body []byte
			if body, err = encodeSpool(b, masked); err == nil {
				_, err = blobs.Put(ctx, object.Key, bytes.NewReader(body), blob.PutOptions{ContentType: "application/zstd"})
			}
		}
		if err != nil {
			return n, err
		}
		n += before - len(b.Entries)
	}
	return n, nil
}
