package logstore

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"guarda/shared/logs"
)

// What ts_headline puts around matches: characters of the private use area,
// which messages do not have; one that has them is not marked.
const (
	markStart = "\uE000"
	markStop  = "\uE001"
)

// marks reads positions in UTF-16 code units out of a marked text. They are
// those of the message, when the marked text is the message with marks and with
// letters folded one to one; otherwise (the parser of text search takes tags
// out, for instance) there are none.
func marks(marked, message string) [][2]int {
	var out [][2]int
	start, at := -1, 0
	rest := message
	for _, r := range marked {
		switch r {
		case '\uE000':
			start = at
			continue
		case '\uE001':
			if start >= 0 {
				out = append(out, [2]int{start, at})
			}
			start = -1
			continue
		}
		own, size := utf8.DecodeRuneInString(rest)
		if size == 0 || own != r && (r > utf8.RuneSelf || own < utf8.RuneSelf) {
			return nil
		}
		rest = rest[size:]
		at += utf16.RuneLen(own)
	}
	if rest != "" {
		return nil
	}
	return out
}

// highlight marks the matches of a substring search, which Postgres does not.
func highlight(hits []logs.Hit, q *logs.Query) []logs.Hit {
	if q.Term == "" || q.Mode != logs.Substring {
		return hits
	}
	term := strings.ToLower(q.Term)
	for i := range hits {
		lower := strings.ToLower(hits[i].Message)
		if utf8.RuneCountInString(lower) != utf8.RuneCountInString(hits[i].Message) {
			continue
		}
		for from := 0; ; {
			j := strings.Index(lower[from:], term)
			if j < 0 {
				break
			}
			a := units(lower[:from+j])
			hits[i].Highlights = append(hits[i].Highlights, [2]int{a, a + units(term)})
			from += j + len(term)
		}
	}
	return hits
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }
