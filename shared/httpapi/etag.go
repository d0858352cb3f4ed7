package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"guarda/shared/fault"
)

// SetETag sends the version of what the answer shows.
func SetETag(w http.ResponseWriter, version int64) {
	w.Header().Set("ETag", `"v`+strconv.FormatInt(version, 10)+`"`)
}

// IfMatch returns the version that the caller read: a request without the
// header is fault.Invalid, one whose value was never an ETag of ours is
// fault.Precondition. A weak ETag counts as its strong one, because proxies
// that compress make it weak.
func IfMatch(r *http.Request) (int64, error) {
	h := strings.TrimSpace(r.Header.Get("If-Match"))
	if h == "" {
		var c Check
		c.Field("If-Match", "required", "send the ETag that you read, so that nobody's change is lost")
		return 0, c.Err()
	}
	digits, ok := strings.CutPrefix(strings.TrimPrefix(h, "W/"), `"v`)
	digits, closed := strings.CutSuffix(digits, `"`)
	version, err := strconv.ParseInt(digits, 10, 64)
	if !ok || !closed || err != nil || version < 1 {
		return 0, Changed()
	}
	return version, nil
}

// Changed is the error of an If-Match that does not match.
func Changed() error {
	return fault.New(fault.Precondition, "this was changed after you read it").
		Hint("read it again, look at what changed, and send your change with the new ETag")
}
