package logstore

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"guarda/shared/logs"
)

// where collects conditions and their parameters. Parameters are cast, because
// nothing is prepared.
type where struct {
	conditions []string
	args       []any
}

// add takes a condition with one ? for each value.
func (w *where) add(condition string, values ...any) {
	for _, v := range values {
		w.args = append(w.args, v)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.conditions = append(w.conditions, condition)
}

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return "true"
	}
	return strings.Join(w.conditions, " and ")
}

// between bounds a time column. Bounds are literals in the statement, not
// parameters, so that the planner looks at one partition only.
func (w *where) between(column string, low, high time.Time) {
	if !low.IsZero() {
		w.conditions = append(w.conditions, column+" >= "+timeLiteral(low))
	}
	if !high.IsZero() {
		w.conditions = append(w.conditions, column+" < "+timeLiteral(high))
	}
}

func timeLiteral(t time.Time) string {
	return "timestamptz '" + t.UTC().Format("2006-01-02 15:04:05.999999") + "+00'"
}

// counted adds the conditions on what entries are counted by; they fit both
// the entries' and the counts' table.
func (w *where) counted(q *logs.Query) {
	if len(q.Levels) > 0 {
		levels := make([]string, len(q.Levels))
		for i, l := range q.Levels {
			levels[i] = string(l)
		}
		w.add("level = any(?::text[])", levels)
	}
	if len(q.Sources) == 1 {
		w.add("source = ?::text", q.Sources[0])
	} else if len(q.Sources) > 1 {
		w.add("source = any(?::text[])", q.Sources)
	}
	if q.PatternID != "" {
		// Entries keep the id of a pattern that was merged into another one.
		w.add("pattern_id = any(array(select ?::text::uuid union all select p.id from guarda.log_patterns p where p.merged_into = ?::text::uuid))", q.PatternID, q.PatternID)
	}
	if len(q.NotSources) > 0 {
		w.add("source <> all(?::text[])", q.NotSources)
	}
	if len(q.NotPatterns) > 0 { // an entry without a pattern has none of them
		w.add("(pattern_id in (select unnest(?::text[])::uuid union all select p.id from guarda.log_patterns p where p.merged_into = any(?::text[]::uuid[]))) is not true", q.NotPatterns, q.NotPatterns)
	}
}

// all adds every condition but the range of time.
func (w *where) all(q *logs.Query, words logs.TextSearch) {
	w.counted(q)
	if q.UserID != "" {
		w.add("user_id = ?::text::uuid", q.UserID)
	}
	if q.SessionID != "" {
		w.add("session_id = ?::text", q.SessionID)
	}
	for _, m := range q.Metadata {
		w.conditions = append(w.conditions, w.metadata(m))
	}
	for _, m := range q.NotMetadata { // an entry without metadata does not have it
		w.conditions = append(w.conditions, w.metadata(m)+" is not true")
	}
	if q.Term != "" {
		w.term(q, words)
	}
}

// metadata returns the condition that a path has a value, in each way in which
// both can be read, with one jsonpath, so that the index is looked at once. Its
// lax mode looks into lists too: a list has each of its members as value.
func (w *where) metadata(m logs.PathValue) string {
	var ways []string
	for _, path := range m.Readings() {
		var at strings.Builder
		for _, key := range path {
			at.WriteByte('.')
			at.Write(literal(key))
		}
		for _, value := range readings(m.Value) {
			ways = append(ways, "$"+at.String()+" == "+value)
		}
	}
	w.args = append(w.args, strings.Join(ways, " || "))
	return "(metadata @@ $" + strconv.Itoa(len(w.args)) + "::text::jsonpath)"
}

// literal is a text in JSON, which a jsonpath takes as it is.
func literal(s string) []byte {
	raw, err := json.Marshal(s)
	if err != nil { // a text
		return []byte(`""`)
	}
	return raw
}

// readings returns the JSON scalars that a text may stand for: itself, and what
// it spells.
func readings(s string) []string {
	out := []string{string(literal(s))}
	switch s {
	case "true", "false", "null":
		return append(out, s)
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && json.Valid([]byte(s)) {
		out = append(out, s)
	}
	return out
}

// vector is the indexed expression of a text search, exactly as the index has
// it. The configuration's name was checked when it was set.
func vector(words logs.TextSearch) string {
	if words.Fold {
		return "to_tsvector('" + words.Config + "', guarda.fold_accents(message))"
	}
	return "to_tsvector('" + words.Config + "', message)"
}

// tsquery is the query of the parameter that ? stands for.
func tsquery(words logs.TextSearch) string {
	if words.Fold {
		return "websearch_to_tsquery('" + words.Config + "', guarda.fold_accents(?::text))"
	}
	return "websearch_to_tsquery('" + words.Config + "', ?::text)"
}

func (w *where) term(q *logs.Query, words logs.TextSearch) {
	switch q.Mode {
	case logs.Substring:
		pattern := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(q.Term) + "%"
		if words.Fold {
			w.add("guarda.fold_accents(message) ilike guarda.fold_accents(?::text)", pattern)
		} else {
			w.add("message ilike ?::text", pattern)
		}
	case logs.Regex:
		w.add("message ~* ?::text", q.Term)
	default:
		w.add(vector(words)+" @@ "+tsquery(words), q.Term)
	}
}
