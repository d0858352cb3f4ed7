// Package pattern finds the templates of log messages while they come in: what
// the program that wrote them had as a format string, with "<*>" for what it
// filled in. There is one configuration for every source.
//
// The way is that of the online parsers of the Drain family (He et al., "Drain:
// An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017), which
// compare a message with the few templates that it can have, joined with the
// idea of Brain (Yu et al., IEEE Transactions on Services Computing, 2023) that
// how many different words a column has tells a variable from a constant:
//
//  1. A message is cut into words, punctuation, values and names (scan.go,
//     classify.go). Values (numbers, addresses, times, paths, …) and names
//     (anything with digits, dots or slashes in it) never tell patterns apart.
//     The rest, in its order, is the template; finding it again is one look into
//     a hash table.
//  2. When a template is new it is seen beside those that differ in one word, in
//     the values of their keys, or in two words (learn.go). Different words at
//     the same place are evidence for a variable there, more or less by their
//     form and by what stands before them. Enough of it unites the templates.
//
// A template that became part of a more general one stays known, as an alias:
// what was counted for it counts for the other, and no count is ever lost. An
// identifier is derived from the template as it was first met, so that miners
// that never met agree on it.
package pattern

import (
	"encoding/hex"
	"strings"
)

// ID identifies a pattern: a UUID of version 8, derived from the template as it
// was first met. It stays when the template becomes more general.
type ID [16]byte

// String writes the ID as a UUID.
func (id ID) String() string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Handle stands for a message that was added to a Miner.
type Handle int

// Pattern is a template, with the messages that have it.
type Pattern struct {
	ID       ID
	Template string
	Count    int64 // messages added so far
}

// Pattern returns the pattern that a message belongs to as far as is known now;
// its Count is not set.
func (m *Miner) Pattern(h Handle) Pattern {
	r := m.all[h].root()
	return Pattern{ID: m.id(r), Template: r.template()}
}

// ID returns the identifier of the pattern that a message belongs to as far as
// is known now.
func (m *Miner) ID(h Handle) ID { return m.id(m.all[h].root()) }

// Patterns lists all patterns in the order in which they were first met. Their
// counts add up to the messages added.
func (m *Miner) Patterns() []Pattern {
	at := map[*node]int{}
	var all []Pattern
	for _, n := range m.all {
		r := n.root()
		i, ok := at[r]
		if !ok {
			i = len(all)
			at[r] = i
			all = append(all, Pattern{ID: m.id(r), Template: r.template()})
		}
		all[i].Count += n.count
	}
	return all
}

// id is that of the oldest member.
func (m *Miner) id(root *node) ID { return m.all[root.born].id }

func idOf(parts []part) (id ID) {
	a, b := uint64(len(parts)), hashNone
	for i, p := range parts {
		a = placed(a^p.hash, i)
		b = placed(b+p.hash, i+1)
	}
	for i := range 8 {
		id[i], id[8+i] = byte(a>>(8*i)), byte(b>>(8*i))
	}
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// template is the text that people read. Spaces are single.
func (n *node) template() string {
	var b strings.Builder
	for i, p := range n.tokens {
		if i > 0 && !p.glued {
			b.WriteByte(' ')
		}
		switch {
		case p.kind == value && p.text != "":
			b.WriteString("<*> ")
			b.WriteString(p.text)
		case p.kind == value, p.kind == soft && p.text == "":
			b.WriteString("<*>")
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// text is what a template shows of a token.
func (s *scanner) text(t token) string {
	return strings.ToValidUTF8(string(s.line[t.from:t.to]), "\uFFFD")
}
