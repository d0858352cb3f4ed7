package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"guarda/shared/fault"
)

// JSON writes v as the answer. HTML characters stay as they are.
func JSON(w http.ResponseWriter, status int, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(raw, '\n')) // the caller is gone: nobody to tell
	return nil
}

// NoContent answers 204.
func NoContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// problem is RFC 9457's document with Guarda's members.
type problem struct {
	Success   bool           `json:"success"`
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Code      fault.Code     `json:"code"`
	Detail    string         `json:"detail"`
	Hint      string         `json:"hint,omitempty"`
	Errors    []problemField `json:"errors,omitempty"`
	RequestID string         `json:"request_id"`
	BackupID  string         `json:"backup_id,omitempty"`
}

type problemField struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// WithBackupID returns err with the id of the failed execution, which its
// problem document then names.
func WithBackupID(err error, id string) error { return &backupError{err, id} }

type backupError struct {
	error
	id string
}

func (e *backupError) Unwrap() error { return e.error }

// Language is the one that the caller of a request reads.
func Language(r *http.Request) fault.Language {
	return fault.LanguageOf(r.Header.Get("Accept-Language"))
}

// WriteProblem writes err as application/problem+json in the caller's
// language. Errors without a code, and internal ones, show no cause.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	lang := Language(r)
	f := fault.As(err)
	if f == nil || f.Code == fault.Internal {
		f = fault.New(fault.Internal, "the request failed inside of Guarda").
			Hint("try again; if it goes on, give the request id to whoever runs this")
	}
	p := problem{
		Type: "/problems/" + string(f.Code), Title: title(f.Code).In(lang), Status: f.Code.HTTPStatus(), Code: f.Code,
		Detail: f.Message.In(lang), Hint: f.HintText.In(lang), RequestID: RequestID(r.Context()),
	}
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, problemField{field.Name, field.Code, field.Message.In(lang)})
	}
	var b *backupError
	if errors.As(err, &b) {
		p.BackupID = b.id
	}
	raw, err := json.Marshal(p)
	if err != nil { // strings and numbers only
		raw = []byte(`{"success":false}`)
	}
	retry := f.Retry
	if retry == 0 && (p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests) {
		retry = 5
	}
	if retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(retry))
	}
	if f.Code == fault.Unauthenticated {
		w.Header().Set("WWW-Authenticate", `Bearer realm="guarda"`)
	}
	w.Header().Set("Content-Language", string(lang))
	w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(raw, '\n'))
}

// title names a code for people.
func title(c fault.Code) fault.Text {
	switch c {
	case fault.BadRequest:
		return fault.New(c, "Bad request").Message
	case fault.Unauthenticated:
		return fault.New(c, "Not signed in").Message
	case fault.Forbidden:
		return fault.New(c, "Not allowed").Message
	case fault.NotFound:
		return fault.New(c, "Not found").Message
	case fault.MethodNotAllowed:
		return fault.New(c, "Method not allowed").Message
	case fault.Conflict:
		return fault.New(c, "Conflict").Message
	case fault.Precondition:
		return fault.New(c, "Changed meanwhile").Message
	case fault.TooLarge:
		return fault.New(c, "Too large").Message
	case fault.UnsupportedMedia:
		return fault.New(c, "Unsupported media type").Message
	case fault.Invalid:
		return fault.New(c, "Not valid").Message
	case fault.RateLimited:
		return fault.New(c, "Too many requests").Message
	case fault.Canceled:
		return fault.New(c, "Cancelled").Message
	case fault.Unavailable:
		return fault.New(c, "Unavailable").Message
	case fault.Exhausted:
		return fault.New(c, "Out of space").Message
	case fault.Corrupt:
		return fault.New(c, "Corrupt data").Message
	}
	return fault.New(c, "Internal error").Message
}

// Page is a page of a list.
type Page[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
	HasMore    bool    `json:"has_more"`
}

// NewPage makes a page from up to limit+1 items: the one too many says that
// there are more, and is left out. cursor gives what NextCursor encodes for
// the last item; kind names the list (see EncodeCursor).
func NewPage[T, C any](items []T, limit int, kind string, cursor func(T) C) Page[T] {
	p := Page[T]{Items: items}
	if p.Items == nil {
		p.Items = []T{}
	}
	if len(items) > limit {
		p.Items, p.HasMore = items[:limit], true
		c := EncodeCursor(kind, cursor(items[limit-1]))
		p.NextCursor = &c
	}
	return p
}
