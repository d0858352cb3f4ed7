package lambdafn_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"guarda/shared/lambdafn"
)

func TestPagesOfTheAllowedOriginReadAnswers(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"", "*", "https://guarda.example"} {
		h := lambdafn.CORS(origin, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != origin || w.Code != http.StatusTeapot {
			t.Errorf("%q: %q, %d", origin, got, w.Code)
		}
	}
}
