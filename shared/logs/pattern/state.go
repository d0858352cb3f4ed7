package pattern

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"guarda/shared/fault"
)

// A Template is one thing that a Miner knows: a template as it was met or
// became, and the pattern that it belongs to. What one Miner exports another
// one can import: the whole of it is the first one's state, and templates of
// several miners unite.
type Template struct {
	ID     ID       // of this template; a pattern has the ID of its oldest one
	Group  ID       // the pattern
	Tokens []string // see encode
	Text   string   // for people
	Count  int64    // messages added for this very template
}

// Export returns all templates, oldest first.
func (m *Miner) Export() []Template {
	all := make([]Template, len(m.all))
	for i, n := range m.all {
		all[i] = m.export(n)
	}
	return all
}

// Changes returns the templates that are new, that were joined to a pattern or
// whose text changed since the last call of Changes.
func (m *Miner) Changes() []Template {
	if len(m.changed) == 0 {
		return nil
	}
	var all []Template
	done := map[int]bool{}
	for _, i := range m.changed {
		if !done[i] {
			done[i] = true
			all = append(all, m.export(m.all[i]))
		}
	}
	m.changed = nil
	return all
}

// Template returns the template that a message was counted for.
func (m *Miner) Template(h Handle) Template { return m.export(m.all[h]) }

// Oldest returns the template that gave the message's pattern its ID.
func (m *Miner) Oldest(h Handle) Template { return m.export(m.all[m.all[h].root().born]) }

func (m *Miner) export(n *node) Template {
	t := Template{ID: n.id, Group: m.id(n.root()), Tokens: make([]string, len(n.tokens)), Text: n.root().template(), Count: n.count}
	for i, p := range n.tokens {
		t.Tokens[i] = p.encode()
	}
	return t
}

// Import adds templates of another Miner, or of a stored state, to what this
// one knows. Templates of one group become one pattern; what the others know
// together is left to the messages to come, or to Reconcile.
func (m *Miner) Import(templates []Template) error {
	m.loading = true
	defer func() { m.loading = false }()
	groups := map[ID][]*node{}
	var order []ID
	for _, t := range templates {
		parts := make([]part, len(t.Tokens))
		for i, s := range t.Tokens {
			p, err := decode(s)
			if err != nil {
				return err
			}
			parts[i] = p
		}
		if len(groups[t.Group]) == 0 {
			order = append(order, t.Group)
		}
		n := m.same(sumOf(parts), parts)
		if n == nil {
			n = m.plant(sumOf(parts), parts)
		} else {
			n.hide(parts)
		}
		n.count += t.Count
		groups[t.Group] = append(groups[t.Group], n)
	}
	for _, id := range order {
		m.join(groups[id])
	}
	return nil
}

// hide takes out of the text what is not the same in another copy.
func (n *node) hide(parts []part) {
	if len(n.tokens) != len(parts) {
		return
	}
	for i := range parts {
		if p := &n.tokens[i]; p.kind >= value && p.text != parts[i].text {
			p.text = ""
		}
	}
	n.shown = slices.DeleteFunc(n.shown, func(i int) bool { return n.tokens[i].text == "" })
}

// join makes templates one pattern: the one with the most variables is its
// form.
func (m *Miner) join(nodes []*node) {
	form := nodes[0].root()
	for _, n := range nodes[1:] {
		if r := n.root(); r.variables() > form.variables() {
			form = r
		}
	}
	for _, n := range nodes {
		if r := n.root(); r != form && len(r.tokens) == len(form.tokens) {
			m.absorb(form, r)
		}
	}
	for _, n := range nodes {
		if n != form {
			m.familyOf(form).mask(form, n)
		}
	}
}

func (n *node) variables() (c int) {
	for _, p := range n.tokens {
		if p.hash == hashValue {
			c++
		}
	}
	return c
}

// Reconcile looks once more at everything that was learned, which unites what
// became one only when miners were joined.
func (m *Miner) Reconcile() {
	for i := 0; i < len(m.all); i++ {
		if n := m.all[i]; n.into == nil {
			m.study(n, m.familyOf(n))
		}
	}
}

// encode writes a part as kind, flags and text: one letter of "pwvs", one octal
// digit of glued 1, head 2, label 4, one digit of the place, the text. A word
// that is not UTF-8 has an "x" and its hash in front.
func (p part) encode() string {
	flags := 0
	for i, f := range []bool{p.glued, p.head, p.label} {
		if f {
			flags |= 1 << i
		}
	}
	s := "pwvs"[p.kind:p.kind+1] + strconv.Itoa(flags) + strconv.Itoa(int(p.place)) + p.text
	if p.hash != p.rehash() {
		h := strconv.FormatUint(p.hash, 16)
		s = "x" + "0000000000000000"[len(h):] + h + s
	}
	return s
}

func (p part) rehash() uint64 {
	switch {
	case p.kind == value || p.kind == soft:
		return hashValue
	case p.kind == punct && p.text != "":
		return hashBytes([]byte(p.text[:1]))
	}
	return hashBytes([]byte(p.text))
}

func decode(s string) (part, error) {
	code := s
	var hash uint64
	if strings.HasPrefix(s, "x") && len(s) > 17 {
		raw, err := hex.DecodeString(s[1:17])
		if err != nil {
			return part{}, damaged(code)
		}
		for _, b := range raw {
			hash = hash<<8 | uint64(b)
		}
		s = s[17:]
	}
	if len(s) < 3 {
		return part{}, damaged(code)
	}
	k := strings.IndexByte("pwvs", s[0])
	if k < 0 || s[1] < '0' || s[1] > '7' || s[2] < '0' || s[2] > '0'+byte(afterWhat) {
		return part{}, damaged(code)
	}
	flags := s[1] - '0'
	p := part{kind: kind(k), glued: flags&1 != 0, head: flags&2 != 0, label: flags&4 != 0, place: place(s[2] - '0'), text: s[3:]}
	if p.hash = hash; hash == 0 {
		p.hash = p.rehash()
	}
	return p, nil
}

func damaged(code string) error {
	return fault.New(fault.Corrupt, "a stored log pattern holds %q, which is no token", code)
}
