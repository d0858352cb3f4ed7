package lambdafn

import "net/http"

// CORS lets pages of an origin ("*": of any) read h's answers. API Gateway
// answers the preflight itself, but passes on what functions answer as it is.
// Credentials are headers, never cookies, so "*" gives nothing away. An empty
// origin changes nothing.
func CORS(origin string, h http.Handler) http.Handler {
	if origin == "" {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers", "ETag, Retry-After, X-Request-Id, Idempotent-Replayed")
		if origin != "*" {
			w.Header().Add("Vary", "Origin")
		}
		h.ServeHTTP(w, r)
	})
}
