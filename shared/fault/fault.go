// Package fault defines the one kind of error that Guarda shows to people:
// a code that a program can act on, a message that says what was tried and on
// what, a hint that says what to do about it, and, for bad input, the fields
// at fault.
//
// Messages and hints are written in English as format strings. The format
// string is at the same time the key of the Portuguese catalogue (see Text),
// in the manner of gettext, so an error can be shown in the reader's language
// wherever it was made, and whenever: what is kept of it (Failure, Warning,
// Text in JSON) has the format and its arguments, and is put into words when it
// is read.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Code classifies an error. It is part of the public API: clients see it as
// the "code" member of a problem document.
type Code string

// The codes, each with the one HTTP status it maps to (see Code.HTTPStatus).
const (
	BadRequest       Code = "bad_request"        // 400: the request cannot be parsed
	Unauthenticated  Code = "unauthenticated"    // 401: no identity, or one that has expired
	Forbidden        Code = "forbidden"          // 403: the identity lacks a permission
	NotFound         Code = "not_found"          // 404
	MethodNotAllowed Code = "method_not_allowed" // 405
	Conflict         Code = "conflict"           // 409: the state of the thing forbids it
	Precondition     Code = "precondition"       // 412: If-Match did not match
	TooLarge         Code = "too_large"          // 413
	UnsupportedMedia Code = "unsupported_media"  // 415
	Invalid          Code = "invalid"            // 422: understood, and wrong
	RateLimited      Code = "rate_limited"       // 429
	Canceled         Code = "canceled"           // 499: the caller or a person stopped it
	Internal         Code = "internal"           // 500: a defect of ours; the cause is never shown
	Unavailable      Code = "unavailable"        // 503: something we depend on cannot be reached
	Exhausted        Code = "exhausted"          // 507: disk, quota or memory is used up
	Corrupt          Code = "corrupt"            // 500: stored bytes are not what was written
)

// HTTPStatus returns the HTTP status for the code; unknown codes are 500.
func (c Code) HTTPStatus() int {
	switch c {
	case BadRequest:
		return 400
	case Unauthenticated:
		return 401
	case Forbidden:
		return 403
	case NotFound:
		return 404
	case MethodNotAllowed:
		return 405
	case Conflict:
		return 409
	case Precondition:
		return 412
	case TooLarge:
		return 413
	case UnsupportedMedia:
		return 415
	case Invalid:
		return 422
	case RateLimited:
		return 429
	case Canceled:
		return 499
	case Unavailable:
		return 503
	case Exhausted:
		return 507
	default:
		return 500
	}
}

// Field says what is wrong with one field of the input. Name is the path as
// the caller wrote it ("configuration.timezone", "--jobs").
type Field struct {
	Name    string
	Code    string // machine-readable: "required", "unknown", "out_of_range", …
	Message Text
}

// Error is an error with a code. Make one with New; add to it with Hint,
// Field and Because, each of which returns the same error.
type Error struct {
	Code     Code
	Message  Text
	HintText Text
	Fields   []Field
	Err      error // the cause, for logs; nil if none
	Retry    int   // seconds after which a retry makes sense; 0 if unknown
}

// New returns an error with a code and a message.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: Text{format, args}}
}

// Hint adds what the reader can do about it.
func (e *Error) Hint(format string, args ...any) *Error {
	e.HintText = Text{format, args}
	return e
}

// Field adds a field that is at fault.
func (e *Error) Field(name, code, format string, args ...any) *Error {
	e.Fields = append(e.Fields, Field{Name: name, Code: code, Message: Text{format, args}})
	return e
}

// Because records the cause. The cause is part of Error() and of logs; it is
// not part of what an API shows.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// RetryAfter says after how many seconds trying again makes sense.
func (e *Error) RetryAfter(seconds int) *Error {
	e.Retry = seconds
	return e
}

// Error gives the whole story on one line, in English: message, fields, cause.
// The hint is not part of it; callers that print for people add it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message.String())
	for i, f := range e.Fields {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s: %s", f.Name, f.Message)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// As returns the outermost *Error in err's chain, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// CodeOf returns the code of err: Internal for an error without one, and ""
// for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e := As(err); e != nil {
		return e.Code
	}
	return Internal
}

// MessageOf returns the message of err. Of an error that nobody coded it is
// what the error says, in its own language.
func MessageOf(err error) Text {
	if e := As(err); e != nil {
		return e.Message
	}
	return Text{"%s", []any{err.Error()}}
}

// HintOf returns the English hint of err, or "".
func HintOf(err error) string {
	if e := As(err); e != nil {
		return e.HintText.String()
	}
	return ""
}
