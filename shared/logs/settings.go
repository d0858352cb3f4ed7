package logs

// Settings are what the log store is set to.
type Settings struct {
	TextSearch   string // a text search configuration of Postgres: portuguese, simple, …
	FoldAccents  bool   // whether words are compared without their accents
	KeyLimit     int    // entries per minute and identity
	MaxAgeDays   int    // older entries are not taken in
	HotDays      int    // days that are older leave Postgres for the object store; 0: none does
	Retention    []RetentionRule
	Masking      map[string][]string // rules by source; "*" for every source that has none of its own
	Version      int64
	Wanted       *TextSearch // what the text search becomes when its index is built
	RetentionIDs []string    // of the rules, in their order
}

// TextSearch is how words are found.
type TextSearch struct {
	Config string
	Fold   bool
}

// Words is the active text search.
func (s *Settings) Words() TextSearch { return TextSearch{s.TextSearch, s.FoldAccents} }

// RetentionRule says how long entries are kept. "" is every source or level.
type RetentionRule struct {
	Source string
	Level  Level
	Days   int // 0: for ever
}

// Keep returns how many days an entry of a source and level is kept; 0 is for
// ever. The most specific rule counts: source and level, source, level, neither.
func (s *Settings) Keep(source string, level Level) int {
	best, days := -1, 0
	for _, r := range s.Retention {
		if r.Source != "" && r.Source != source || r.Level != "" && r.Level != level {
			continue
		}
		weight := 0
		if r.Source != "" {
			weight += 2
		}
		if r.Level != "" {
			weight++
		}
		if weight > best {
			best, days = weight, r.Days
		}
	}
	return days
}

// rules returns the masking rules for a source.
func (s *Settings) rules(source string) []string {
	if r, ok := s.Masking[source]; ok {
		return r
	}
	return s.Masking["*"]
}
