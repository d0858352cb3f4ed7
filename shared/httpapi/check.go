package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"guarda/shared/fault"
)

// Check collects what is wrong with a request's fields, so that the caller
// hears of all of it at once. The zero Check is ready.
type Check struct{ fields []fault.Field }

// Field adds a field that is wrong.
func (c *Check) Field(name, code, format string, args ...any) {
	c.fields = append(c.fields, fault.Field{Name: name, Code: code, Message: fault.Text{Format: format, Args: args}})
}

// Add takes over the fields of a fault.Invalid error from a domain package;
// one without fields becomes a field of the given name. Other errors, and nil,
// are returned as they are.
func (c *Check) Add(name string, err error) error {
	f := fault.As(err)
	if f == nil || f.Code != fault.Invalid {
		return err
	}
	if len(f.Fields) == 0 {
		c.fields = append(c.fields, fault.Field{Name: name, Code: "invalid", Message: f.Message})
	}
	c.fields = append(c.fields, f.Fields...)
	return nil
}

// Err returns what was collected as one fault.Invalid, or nil.
func (c *Check) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return invalid(c.fields)
}

// Text checks that a required text has 1 to maxLength characters.
func (c *Check) Text(name, value string, maxLength int) {
	switch {
	case strings.TrimSpace(value) == "":
		c.Field(name, "required", "is required")
	case utf8.RuneCountInString(value) > maxLength:
		c.Field(name, "too_long", "has more than %d characters", maxLength)
	}
}

// OneOf checks that a required text is one of the allowed values.
func (c *Check) OneOf(name, value string, allowed ...string) {
	switch {
	case value == "":
		c.Field(name, "required", "is required")
	case !slices.Contains(allowed, value):
		c.Field(name, "not_allowed", "must be one of: %s", strings.Join(allowed, ", "))
	}
}

// Range checks that a number lies between two, both included.
func (c *Check) Range(name string, value, low, high int) {
	if value < low || value > high {
		c.Field(name, "out_of_range", "must be from %d to %d", low, high)
	}
}

// UUID checks that a text is a UUID.
func (c *Check) UUID(name, value string) {
	if !IsUUID(value) {
		c.Field(name, "invalid", "must be a UUID")
	}
}

// Texts checks a list of texts: at most maxItems, each of 1 to maxLength
// characters.
func (c *Check) Texts(name string, values []string, maxItems, maxLength int) {
	if len(values) > maxItems {
		c.Field(name, "too_many", "has more than %d items", maxItems)
		return
	}
	for _, v := range values {
		if n := utf8.RuneCountInString(v); n == 0 || n > maxLength {
			c.Field(name, "invalid", "each item must have 1 to %d characters", maxLength)
			return
		}
	}
}

// IsUUID reports whether s is a UUID in its usual form of 36 characters.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}

// IdempotencyKey returns the request's Idempotency-Key, "" if there is none.
// Servers and proxies do not agree on what other characters of a header are.
func (c *Check) IdempotencyKey(r *http.Request) string {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxIdempotencyKey || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
		c.Field("Idempotency-Key", "invalid", "must have 1 to %d visible ASCII characters", maxIdempotencyKey)
	}
	return key
}
