package export

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// visual returns a line as it is drawn from left to right: what is written from
// right to left turned round, Arabic letters in the form that their neighbours
// give them. has says which characters can be drawn.
func visual(line string, has func(rune) bool) string {
	if !strings.ContainsFunc(line, rightToLeft) {
		return line
	}
	const mark = "\u200e" // a character whose direction is from left to right: so is the line's
	var p bidi.Paragraph
	if _, err := p.SetString(mark + line); err != nil {
		return line
	}
	order, err := p.Order()
	if err != nil {
		return line
	}
	// Runs from right to left, and the numbers among and after them, are turned
	// round together, the numbers themselves are not (UAX 9, L2).
	var out, turned []string
	open := 0 // brackets of turned that are not closed
	flush := func() {
		slices.Reverse(turned)
		out, turned, open = append(out, turned...), turned[:0], 0
	}
	for i := range order.NumRuns() {
		run := order.Run(i)
		text := run.String()
		if run.Direction() == bidi.RightToLeft {
			turned = append(turned, turn(shape([]rune(text), has)))
			open += brackets(text, "([{") - brackets(text, ")]}")
			continue
		}
		if end := numbers(text); end > 0 && len(turned) > 0 {
			turned = append(turned, text[:end])
			text = text[end:]
		}
		for open > 0 && brackets(text[:min(len(text), 1)], ")]}") > 0 { // belongs to the one that opens (N0)
			turned = append(turned, bidi.ReverseString(text[:1]))
			text = text[1:]
			open--
		}
		if text != "" {
			flush()
			out = append(out, text)
		}
	}
	flush()
	return strings.TrimPrefix(strings.Join(out, ""), mark)
}

func brackets(text, which string) (n int) {
	for _, r := range text {
		if strings.ContainsRune(which, r) {
			n++
		}
	}
	return n
}

func class(r rune) bidi.Class {
	properties, _ := bidi.LookupRune(r)
	return properties.Class()
}

func rightToLeft(r rune) bool {
	if r < 0x590 { // nearly all text
		return false
	}
	c := class(r)
	return c == bidi.R || c == bidi.AL
}

// numbers returns where the numbers end with which a run from left to right
// begins: it is one run with them, though they belong to what is before it.
func numbers(run string) (end int) {
	for i, r := range run {
		switch class(r) {
		case bidi.EN, bidi.AN:
			end = i + len(string(r))
		case bidi.L:
			return end
		}
	}
	return end
}

// turn turns characters round, each with the marks that stand on it, and
// brackets into their counterparts.
func turn(runes []rune) string {
	var out []rune
	for end := len(runes); end > 0; {
		start := end - 1
		for start > 0 && unicode.Is(unicode.Mn, runes[start]) {
			start--
		}
		if end-start == 1 {
			out = append(out, []rune(bidi.ReverseString(string(runes[start])))...)
		} else {
			out = append(out, runes[start:end]...)
		}
		end = start
	}
	return string(out)
}

// arabicForms are the forms of Arabic letters: alone, last, first, in the
// middle; letters that join only what is before them have the first two.
// Unicode lists them in this order, and decomposes each into its letter; a
// ligature into two.
var arabicForms = sync.OnceValue(func() map[string][]rune {
	forms := map[string][]rune{}
	for _, block := range [][2]rune{{0xfe80, 0xfefc}, {0xfb50, 0xfbb1}, {0xfbd3, 0xfbe9}, {0xfbfc, 0xfbff}} {
		for r := block[0]; r <= block[1]; r++ {
			letter := norm.NFKC.String(string(r))
			if letter != string(r) && len(forms[letter]) < 4 {
				forms[letter] = append(forms[letter], r)
			}
		}
	}
	return forms
})

const (
	alone = iota
	last
	first
	middle
)

// causes reports whether a character makes its neighbours join it.
func causes(r rune) bool { return r == 0x0640 || r == 0x200d }

// shape replaces Arabic letters by their forms, as far as they can be drawn.
func shape(runes []rune, has func(rune) bool) []rune {
	forms := arabicForms()
	joinsNext := func(r rune) bool { return causes(r) || len(forms[string(r)]) == 4 }
	joinsBefore := func(r rune) bool { return causes(r) || len(forms[string(r)]) >= 2 }
	neighbour := func(i, step int) rune {
		for i += step; i >= 0 && i < len(runes); i += step {
			if !unicode.Is(unicode.Mn, runes[i]) {
				return runes[i]
			}
		}
		return 0
	}
	var out []rune
	for i := 0; i < len(runes); i++ {
		r, own := runes[i], forms[string(runes[i])]
		before := len(own) >= 2 && joinsNext(neighbour(i, -1))
		if i+1 < len(runes) {
			if pair := forms[string(runes[i:i+2])]; len(pair) >= 2 {
				form := pair[alone]
				if before {
					form = pair[last]
				}
				if has(form) {
					out = append(out, form)
					i++
					continue
				}
			}
		}
		after := len(own) == 4 && joinsBefore(neighbour(i, 1))
		form := r
		switch {
		case before && after:
			form = own[middle]
		case before:
			form = own[last]
		case after:
			form = own[first]
		}
		if !has(form) {
			form = r
		}
		out = append(out, form)
	}
	return out
}

// copied is what a character that was drawn is copied as: letters, not the
// forms that they were drawn in.
func copied(r rune) []rune {
	if r >= 0xfb50 && r <= 0xfdff || r >= 0xfe70 && r <= 0xfefc {
		return []rune(norm.NFKC.String(string(r)))
	}
	return []rune{r}
}
