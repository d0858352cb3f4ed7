package main

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"guarda/shared/auth"
	"guarda/shared/httpapi"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
)

type handler struct{ store *logstore.Store }

// New makes the handler.
func New(log *slog.Logger, store *logstore.Store) http.Handler {
	h := &handler{store}
	rt := httpapi.NewRouter(log)
	rt.Handle("GET /api/settings/logs", httpapi.Allow(auth.LogsRead, h.get))
	rt.Handle("PUT /api/settings/logs", httpapi.Allow(auth.LogsManage, h.put))
	return rt
}

type retention struct {
	Source *string `json:"source"`
	Level  *string `json:"level"`
	Days   *int    `json:"days"`
}

type textSearch struct {
	Config      string `json:"config"`
	FoldAccents bool   `json:"fold_accents"`
}

type settings struct {
	TextSearch    textSearch          `json:"text_search"`
	KeyLimit      int                 `json:"entries_per_minute"`
	Retention     []retention         `json:"retention"`
	HotDays       *int                `json:"hot_days"`
	Masking       map[string][]string `json:"masking"`
	BeingPrepared *textSearch         `json:"text_search_being_prepared,omitempty"`
}

func viewOf(s *logs.Settings) settings {
	v := settings{TextSearch: textSearch{s.TextSearch, s.FoldAccents}, KeyLimit: s.KeyLimit, Retention: []retention{}, Masking: s.Masking}
	if s.Wanted != nil {
		v.BeingPrepared = &textSearch{s.Wanted.Config, s.Wanted.Fold}
	}
	if s.HotDays > 0 {
		v.HotDays = &s.HotDays
	}
	for _, r := range s.Retention {
		var out retention
		if r.Source != "" {
			out.Source = &r.Source
		}
		if r.Level != "" {
			level := string(r.Level)
			out.Level = &level
		}
		if r.Days > 0 {
			out.Days = &r.Days
		}
		v.Retention = append(v.Retention, out)
	}
	return v
}

func (h *handler) get(w http.ResponseWriter, r *http.Request) error {
	if err := httpapi.NewQuery(r).Err(); err != nil {
		return err
	}
	return h.show(r.Context(), w)
}

func (h *handler) show(ctx context.Context, w http.ResponseWriter) error {
	s, err := h.store.LogSettings(ctx)
	if err != nil {
		return err
	}
	httpapi.SetETag(w, s.Version)
	return httpapi.JSON(w, http.StatusOK, viewOf(s))
}

// maxRules bounds both lists.
const maxRules = 1000

func (h *handler) put(w http.ResponseWriter, r *http.Request) error {
	version, err := httpapi.IfMatch(r)
	if err != nil {
		return err
	}
	in, err := httpapi.Decode[settings](r)
	if err != nil {
		return err
	}
	s, err := check(in)
	if err != nil {
		return err
	}
	if err := h.store.SetLogSettings(r.Context(), s, version); err != nil {
		return err
	}
	return h.show(r.Context(), w)
}

func check(in settings) (*logs.Settings, error) {
	var c httpapi.Check
	out := &logs.Settings{KeyLimit: in.KeyLimit, Masking: in.Masking, Wanted: &logs.TextSearch{Config: in.TextSearch.Config, Fold: in.TextSearch.FoldAccents}}
	c.Text("text_search.config", in.TextSearch.Config, 63)
	c.Range("entries_per_minute", in.KeyLimit, 1, 1_000_000_000)
	if in.HotDays != nil {
		out.HotDays = *in.HotDays
		c.Range("hot_days", out.HotDays, 1, 36500)
	}
	if len(in.Retention) > maxRules {
		c.Field("retention", "too_many", "has more than %d items", maxRules)
	}
	if len(in.Masking) > maxRules {
		c.Field("masking", "too_many", "has more than %d items", maxRules)
	}
	seen := map[logs.RetentionRule]bool{}
	for i, rule := range in.Retention {
		name := "retention[" + strconv.Itoa(i) + "]"
		var out1 logs.RetentionRule
		if rule.Source != nil {
			out1.Source = *rule.Source
			c.Text(name+".source", out1.Source, logs.MaxSource)
		}
		if rule.Level != nil {
			out1.Level = logs.Level(*rule.Level)
			c.OneOf(name+".level", *rule.Level, "debug", "info", "warn", "error", "critical")
		}
		if seen[out1] {
			c.Field(name, "repeated", "is given more than once")
		}
		seen[out1] = true
		if rule.Days != nil {
			out1.Days = *rule.Days
			c.Range(name+".days", out1.Days, 1, 36500)
		}
		out.Retention = append(out.Retention, out1)
	}
	for source, rules := range in.Masking {
		c.Text("masking", source, logs.MaxSource)
		for _, rule := range rules {
			c.OneOf("masking."+source, rule, logs.MaskRules()...)
		}
	}
	return out, c.Err()
}
