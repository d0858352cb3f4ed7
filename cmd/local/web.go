package main

import (
	"net/http"
	"path/filepath"
	"strings"

	"guarda/cmd/local/internal/gateway"
	"guarda/cmd/local/internal/site"
	"guarda/shared/blob/dir"
	"guarda/shared/blob/dir/dirhttp"
)

// routes is what the port serves: the API, links to stored objects, the API's
// description, and the pages.
func (s *stack) routes(o overlay) (http.Handler, error) {
	mux := http.NewServeMux()
	names := map[string]string{}
	for _, f := range s.template.Functions {
		names[f.ARN] = f.Name
	}
	for i, api := range s.template.APIs {
		g := gateway.New(gateway.Config{
			API: api, Region: s.template.Region, AccountID: s.template.AccountID, Invoke: s.runtime.Invoke, Clock: s.clock,
			FunctionName: func(arn string) string { return names[arn] },
			Log:          func(id, text string) { s.log.message("gateway", id+" "+text) },
		})
		if i == 0 {
			mux.Handle("/api/", g)
			mux.Handle("/v1/", g)
			mux.Handle("/metrics", g)
		} else { // more than one API: by its stage, as in the cloud
			mux.Handle("/"+api.Stage+"/", http.StripPrefix("/"+api.Stage, g))
		}
	}
	if path, ok := strings.CutPrefix(o.storeURL, "file://"); ok {
		store, err := dir.Open(filepath.FromSlash(path), dir.Options{SigningKey: []byte(o.secrets.LinkKey), BaseURL: o.filesURL, Clock: s.clock})
		if err != nil {
			return nil, err
		}
		mux.Handle("/files/", http.StripPrefix("/files", dirhttp.Handler(store)))
	}
	contract := filepath.Join(s.root, "infra", "openapi.yaml")
	mux.Handle("GET /api/docs", site.Docs(contract))
	mux.Handle("GET /api/openapi.yaml", site.Contract(contract))
	mux.Handle("/", site.Pages(filepath.Join(s.root, "web", "dist")))
	return mux, nil
}
