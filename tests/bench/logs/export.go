package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"guarda/shared/logs"
	"guarda/shared/logs/export"
	"guarda/shared/postgres/exportstore"
)

// exportRounds is how often each way of making a CSV file is measured.
const exportRounds = 3

// exports measures the export of a day through export-worker against psql's
// \copy of the same rows, in turns, and compares the two files record by
// record; then the other formats once each.
func (b *bench) exports() error {
	psql, err := exec.LookPath("psql")
	if err != nil {
		return fmt.Errorf("exports are compared with psql's \\copy: %w", err)
	}
	var ours, theirs []float64
	var last *export.Export
	peak := 0.0
	for range exportRounds {
		took, e, mb, err := b.export(export.CSV)
		if err != nil {
			return err
		}
		ours, last, peak = append(ours, float64(*e.Rows)/took.Seconds()), e, max(peak, mb)
		took, err = b.copyDay(psql, `select created_at, level, source, message, metadata, user_id, session_id, pattern_id, id from guarda.advanced_logs where `+b.dayRange())
		if err != nil {
			return err
		}
		theirs = append(theirs, float64(*e.Rows)/took.Seconds())
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	o, t := ours[exportRounds/2], theirs[exportRounds/2]
	fmt.Printf("export of %d rows to CSV: %.0f rows/s through the function, %.0f rows/s by \\copy, ratio %.2f (medians of %d rounds: %.0f and %.0f); peak memory of the function %.0f MB\n",
		*last.Rows, o, t, o/t, exportRounds, ours, theirs, peak)
	if err := b.sameRecords(psql, last); err != nil {
		return err
	}
	for _, f := range []export.Format{export.NDJSON, export.Parquet, export.XLSX} {
		took, e, mb, err := b.export(f)
		if err != nil {
			return err
		}
		fmt.Printf("export of %d rows to %s: %.0f rows/s, %.0f MB, peak memory %.0f MB\n", *e.Rows, f, float64(*e.Rows)/took.Seconds(), float64(*e.Bytes)/1e6, mb)
	}
	fmt.Println()
	return nil
}

// dayRange is the condition of the first day's rows.
func (b *bench) dayRange() string {
	return fmt.Sprintf("created_at >= '%s' and created_at < '%s'", b.first.Format(time.RFC3339), b.first.AddDate(0, 0, 1).Format(time.RFC3339))
}

// export makes an export of the first day in a function of its own, and
// returns its record, how long it took and the function's peak memory (MB).
func (b *bench) export(f export.Format) (took time.Duration, e *export.Export, peak float64, err error) {
	store := exportstore.New(b.db)
	e = &export.Export{Format: f, Filters: json.RawMessage(`{}`), CreatedAt: b.clock.Now(), Query: logs.Query{Mode: logs.Words, Start: b.first, End: b.first.AddDate(0, 0, 1)}}
	id, err := store.Create(b.ctx, e)
	if err != nil {
		return 0, nil, 0, err
	}
	worker, err := b.start("export-worker", b.url)
	if err != nil {
		return 0, nil, 0, err
	}
	defer worker.stop()
	order, err := json.Marshal(map[string]string{"export_id": id})
	if err != nil {
		return 0, nil, 0, err
	}
	if _, took, err = b.invoke(worker, order); err != nil {
		return 0, nil, 0, err
	}
	if e, err = store.Get(b.ctx, id); err != nil {
		return 0, nil, 0, err
	}
	if e.Status != export.Completed {
		return 0, nil, 0, fmt.Errorf("the export to %s is %s: %+v", f, e.Status, e.Failure)
	}
	peak, err = peakMemory(worker.cmd.Process.Pid)
	return took, e, peak, err
}

var peakLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

func peakMemory(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := peakLine.FindSubmatch(raw)
	if m == nil {
		return 0, errors.New("the kernel does not say how much memory was used")
	}
	kb, err := strconv.ParseFloat(string(m[1]), 64)
	return kb / 1024, err
}

func (b *bench) copied() string { return filepath.Join(b.work, "copied.csv") }

// copyDay lets psql copy a query to a file.
func (b *bench) copyDay(psql, query string) (time.Duration, error) {
	begin := b.clock.Now()
	cmd := exec.CommandContext(b.ctx, psql, "-X", "-q", "-d", b.url, "-c", `\copy (`+query+`) to '`+b.copied()+`' csv header`)
	cmd.Env = append(os.Environ(), "PGTZ=UTC")
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("psql: %w: %s", err, out)
	}
	return b.clock.Now().Sub(begin), nil
}

// sameRecords compares the export with what psql writes, times written as the
// export writes them.
func (b *bench) sameRecords(psql string, e *export.Export) error {
	_, err := b.copyDay(psql, `select to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at, level, source, message, metadata, user_id, session_id, pattern_id, id
		from guarda.advanced_logs where `+b.dayRange()+` order by guarda.advanced_logs.created_at desc, id desc`)
	if err != nil {
		return err
	}
	ours, err := os.Open(filepath.Join(b.work, "store", filepath.FromSlash(e.Path)))
	if err != nil {
		return err
	}
	defer ours.Close()
	theirs, err := os.Open(b.copied())
	if err != nil {
		return err
	}
	defer theirs.Close()
	x, y := csv.NewReader(ours), csv.NewReader(theirs)
	for n := 0; ; n++ {
		p, errX := x.Read()
		q, errY := y.Read()
		if errX == io.EOF && errY == io.EOF {
			fmt.Printf("the two files hold the same %d records, in the same order\n", n-1)
			return nil
		}
		if err := errors.Join(errX, errY); err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		if !slices.Equal(p, q) {
			return fmt.Errorf("record %d: %s is %s by \\copy", n, strings.Join(p, "|"), strings.Join(q, "|"))
		}
	}
}
