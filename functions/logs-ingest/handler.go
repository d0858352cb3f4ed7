package main

import (
	"crypto/sha256"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"guarda/shared/auth"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/logs"
)

// maxEncoded is how many bytes a body may have as it is sent; API Gateway takes
// no more.
const maxEncoded = 10 << 20

// maxRejections is how many rejections an answer lists.
const maxRejections = 100

type handler struct{ ingester *logs.Ingester }

// New makes the handler of both routes.
func New(log *slog.Logger, in *logs.Ingester) http.Handler {
	h := &handler{in}
	rt := httpapi.NewRouter(log)
	rt.Handle("POST /api/logs", httpapi.Allow(auth.LogsWrite, h.take))
	rt.Handle("POST /v1/logs", httpapi.Allow(auth.LogsWrite, h.takeOTLP))
	return rt
}

// receipt is the answer to POST /api/logs.
type receipt struct {
	Success    bool        `json:"success"`
	Accepted   int         `json:"accepted"`
	Duplicates int         `json:"duplicates"`
	Rejected   int         `json:"rejected"`
	Rejections []rejection `json:"rejections"`
	BatchID    string      `json:"batch_id"`
}

type rejection struct {
	Index   int    `json:"index"`
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (h *handler) take(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	source := q.Text("source", logs.MaxSource)
	key := q.IdempotencyKey(r)
	if strings.IndexByte(source, 0) >= 0 || !utf8.ValidString(source) {
		q.Field("source", "invalid", "must not hold the character U+0000")
	}
	if err := q.Err(); err != nil {
		return err
	}
	media, err := mediaType(r, "application/json", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/zstd", "application/gzip", "application/octet-stream")
	if err != nil {
		return err
	}
	body, err := readBody(r, media)
	if err != nil {
		return err
	}
	batch, err := logs.Parse(body, strings.Contains(media, "ndjson") || strings.Contains(media, "jsonl"), source)
	if err != nil {
		return err
	}
	identity, err := auth.FromContext(r.Context())
	if err != nil {
		return err
	}
	if key != "" {
		batch.ID = batchID(identity.Subject(), key, body)
	}
	got, err := h.ingester.Take(r.Context(), batch, logs.Sender{Subject: identity.Subject(), KeyID: identity.APIKeyID})
	if err != nil {
		return err
	}
	if len(got.Rejections) > 0 && got.Accepted+got.Duplicates == 0 {
		return refused(got.Rejections)
	}
	status := http.StatusOK
	if got.Spooled {
		status = http.StatusAccepted
	}
	return httpapi.JSON(w, status, receiptOf(got, httpapi.Language(r)))
}

// batchID names what a key was sent with: the same key and body again are the
// same batch, which is stored once.
func batchID(subject, key string, body []byte) uuid.UUID {
	sum := sha256.Sum256(body)
	return uuid.NewSHA1(uuid.NameSpaceURL, append([]byte("guarda:logs\x00"+subject+"\x00"+key+"\x00"), sum[:]...))
}

func receiptOf(got *logs.Receipt, lang fault.Language) receipt {
	out := receipt{Success: len(got.Rejections) == 0, Accepted: got.Accepted, Duplicates: got.Duplicates, Rejected: rejectedEntries(got.Rejections), Rejections: []rejection{}, BatchID: got.BatchID.String()}
	for _, x := range got.Rejections[:min(len(got.Rejections), maxRejections)] {
		out.Rejections = append(out.Rejections, rejection{x.Index, x.Field, x.Code, x.Message.In(lang)})
	}
	return out
}

// rejectedEntries counts entries, which may have several reasons.
func rejectedEntries(list []logs.Rejection) int {
	seen := map[int]bool{}
	for _, x := range list {
		seen[x.Index] = true
	}
	return len(seen)
}

// refused is the answer when no entry was taken. A request whose only fault is
// its syntax is one that cannot be read.
func refused(list []logs.Rejection) error {
	code := fault.Invalid
	if !slices.ContainsFunc(list, func(x logs.Rejection) bool { return x.Code != "syntax" && x.Code != "utf8" }) {
		code = fault.BadRequest
	}
	err := fault.New(code, "no entry was accepted").Hint("errors says for each entry, by its place, what is wrong with it")
	for _, x := range list[:min(len(list), maxRejections)] {
		err.Fields = append(err.Fields, fault.Field{Name: place(x), Code: x.Code, Message: x.Message})
	}
	return err
}

func mediaType(r *http.Request, allowed ...string) (string, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || !slices.Contains(allowed, media) || charset != "" && charset != "utf-8" {
		return "", fault.New(fault.UnsupportedMedia, "the content type %q is not one that is understood here", r.Header.Get("Content-Type")).
			Hint("send one of: %s", strings.Join(allowed, ", "))
	}
	return media, nil
}

// readBody reads and decodes a body. A content type that names a compression
// stands for the encoding.
func readBody(r *http.Request, media string) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxEncoded+1))
	if err != nil {
		return nil, fault.New(fault.BadRequest, "the body cannot be read").Because(err)
	}
	if len(raw) > maxEncoded {
		return nil, fault.New(fault.TooLarge, "the body has more than %d bytes", maxEncoded)
	}
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	if encoding == "" {
		switch media {
		case "application/zstd":
			encoding = "zstd"
		case "application/gzip":
			encoding = "gzip"
		}
	}
	return logs.Decode(raw, encoding)
}
