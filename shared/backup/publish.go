package backup

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/fault"
)

// publish makes the folder a backup. A run that another process may take up any
// moment agrees on the bytes first: they are stored beside the plan, and named
// in the baton, which only the process that has the run can change. From then
// on whoever finishes the run publishes these, so that it does not matter who
// is the last.
func (x *execution) publish(ctx context.Context, m *manifest.Manifest, h *manifest.Header, sealed *Sealed) (int64, error) {
	if x.Relay == nil {
		return manifest.Write(ctx, x.Store, m, h, x.key)
	}
	if sealed != nil {
		raw, err := x.readSealed(ctx, sealed)
		if err != nil {
			return 0, err
		}
		return manifest.Publish(ctx, x.Store, x.folder, &sealed.Header, raw)
	}
	raw, err := manifest.Prepare(m, h, x.key)
	if err != nil {
		return 0, err
	}
	object := fmt.Sprintf("%s%s-manifest-%d", x.folder, manifest.PlanName, x.Relay.Leg)
	if _, err := x.Store.Put(ctx, object, bytes.NewReader(raw), blob.PutOptions{}); err != nil {
		return 0, err
	}
	if err := x.saved(ctx, Baton{Copied: true, Sealed: &Sealed{Object: object, Header: *h}}); err != nil {
		return 0, err
	}
	return manifest.Publish(ctx, x.Store, x.folder, h, raw)
}

func (x *execution) readSealed(ctx context.Context, s *Sealed) ([]byte, error) {
	src, err := x.Store.Get(ctx, s.Object, 0, s.Header.Manifest.Bytes+1)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	raw, err := io.ReadAll(src)
	if err == nil && int64(len(raw)) != s.Header.Manifest.Bytes {
		err = fault.New(fault.Corrupt, "the object %s is not what was written: it has another size", s.Object).
			Hint("run the backup again; if it happens again, check the store")
	}
	return raw, err
}
