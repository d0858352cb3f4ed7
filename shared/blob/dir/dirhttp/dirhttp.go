// Package dirhttp serves the signed links of a dir store. It is a package of
// its own so that only what serves links brings in net/http.
package dirhttp

import (
	"mime"
	"net/http"
	"strings"

	"guarda/shared/blob/dir"
	"guarda/shared/fault"
)

// Handler serves <path>/<key> for links that the store signed; mount it below
// the path of the store's BaseURL with http.StripPrefix. It answers GET and
// HEAD, with ranges and conditions, and everything else with a line of text.
func Handler(store *dir.Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "private, no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			refuse(w, r, fault.New(fault.MethodNotAllowed, "a link is read with GET"))
			return
		}
		key := strings.TrimPrefix(r.URL.Path, "/")
		name, err := store.CheckLink(key, r.URL.Query())
		if err != nil {
			refuse(w, r, err)
			return
		}
		f, object, err := store.OpenFile(r.Context(), key)
		if err != nil {
			refuse(w, r, err)
			return
		}
		defer f.Close()
		h.Set("Content-Type", "application/octet-stream")
		if name != "" {
			h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		}
		http.ServeContent(w, r, "", object.Modified, f)
	})
}

// refuse answers with the message in the reader's language. Causes, which
// name paths of this machine, are not shown.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := fault.As(err)
	if e == nil || e.Code == fault.Invalid || e.Code == fault.NotFound {
		e = fault.New(fault.NotFound, "there is no such object").Hint("ask for a new link")
	}
	language := fault.LanguageOf(r.Header.Get("Accept-Language"))
	text := e.Message.In(language)
	if hint := e.HintText.In(language); hint != "" {
		text += "\n" + hint
	}
	http.Error(w, text, e.Code.HTTPStatus())
}
