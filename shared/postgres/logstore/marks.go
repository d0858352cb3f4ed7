package logstore

import (
	"regexp"
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

// maxMarked is how long a message may be, in bytes, to be marked at all.
const maxMarked = 20_000

// maxMarks is how many matches of a message are marked.
const maxMarks = 1000

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

// highlight marks the matches of the modes in which Postgres does not. An
// expression that Go reads in another way than Postgres, or not at all, marks
// less or nothing; what is found does not change.
func highlight(hits []logs.Hit, q *logs.Query, words logs.TextSearch) []logs.Hit {
	if q.Term == "" || q.Mode != logs.Substring && q.Mode != logs.Regex {
		return hits
	}
	term := q.Term
	fold := q.Mode == logs.Substring && words.Fold
	if fold {
		term = folded(term)
	}
	if q.Mode == logs.Substring {
		term = regexp.QuoteMeta(term)
	}
	expression, err := regexp.Compile("(?is)" + term)
	if err != nil {
		return hits
	}
	for i := range hits {
		message := hits[i].Message
		if len(message) > maxMarked {
			continue
		}
		text := message
		if fold {
			text = folded(text) // as many characters, of fewer bytes
		}
		at, unit := 0, 0
		for _, m := range expression.FindAllStringIndex(text, maxMarks) {
			if m[0] == m[1] {
				continue
			}
			start := unit + units(text[at:m[0]])
			at, unit = m[1], start+units(text[m[0]:m[1]])
			hits[i].Highlights = append(hits[i].Highlights, [2]int{start, unit})
		}
	}
	return hits
}

// units is the length of a text in UTF-16 code units.
func units(s string) (n int) {
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// folded does what guarda.fold_accents does.
func folded(s string) string { return accents.Replace(s) }

var accents = func() *strings.Replacer {
	const with = "ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖòóôõöÙÚÛÜùúûüÝýÿ"
	const without = "AAAAAAaaaaaaCcEEEEeeeeIIIIiiiiNnOOOOOoooooUUUUuuuuYyy"
	var pairs []string
	i := 0
	for _, r := range with {
		pairs = append(pairs, string(r), without[i:i+1])
		i++
	}
	return strings.NewReplacer(pairs...)
}()
