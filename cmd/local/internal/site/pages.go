// Package site serves what is not the API: the built pages of the web client
// and the API's description as a page to read.
package site

import (
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
)

const notBuilt = `<!doctype html><meta charset="utf-8"><title>Guarda</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:20vh auto;max-width:32rem;padding:0 1rem;color-scheme:light dark}code{font-size:1.1em}</style>
<h1>Guarda</h1><p>The web client is not built. Run <code>make build</code>, then load this page again.</p>
<p>The API is there: <a href="/api/docs">/api/docs</a>.</p>`

// Pages serves the built client in a folder. A path that is no file of it is a
// page of the client, which does its own routing, so it gets index.html.
// Files below assets/ have their content's hash in their name and may be kept
// for ever; everything else is asked for again each time.
func Pages(dir string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		root, err := os.OpenRoot(dir)
		if err != nil {
			h.Set("Content-Type", "text/html; charset=utf-8")
			h.Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(notBuilt))
			return
		}
		defer func() { _ = root.Close() }()
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		if st, err := fs.Stat(root.FS(), name); name == "" || err != nil || !st.Mode().IsRegular() {
			if strings.HasPrefix(name, "assets/") || path.Ext(name) != "" && !strings.HasPrefix(name, "admin/") {
				http.NotFound(w, r) // a page in its place would be taken for a script
				return
			}
			name = "index.html"
		}
		h.Set("Cache-Control", "no-cache")
		if strings.HasPrefix(name, "assets/") {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		f, err := root.Open(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer f.Close()
		st, err := f.Stat()
		if err != nil {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, name, st.ModTime(), f)
	})
}

// Contract serves the API's description as it is.
func Contract(file string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeFile(w, r, file)
	})
}
