package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/logs"
)

// Status says where an export is.
type Status string

// The statuses, the specification's.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Completed Status = "completed"
	Failed    Status = "failed"
)

const (
	// KeepFor is how long an export's file is kept.
	KeepFor = 7 * 24 * time.Hour
	// Silence is how long a running export may say nothing before it counts as
	// dead.
	Silence = 2 * time.Minute
	// folder is where the files are; no source can be named _logs.
	folder    = "_logs/exports/"
	beatEvery = 2 * time.Second
	// countFor is how long counting what will come may take.
	countFor = 5 * time.Second
	bars     = 120 // of a PDF's histogram
)

// Export is a file of entries that was asked for.
type Export struct {
	ID      string
	UserID  string // "": asked for with an API key of nobody
	Status  Status
	Format  Format
	Filters json.RawMessage // as asked for
	Query   logs.Query
	Settings
	RowsDone     int64
	RowsExpected *int64
	Rows         *int64
	Bytes        *int64
	Path         string // in the store; "" until it is complete, and when it is gone
	Failure      *fault.Failure
	CreatedAt    time.Time
	HeartbeatAt  *time.Time
	CompletedAt  *time.Time
	ExpiresAt    *time.Time // of the file
	Attempt      int        // how often a function has taken it up
}

// Settings shape the file.
type Settings struct {
	Columns  []Column `json:"columns,omitempty"`
	Mask     []string `json:"mask,omitempty"`
	Gzip     bool     `json:"gzip,omitempty"`
	Language string   `json:"language,omitempty"`
	Zone     string   `json:"zone,omitempty"`
	Shown    []string `json:"shown,omitempty"` // the filters in words, for PDF
}

// Dead reports whether an export that says it is running is not.
func (e *Export) Dead(now time.Time) bool {
	return e.Status == Running && e.HeartbeatAt != nil && now.Sub(*e.HeartbeatAt) > Silence
}

// FileName is what a browser saves the file as.
func (e *Export) FileName() string {
	name := "logs-" + e.CreatedAt.UTC().Format("20060102T150405Z") + "." + string(e.Format)
	if e.Gzip {
		name += ".gz"
	}
	return name
}

// Store keeps exports. See exportstore for the contract.
type Store interface {
	// Claim makes an export running that is pending, or whose function died;
	// nil, nil when there is nothing to do.
	Claim(ctx context.Context, id string, now time.Time) (*Export, error)
	// Beat records how far a claimed export is; false when it is not the
	// caller's any more: it was canceled, or another function took it up.
	Beat(ctx context.Context, e *Export, rows int64, expected *int64, now time.Time) (bool, error)
	// Complete records the file; false as Beat.
	Complete(ctx context.Context, e *Export, done Done) (bool, error)
	Fail(ctx context.Context, e *Export, f fault.Failure, now time.Time) error
	// Return makes a running export pending again.
	Return(ctx context.Context, e *Export) error
	Expired(ctx context.Context, now time.Time, limit int) ([]Export, error)
	Forget(ctx context.Context, id string) error
}

// Done is what an export became.
type Done struct {
	Path        string
	Rows, Bytes int64
	Last        string // id of the last entry written; "" when there is none
	LastAt      time.Time
	At, Expires time.Time
}

// Entries are where entries come from. See logstore for the contract.
type Entries interface {
	LogSettings(ctx context.Context) (*logs.Settings, error)
	Count(ctx context.Context, q *logs.Query, words logs.TextSearch, most int64, budget time.Duration) (logs.Total, error)
	Stream(ctx context.Context, q *logs.Query, words logs.TextSearch, f func(*logs.Row) error) error
	Bars(ctx context.Context, q *logs.Query, words logs.TextSearch, n int, budget time.Duration) ([]Bucket, error)
}

// Runner makes the files.
type Runner struct {
	Store   Store
	Entries Entries
	Files   func(ctx context.Context) (blob.Store, error)
	Clock   clock.Clock
	Log     *slog.Logger
	// Every is how often progress is recorded; 0 is two seconds.
	Every time.Duration
}

// ErrLater says that the time was too short for this export: it is pending again.
var ErrLater = errors.New("the export needs more time")

// Do makes one export. Its failure is recorded on it and is no error here. When
// the time of ctx is over, the export is given back and the error is ErrLater
// if again says so; otherwise it fails with that reason.
func (r *Runner) Do(ctx context.Context, id string, again bool) error {
	e, err := r.Store.Claim(ctx, id, r.Clock.Now())
	if err != nil || e == nil {
		return err
	}
	done, err := r.write(ctx, e)
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if err == nil {
		return r.complete(keep, e, done)
	}
	if errors.Is(err, errNotOurs) {
		r.Log.InfoContext(ctx, "an export was canceled, or taken up by another function", "export_id", id)
		return nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		if again {
			return errors.Join(ErrLater, r.Store.Return(keep, e))
		}
		err = fault.New(fault.Unavailable, "the export did not finish in the time that its function has").
			Hint("export a shorter range, or as NDJSON or CSV, which are the fastest")
	}
	r.Log.WarnContext(ctx, "an export failed", "export_id", id, "error", err.Error())
	f := fault.FailureOf(err, fault.New(fault.Internal, "the export failed by a defect of this program").
		Hint("look for the export's id in the functions' logs; they have the cause"))
	return r.Store.Fail(keep, e, f, r.Clock.Now())
}

// complete records the file, or removes it when nobody wants it any more.
func (r *Runner) complete(ctx context.Context, e *Export, done *Done) error {
	ours, err := r.Store.Complete(ctx, e, *done)
	if err != nil || ours {
		return err
	}
	files, err := r.Files(ctx)
	if err != nil {
		return err
	}
	return files.Delete(ctx, done.Path)
}

// errNotOurs ends an export that was canceled or is another function's now.
var errNotOurs = errors.New("the export is not this function's any more")

// path is where an attempt puts the file. Each has its own, so that a function
// that was given up never writes over what another one made.
func (e *Export) path(attempt int) string {
	p := fmt.Sprintf("%s%s/%s-%d.%s", folder, e.CreatedAt.UTC().Format("20060102"), e.ID, attempt, e.Format)
	if e.Gzip {
		p += ".gz"
	}
	return p
}

// beats records progress until stop is called, rows or not: a search for what
// is rare may look for minutes before it finds the first one. When the export
// is not ours any more the context it returns ends with errNotOurs.
func (r *Runner) beats(ctx context.Context, e *Export, rows *atomic.Int64) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		every := r.Every
		if every == 0 {
			every = beatEvery
		}
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				// What cannot be recorded now can be in two seconds.
				if ours, err := r.Store.Beat(ctx, e, rows.Load(), nil, r.Clock.Now()); err == nil && !ours {
					cancel(errNotOurs)
				}
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-over
	}
}

// write streams the entries into the object.
func (r *Runner) write(outer context.Context, e *Export) (_ *Done, err error) {
	var written atomic.Int64
	ctx, stop := r.beats(outer, e, &written)
	defer func() {
		if err != nil && errors.Is(context.Cause(ctx), errNotOurs) {
			err = errNotOurs
		}
		stop()
	}()
	settings, err := r.Entries.LogSettings(ctx)
	if err != nil {
		return nil, err
	}
	files, err := r.Files(ctx)
	if err != nil {
		return nil, err
	}
	for attempt := 1; attempt < e.Attempt; attempt++ { // one that died may have left a file
		if err := files.Delete(ctx, e.path(attempt)); err != nil {
			return nil, err
		}
	}
	o, err := r.options(ctx, e, settings.Words())
	if err != nil {
		return nil, err
	}
	pr, pw := io.Pipe()
	done := &Done{Path: e.path(e.Attempt)}
	read := make(chan error, 1)
	go func() {
		err := r.rows(ctx, e, settings.Words(), o, pw, done, &written)
		_ = pw.CloseWithError(err) // nil is the end
		read <- err
	}()
	stored, err := files.Put(ctx, done.Path, pr, blob.PutOptions{ContentType: e.Format.ContentType()})
	_ = pr.CloseWithError(err) // ends the reading when storing failed
	if readErr := <-read; readErr != nil && (err == nil || fault.As(readErr) != nil && !errors.Is(readErr, err)) {
		err = readErr
	}
	if err != nil {
		return nil, err
	}
	done.Bytes, done.At = stored.Size, r.Clock.Now()
	done.Expires = done.At.Add(KeepFor)
	return done, nil
}

// options adds what has to be looked up: how many entries will come.
func (r *Runner) options(ctx context.Context, e *Export, words logs.TextSearch) (Options, error) {
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		zone = time.UTC
	}
	o := Options{Columns: e.Columns, Mask: e.Mask, Language: e.Language, Zone: zone, Made: r.Clock.Now(), Filters: e.Shown, Start: e.Query.Start, End: e.Query.End}
	if o.Total, err = r.Entries.Count(ctx, &e.Query, words, 0, countFor); err != nil {
		return o, err
	}
	if e.Format == PDF {
		if o.Buckets, err = r.Entries.Bars(ctx, &e.Query, words, bars, countFor); err != nil {
			return o, err
		}
	}
	ours, err := r.Store.Beat(ctx, e, 0, &o.Total.N, r.Clock.Now())
	if err == nil && !ours {
		err = errNotOurs
	}
	return o, err
}

// rows writes the entries, and counts in written how many.
func (r *Runner) rows(ctx context.Context, e *Export, words logs.TextSearch, o Options, out io.Writer, done *Done, written *atomic.Int64) error {
	var zip *gzip.Writer
	if e.Gzip {
		zip = gzip.NewWriter(out)
		out = zip
	}
	w, err := NewWriter(out, e.Format, o)
	if err != nil {
		return err
	}
	var last [2][]byte
	err = r.Entries.Stream(ctx, &e.Query, words, func(row *logs.Row) error {
		if err := w.Write(row); err != nil {
			return err
		}
		last[0], last[1] = append(last[0][:0], row.ID...), append(last[1][:0], row.CreatedAt...)
		done.Rows++
		written.Store(done.Rows)
		return nil
	})
	if err != nil && !errors.Is(err, ErrFull) {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if zip != nil {
		if err := zip.Close(); err != nil {
			return fmt.Errorf("compress the export: %w", err)
		}
	}
	if done.Rows > 0 {
		done.Last = string(last[0])
		done.LastAt, _ = time.Parse(time.RFC3339Nano, string(last[1]))
	}
	return nil
}

// Clean removes the files whose time is over and returns how many. The file
// goes first: what is cut off in between is done again.
func (r *Runner) Clean(ctx context.Context) (int, error) {
	files, err := r.Files(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for {
		list, err := r.Store.Expired(ctx, r.Clock.Now(), 100)
		if err != nil || len(list) == 0 {
			return n, err
		}
		for _, e := range list {
			if err := files.Delete(ctx, e.Path); err != nil {
				return n, err
			}
			if err := r.Store.Forget(ctx, e.ID); err != nil {
				return n, err
			}
			n++
		}
	}
}
