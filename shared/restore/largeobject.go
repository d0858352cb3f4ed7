package restore

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
)

const (
	putsAtOnce  = 64      // statements sent before their answers are read
	bytesAtOnce = 2 << 20 // of large objects
)

// loadLargeObjects writes a chunk of large objects, which the schema made, in
// one transaction: it is kept only when the end of the chunk proved all of it.
// Writing the same bytes to the same place again does no harm.
func (x *restoration) loadLargeObjects(ctx context.Context, conn *pgx.Conn, l load) (err error) {
	r, err := manifest.OpenChunk(ctx, x.Store, l.chunk, x.key)
	if err != nil {
		return err
	}
	defer r.Close()
	in := &counted{r: r, t: &x.progress}
	defer func() {
		if err != nil {
			x.progress.bytes.Add(-in.n)
			if !conn.IsClosed() {
				_ = pgsession.Exec(context.WithoutCancel(ctx), conn, "rollback")
			}
		}
	}()
	if err := pgsession.Exec(ctx, conn, "begin"); err != nil {
		return x.stopped(err, l.name())
	}
	pieces := manifest.NewLargeObjectReader(in)
	for more := true; more; {
		batch, size := &pgx.Batch{}, 0
		for more && batch.Len() < putsAtOnce && size < bytesAtOnce {
			oid, offset, data, err := pieces.Next()
			if err == io.EOF {
				more = false
				break
			}
			if err != nil {
				return err
			}
			batch.Queue("select pg_catalog.lo_put($1, $2, $3)", oid, offset, append([]byte(nil), data...))
			size += len(data)
		}
		if err := conn.SendBatch(ctx, batch).Close(); err != nil {
			return x.stopped(err, l.name())
		}
	}
	if err := pgsession.Exec(ctx, conn, x.journal.note(l.mark())+"commit"); err != nil {
		return x.stopped(err, l.name())
	}
	return nil
}
