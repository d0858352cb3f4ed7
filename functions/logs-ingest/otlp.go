package main

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"guarda/shared/auth"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/logs"
	"guarda/shared/logs/otlp"
)

func place(x logs.Rejection) string {
	name := "[" + strconv.Itoa(x.Index) + "]"
	if x.Field != "" {
		name += "." + x.Field
	}
	return name
}

const protobuf = "application/x-protobuf"

// takeOTLP answers as the protocol wants it: in the request's content type, a
// response message with 200, a google.rpc.Status with anything else.
func (h *handler) takeOTLP(w http.ResponseWriter, r *http.Request) error {
	media, err := mediaType(r, protobuf, "application/json")
	if err != nil {
		return err
	}
	receipt, err := h.exportLogs(r, media)
	lang := httpapi.Language(r)
	w.Header().Set("Content-Type", media)
	if err != nil {
		return answerStatus(w, err, media, lang)
	}
	why := ""
	if len(receipt.Rejections) > 0 {
		first := receipt.Rejections[0]
		why = place(first) + ": " + first.Message.In(lang)
	}
	rejected := rejectedEntries(receipt.Rejections)
	body := otlp.JSONResponse(rejected, why)
	if media == protobuf {
		body = otlp.ProtobufResponse(rejected, why)
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the caller is gone: nobody to tell
	return nil
}

// otlpKey takes the Idempotency-Key's place, which no exporter sends; no header
// can be it.
const otlpKey = "\x00otlp"

// tellsItself reports whether a body that comes again is the same request sent
// again, as exporters do that heard no answer: a record of it says its time
// more finely than to the millisecond, which nothing else will say in the same
// bytes. With coarser clocks two records of a moment may well be equal.
func tellsItself(entries []logs.Entry) bool {
	return slices.ContainsFunc(entries, func(e logs.Entry) bool {
		return !e.CreatedAt.IsZero() && !e.CreatedAt.Equal(e.CreatedAt.Truncate(time.Millisecond))
	})
}

func (h *handler) exportLogs(r *http.Request, media string) (*logs.Receipt, error) {
	body, err := readBody(r, media)
	if err != nil {
		return nil, err
	}
	read := otlp.JSON
	if media == protobuf {
		read = otlp.Protobuf
	}
	batch, err := read(body)
	if err != nil {
		return nil, err
	}
	identity, err := auth.FromContext(r.Context())
	if err != nil {
		return nil, err
	}
	var c httpapi.Check
	key := c.IdempotencyKey(r)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if key != "" {
		batch.ID = batchID(identity.Subject(), key, body)
	} else if tellsItself(batch.Entries) {
		batch.ID = batchID(identity.Subject(), otlpKey, body)
	}
	return h.ingester.Take(r.Context(), batch, logs.Sender{Subject: identity.Subject(), KeyID: identity.APIKeyID})
}

// answerStatus writes an error. The protocol's clients try again after 429,
// 502, 503 and 504 only, so what is worth trying again must be one of those.
func answerStatus(w http.ResponseWriter, err error, media string, lang fault.Language) error {
	f := fault.As(err)
	if f == nil || f.Code.HTTPStatus() == http.StatusInternalServerError {
		return err
	}
	status, message := f.Code.HTTPStatus(), f.Message.In(lang)
	if f.Code == fault.Exhausted {
		status = http.StatusServiceUnavailable
	}
	if f.Retry > 0 || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(max(f.Retry, 1)))
	}
	body := otlp.JSONStatus(grpcCode(status), message)
	if media == protobuf {
		body = otlp.ProtobufStatus(grpcCode(status), message)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return nil
}

// grpcCode is the google.rpc.Code that stands for an HTTP status.
func grpcCode(status int) int {
	switch status {
	case http.StatusTooManyRequests, http.StatusRequestEntityTooLarge:
		return 8 // RESOURCE_EXHAUSTED
	case http.StatusServiceUnavailable:
		return 14 // UNAVAILABLE
	}
	return 3 // INVALID_ARGUMENT
}
