package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"guarda/functions/internal/logquery"
	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/httpapi"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
	"guarda/shared/postgres/patternstore"
)

const (
	countBudget  = 8 * time.Second // for counting; API Gateway gives up after 29 s
	defaultRange = 24 * time.Hour
	trendBuckets = 24
	weekBuckets  = 84 // two hours each
	cursorKind   = "log_patterns"
)

// Deps are what the handler works with.
type Deps struct {
	Log      *slog.Logger
	Logs     *logstore.Store
	Patterns *patternstore.Store
	Clock    clock.Clock
}

// New makes the handler.
func New(d Deps) http.Handler {
	r := httpapi.NewRouter(d.Log)
	r.Handle("GET /api/logs/patterns", httpapi.Allow(auth.LogsRead, d.list))
	r.Handle("GET /api/logs/patterns/{id}", httpapi.Allow(auth.LogsRead, d.get))
	r.Handle("PATCH /api/logs/patterns/{id}", httpapi.Allow(auth.LogsManage, d.change))
	return r
}

type view struct {
	ID          string    `json:"id"`
	Template    string    `json:"template"`
	Source      string    `json:"source"`
	Level       string    `json:"level"`
	Count       int64     `json:"count"`
	Share       float64   `json:"share"`
	FirstSeenAt time.Time `json:"first_seen_at"`
	LastSeenAt  time.Time `json:"last_seen_at"`
	New         bool      `json:"new"`
	Surging     bool      `json:"surging"`
	Muted       bool      `json:"muted"`
	Surge       surge     `json:"surge"`
	Trend       *trend    `json:"trend,omitempty"`
	SampleLogID *string   `json:"sample_log_id"`
}

// surge compares the last hour with the same hour of earlier days; nulls while
// there are too few of them.
type surge struct {
	Since       *time.Time `json:"since"`
	RecentCount int64      `json:"recent_count"`
	Median      *float64   `json:"median"`
	MAD         *float64   `json:"mad"`
	Score       *float64   `json:"score"`
}

type trend struct {
	Start           time.Time `json:"start"`
	IntervalSeconds int       `json:"interval_seconds"`
	Counts          []int64   `json:"counts"`
}

func viewOf(p *patternstore.Pattern, total int64) view {
	v := view{
		ID: p.ID.String(), Template: p.Template, Source: p.Source, Level: p.Level, Count: p.Count, FirstSeenAt: p.FirstSeen, LastSeenAt: p.LastSeen,
		New: p.New, Surging: p.SurgingSince != nil, Muted: p.Muted, Surge: surge{p.SurgingSince, p.Recent, p.Usual, p.Deviation, p.Score},
	}
	if total > 0 {
		v.Share = float64(p.Count) / float64(total)
	}
	if p.Sample != uuid.Nil {
		id := p.Sample.String()
		v.SampleLogID = &id
	}
	return v
}

func trendOf(t *patternstore.Trend, id uuid.UUID) *trend {
	return &trend{t.Start.UTC(), int(t.Width.Seconds()), t.Counts[id]}
}

type listAnswer struct {
	Items      []view    `json:"items"`
	NextCursor *string   `json:"next_cursor"`
	HasMore    bool      `json:"has_more"`
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Total      int64     `json:"total_count"`
	WithNone   int64     `json:"without_pattern"`
	Exact      bool      `json:"exact"`
}

// position is a cursor: the range too, so that pages count the same entries.
type position struct {
	patternstore.Position
	By         patternstore.Sort `json:"s"`
	Start, End time.Time
}

func (d Deps) list(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	query := &logs.Query{Mode: logs.Words, Sources: q.Texts("source", 100, logs.MaxSource)}
	var levels []string
	for _, l := range q.Each("level", "debug", "info", "warn", "error", "critical") {
		query.Levels, levels = append(query.Levels, logs.Level(l)), append(levels, l)
	}
	f := patternstore.Filter{Contains: q.Text("q", 200), Muted: q.Bool("muted")}
	switch q.OneOf("status", "new", "surging") {
	case "new":
		f.New = true
	case "surging":
		f.Surging = true
	}
	p := position{By: patternstore.Sort(q.OneOf("sort", "count", "last_seen", "first_seen", "surge"))}
	if p.By == "" {
		p.By = patternstore.ByCount
	}
	if p.Start, p.End = logquery.Range(q); p.End.IsZero() {
		p.End = d.Clock.Now().UTC().Truncate(time.Microsecond)
	}
	if p.Start.IsZero() {
		p.Start = p.End.Add(-defaultRange)
	}
	limit := q.Limit(50)
	var last position
	var after *patternstore.Position
	if q.Cursor(cursorKind, &last) {
		if last.By != p.By {
			q.Field("cursor", "invalid", "is of a list in another order")
		}
		p, after = last, &last.Position
	}
	if !p.Start.Before(p.End) {
		q.Field("start_date", "range", "must be before end_date")
	}
	if err := q.Err(); err != nil {
		return err
	}
	query.Start, query.End = p.Start, p.End
	a := listAnswer{Items: []view{}, Start: p.Start, End: p.End}
	counted, err := d.count(r.Context(), query, &a)
	if err != nil {
		return err
	}
	found, err := d.Patterns.List(r.Context(), counted, f, p.By, after, limit+1)
	if err != nil {
		return err
	}
	if a.HasMore = len(found) > limit; a.HasMore {
		found = found[:limit]
		p.Position = patternstore.Position{Key: found[limit-1].Key, ID: found[limit-1].ID}
		next := httpapi.EncodeCursor(cursorKind, p)
		a.NextCursor = &next
	}
	ids := make([]uuid.UUID, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	trends, err := d.Patterns.Trends(r.Context(), ids, query.Sources, levels, p.Start, p.End, trendBuckets)
	if err != nil {
		return err
	}
	for i := range found {
		v := viewOf(&found[i], a.Total)
		v.Trend = trendOf(trends, found[i].ID)
		a.Items = append(a.Items, v)
	}
	return httpapi.JSON(w, http.StatusOK, a)
}

// count adds up the entries of the range by pattern, exactly unless there is no
// time for it.
func (d Deps) count(ctx context.Context, query *logs.Query, a *listAnswer) (map[uuid.UUID]int64, error) {
	tallies, backTo, err := d.Logs.Tallies(ctx, query, logs.TextSearch{}, 0, countBudget)
	if err != nil {
		return nil, err
	}
	a.Exact = backTo.IsZero()
	counted := map[uuid.UUID]int64{}
	for _, t := range tallies {
		a.Total += t.N
		if t.Pattern == uuid.Nil {
			a.WithNone += t.N
		} else {
			counted[t.Pattern] += t.N
		}
	}
	return counted, nil
}

type detail struct {
	view
	MergedIDs []string     `json:"merged_ids"`
	Sample    *sampleEntry `json:"sample"`
	Links     links        `json:"links"`
}

// links lead from a pattern to its entries, and to alert rules about it: what
// such a rule's condition is.
type links struct {
	Logs       string      `json:"logs"`
	Conditions []condition `json:"alert_conditions"`
}

// condition is of an alert rule (guarda.alert_rules).
type condition struct {
	Type   string            `json:"condition_type"`
	Config map[string]string `json:"condition_config"`
}

func linksOf(p *patternstore.Pattern) links {
	return links{"/api/logs/search?pattern_id=" + p.ID.String(), []condition{
		{"log_pattern_surge", map[string]string{"pattern_id": p.ID.String()}},
		{"log_pattern_new", map[string]string{"source": p.Source, "level": p.Level}},
	}}
}

type sampleEntry struct {
	ID        string    `json:"id"`
	Message   string    `json:"message"`
	CreatedAt time.Time `json:"created_at"`
}

func (d Deps) get(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	return d.show(w, r, id)
}

func (d Deps) show(w http.ResponseWriter, r *http.Request, id string) error {
	p, ids, err := d.Patterns.Get(r.Context(), id)
	if err != nil {
		return err
	}
	now := d.Clock.Now()
	week, err := d.Patterns.Trends(r.Context(), []uuid.UUID{p.ID}, nil, nil, now.Add(-7*24*time.Hour), now, weekBuckets)
	if err != nil {
		return err
	}
	out := detail{view: viewOf(p, 0), MergedIDs: []string{}, Links: linksOf(p)}
	if out.Share, err = d.Patterns.Share(r.Context(), p.ID); err != nil {
		return err
	}
	out.Trend = trendOf(week, p.ID)
	for _, one := range ids[1:] {
		out.MergedIDs = append(out.MergedIDs, one.String())
	}
	message, err := d.Patterns.Sample(r.Context(), p)
	if err != nil {
		return err
	}
	if message != nil {
		out.Sample = &sampleEntry{p.Sample.String(), *message, p.SampleAt}
	}
	return httpapi.JSON(w, http.StatusOK, out)
}

type change struct {
	Muted *bool `json:"muted"`
}

func (d Deps) change(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	in, err := httpapi.Decode[change](r)
	if err != nil {
		return err
	}
	if in.Muted == nil {
		var c httpapi.Check
		c.Field("muted", "required", "is required")
		return c.Err()
	}
	if err := d.Patterns.Mute(r.Context(), id, *in.Muted); err != nil {
		return err
	}
	return d.show(w, r, id)
}
