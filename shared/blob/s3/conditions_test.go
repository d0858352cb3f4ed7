package s3_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"guarda/shared/blob"
	"guarda/shared/fault"
)

// TestAStoreWithoutConditionalPutsIsLookedAtFirst: some look-alikes answer
// that they do not implement If-None-Match.
func TestAStoreWithoutConditionalPutsIsLookedAtFirst(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	stored := map[string]bool{}
	s := answering(t, 1, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case r.Header.Get("If-None-Match") != "":
			refusal(w, http.StatusNotImplemented, "NotImplemented")
		case r.Method == http.MethodPut && r.URL.Query().Has("partNumber"):
			w.Header().Set("ETag", `"part"`)
		case r.Method == http.MethodPost && r.URL.Query().Has("uploads"):
			_, _ = io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
		case r.Method == http.MethodPost: // complete
			stored[r.URL.Path] = true
			_, _ = io.WriteString(w, "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
		case r.Method == http.MethodPut:
			stored[r.URL.Path] = true
		case r.Method == http.MethodHead && stored[r.URL.Path]:
			length := "9437184"
			if strings.HasSuffix(r.URL.Path, "small") {
				length = "1"
			}
			w.Header().Set("Content-Length", length)
		case r.Method == http.MethodGet: // the list that explains what HEAD cannot
			_, _ = io.WriteString(w, "<ListBucketResult></ListBucketResult>")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	for key, body := range map[string]func() io.Reader{
		"small": func() io.Reader { return strings.NewReader("x") },
		"large": func() io.Reader { return io.LimitReader(zeros{}, 9<<20) },
	} {
		if _, err := s.Put(t.Context(), key, body(), blob.PutOptions{IfAbsent: true}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if _, err := s.Put(t.Context(), key, body(), blob.PutOptions{IfAbsent: true}); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("%s again: %v", key, err)
		}
	}
}
