package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"guarda/shared/clock"
	"guarda/shared/fault"
)

// exportJob is an export as the API shows it.
type exportJob struct {
	ExportID    string  `json:"export_id"`
	Status      string  `json:"status"`
	DownloadURL *string `json:"download_url"`
	FileName    string  `json:"file_name"`
	RowsDone    int64   `json:"rows_done"`
	RowCount    *int64  `json:"row_count"`
	Error       *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	} `json:"error"`
}

func (a *app) logsExportCommand() *cobra.Command {
	var where apiFlags
	var entries entryFlags
	var format, output string
	c := &cobra.Command{
		Use:   "export [TERM] --format F --output FILE|- --api URL --api-key-file F",
		Short: "Export log entries to a file",
		Args:  cobra.MaximumNArgs(1),
	}
	where.add(c)
	entries.add(c, true)
	c.Flags().StringVar(&format, "format", "", "csv, json, ndjson, pdf, xlsx or parquet (required)")
	c.Flags().StringVar(&output, "output", "", "file to write, or - for standard output (required)")
	c.Flags().BoolVar(&a.json, "json", false, "print the result as JSON")
	_ = c.MarkFlagRequired("format")
	_ = c.MarkFlagRequired("output")
	var words string
	c.PreRun = func(_ *cobra.Command, args []string) { words = strings.Join(args, "") }
	c.RunE = a.work(func(ctx context.Context) error {
		if formats := []string{"csv", "json", "ndjson", "pdf", "xlsx", "parquet"}; !slices.Contains(formats, format) {
			return usageError{fault.New(fault.Invalid, "unknown export format %q", format).Hint("choose one of: %s", strings.Join(formats, ", "))}
		}
		if a.json && output == "-" {
			return usageError{fault.New(fault.Invalid, "--json and --output - both write to standard output")}
		}
		client, err := where.open()
		if err != nil {
			return err
		}
		request, err := entries.export(format, words, clock.System{}.Now())
		if err != nil {
			return err
		}
		job, err := a.export(ctx, client, request)
		if err != nil {
			return err
		}
		n, err := client.download(ctx, *job.DownloadURL, output, a.out)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(map[string]any{"export_id": job.ExportID, "rows": job.RowCount, "bytes": n, "output": output})
		}
		fmt.Fprintf(a.err, "%s written\n", size(n))
		return nil
	})
	return c
}

// export returns the body of POST /api/logs/export.
func (f *entryFlags) export(format, term string, now time.Time) ([]byte, error) {
	q, err := f.query(term, now)
	if err != nil {
		return nil, err
	}
	dates, filters := map[string]string{}, map[string]any{}
	for name, v := range q {
		switch {
		case name == "start_date":
			dates["start"] = v[0]
		case name == "end_date":
			dates["end"] = v[0]
		case (name == "level" || name == "source") && len(v) > 0:
			filters[name] = v
		case len(v) > 0:
			filters[name] = v[0]
		}
	}
	return json.Marshal(map[string]any{"format": format, "filters": filters, "date_range": dates})
}

// export asks for a file and waits until it is there.
func (a *app) export(ctx context.Context, client *api, request []byte) (*exportJob, error) {
	got, err := client.send(ctx, http.MethodPost, "/api/logs/export", nil, request, http.Header{"Content-Type": {"application/json"}})
	if err != nil {
		return nil, err
	}
	var job exportJob
	if err := decodeAnswer(got, &job); err != nil {
		return nil, err
	}
	for job.DownloadURL == nil {
		if job.Status == "failed" && job.Error != nil {
			return nil, fault.New(fault.Code(job.Error.Code), "the export failed: %s", job.Error.Message).Hint("%s", job.Error.Hint)
		}
		if job.Status == "failed" || job.Status == "completed" {
			return nil, fault.New(fault.NotFound, "the file of the export %s is gone", job.ExportID)
		}
		if a.terminal() {
			fmt.Fprintf(a.err, "\r%s rows", count(job.RowsDone))
		}
		select {
		case <-ctx.Done():
			return nil, a.cancelExport(ctx, client, job.ExportID)
		case <-time.After(time.Second):
		}
		if err := client.get(ctx, "/api/logs/exports/"+job.ExportID, nil, &job); err != nil {
			if ctx.Err() != nil {
				return nil, a.cancelExport(ctx, client, job.ExportID)
			}
			return nil, err
		}
	}
	return &job, nil
}

// cancelExport stops an export that nobody waits for any more, and returns why.
func (a *app) cancelExport(ctx context.Context, client *api, id string) error {
	quick, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	if got, err := client.send(quick, http.MethodPost, "/api/logs/exports/"+id+"/cancel", nil, nil, nil); err == nil {
		_ = got.Body.Close()
	}
	return ctx.Err()
}

// download writes what a signed link leads to: to a file that is there whole or
// not at all, or to out.
func (c *api) download(ctx context.Context, link, output string, out io.Writer) (int64, error) {
	if strings.HasPrefix(link, "/") {
		link = c.base + link
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil) // the link is enough: no key
	if err != nil {
		return 0, err
	}
	got, err := c.http.Do(r)
	if err != nil {
		return 0, fault.New(fault.Unavailable, "the exported file cannot be downloaded").Because(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return 0, fault.New(fault.Unavailable, "the exported file cannot be downloaded: status %d", got.StatusCode)
	}
	if output == "-" {
		return io.Copy(out, got.Body)
	}
	f, err := os.CreateTemp(filepath.Dir(output), ".guarda-export-*")
	if err != nil {
		return 0, fault.New(fault.Forbidden, "%s cannot be written", output).Because(err)
	}
	n, err := io.Copy(f, got.Body)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil && got.ContentLength >= 0 && n != got.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = os.Rename(f.Name(), output)
	}
	if err != nil {
		os.Remove(f.Name())
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, fault.New(fault.Unavailable, "the exported file cannot be downloaded").Because(err)
	}
	return n, nil
}
