package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"guarda/shared/fault"
)

// What one request holds at most; the API takes twice as much.
const (
	batchEntries = 5000
	batchBytes   = 8 << 20
)

func (a *app) logsIngestCommand() *cobra.Command {
	var where apiFlags
	var s sender
	c := &cobra.Command{
		Use:   "ingest FILE|- --api URL --api-key-file F",
		Short: "Send log entries",
		Long: `Send log entries to the API. A line that is a JSON object is an entry with the
API's members (message, level, source, metadata, created_at, …); every other
line is the message of one. Empty lines are skipped; what is beyond the first
64 KiB of a line is cut off. The input may be compressed with gzip or zstd.

Sending the same input again, after a failure, stores nothing twice.
Exits with 1 when an entry was rejected; the others are stored.`,
		Args: cobra.ExactArgs(1),
	}
	where.add(c)
	c.Flags().StringVar(&s.source, "source", "", "source of entries that name none (required)")
	c.Flags().StringVar(&s.level, "level", "info", "level of entries that name none")
	c.Flags().BoolVar(&a.json, "json", false, "print the result as JSON")
	_ = c.MarkFlagRequired("source")
	var path string
	c.PreRun = func(_ *cobra.Command, args []string) { path = args[0] }
	c.RunE = a.work(func(ctx context.Context) error {
		client, err := where.open()
		if err != nil {
			return err
		}
		in, err := openLog(path, c.InOrStdin())
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
		s.client = client
		if err := s.sendAll(ctx, in); err != nil {
			return err
		}
		return a.sent(&s.total)
	})
	return c
}

// sendReceipt adds up what the API answered.
type sendReceipt struct {
	Accepted   int             `json:"accepted"`
	Duplicates int             `json:"duplicates"`
	Rejected   int             `json:"rejected"`
	Rejections []sendRejection `json:"rejections"`
}

type sendRejection struct {
	Line    int    `json:"line"` // of the input, from 1
	Index   int    `json:"index,omitempty"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

// maxTold is how many rejections are told one by one.
const maxTold = 100

func (a *app) sent(r *sendReceipt) error {
	var failure error
	if r.Rejected > 0 {
		failure = reportedError{fault.New(fault.Invalid, "%d entries were rejected", r.Rejected)}
	}
	if a.json {
		if err := a.printJSON(r); err != nil {
			return err
		}
		return failure
	}
	for _, x := range r.Rejections {
		fmt.Fprintf(a.err, "line %d: %s: %s\n", x.Line, x.Field, x.Message)
	}
	fmt.Fprintf(a.out, "%d entries stored, %d stored before, %d rejected\n", r.Accepted, r.Duplicates, r.Rejected)
	return failure
}

// sender sends entries in batches.
type sender struct {
	client        *api
	source, level string
	total         sendReceipt

	body  bytes.Buffer
	lines []int // of the input, of the batch's entries
}

func (s *sender) sendAll(ctx context.Context, in *logInput) error {
	s.total.Rejections = []sendRejection{}
	lines := lineReader{in: bufio.NewReaderSize(in, maxLine)}
	for n := 1; ; n++ {
		line, err := lines.next()
		if err == io.EOF {
			return s.flush(ctx)
		}
		if err != nil {
			return in.explain(err)
		}
		if err := s.entry(n, line); err != nil {
			return err
		}
		if len(s.lines) == batchEntries || s.body.Len() >= batchBytes {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// entry adds a line to the batch.
func (s *sender) entry(n int, line []byte) error {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return nil
	}
	if line[0] != '{' || !json.Valid(line) {
		text := strings.ReplaceAll(strings.ToValidUTF8(string(line), "\uFFFD"), "\x00", "\uFFFD")
		raw, err := json.Marshal(map[string]string{"message": text, "level": s.level, "source": s.source})
		if err != nil {
			return err
		}
		line = raw
	}
	s.body.Write(line)
	s.body.WriteByte('\n')
	s.lines = append(s.lines, n)
	return nil
}

// flush sends the batch. The key is of its place and content, so that a second
// run sends the same one.
func (s *sender) flush(ctx context.Context) error {
	if len(s.lines) == 0 {
		return nil
	}
	sum := sha256.Sum256(fmt.Appendf(bytes.Clone(s.body.Bytes()), "\x00%d", s.lines[0]))
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/x-ndjson"}, "Content-Encoding": {"zstd"}, "Idempotency-Key": {"guarda-" + hex.EncodeToString(sum[:])}}
	got, err := s.client.send(ctx, http.MethodPost, "/api/logs", map[string][]string{"source": {s.source}}, z.EncodeAll(s.body.Bytes(), nil), header)
	if code := fault.CodeOf(err); code == fault.Invalid || code == fault.BadRequest { // no entry of the batch was taken
		s.reject(sendRejection{Line: s.lines[0], Field: "batch", Message: err.Error()}, len(s.lines))
		err = nil
	} else if err == nil {
		var r sendReceipt
		if err = decodeAnswer(got, &r); err == nil {
			s.total.Accepted += r.Accepted
			s.total.Duplicates += r.Duplicates
			s.total.Rejected += r.Rejected
			for _, x := range r.Rejections {
				if x.Index < len(s.lines) {
					x.Line = s.lines[x.Index]
				}
				s.reject(x, 0)
			}
		}
	}
	s.body.Reset()
	s.lines = s.lines[:0]
	return err
}

func (s *sender) reject(x sendRejection, count int) {
	s.total.Rejected += count
	if x.Index = 0; len(s.total.Rejections) < maxTold {
		s.total.Rejections = append(s.total.Rejections, x)
	}
}
