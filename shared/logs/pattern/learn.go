package pattern

import "strings"

// Evidence is what is known about messages that are equal but for the words at
// some columns: whether the words there are the values of a variable.
//
// It is collected in three ways, by what is left out of the comparison:
//
//   - one word: messages that differ in nothing else;
//   - the values of a record: messages with the same keys ("user=… db=…", or
//     words in quotes), where each column is judged by itself;
//   - two words at once, when two messages were seen to differ in just these;
//     both must be variables.
//
// Each different word adds weight by its form and place; at a weight of one its
// column is a variable.
type evidence struct {
	columns  []column
	members  []*node
	together bool // the columns become variables together or not at all
}

type column struct {
	at     int
	weight float64
	seen   map[uint64]struct{} // hashes of the words met
	open   bool                // it is a variable
}

// enough weight makes a column a variable: a little under one, so that words of
// different forms need not add up to it exactly.
const enough = 0.9

// Bounds of what is kept to learn from.
const (
	maxSiblings = 64  // latest templates of a family that a new one is compared with
	maxMasks    = 64  // sets of variables that are tried for a family
	maxColumns  = 40  // words of a template that may become variables
	maxMembers  = 256 // templates that differ in one place: then it is a variable
)

// A family is the templates of one length and punctuation.
type family struct {
	latest []*node // at most maxSiblings
	masks  [][]int // words that were found to be variables in one of them
}

// learn looks at a new template beside its relatives, and makes it one of them.
func (m *Miner) learn(n *node) {
	f := m.familyOf(n)
	m.study(n, f)
	f.join(n)
}

func (m *Miner) study(n *node, f *family) {
	var words, slots []int
	puncts := 0
	for i, p := range n.tokens {
		switch {
		case p.kind == punct:
			puncts++
		case p.kind == word && len(words) < maxColumns:
			words = append(words, i)
			if p.place == afterKey {
				slots = append(slots, i)
			}
		}
	}
	// What stays equal carries the claim that two messages are the same event:
	// words, and punctuation to a lesser degree.
	anchors := len(words) - 1 + puncts/4
	m.reconsider(n, anchors+1)
	if len(words) >= 2 {
		for _, at := range words {
			m.note(n, []int{at}, anchors, false)
		}
		if len(slots) >= 2 && len(slots) < len(words) {
			m.note(n, slots, anchors, false)
		}
		if len(words) >= 4 {
			m.pairs(n, f, anchors)
		}
	}
}

// reconsider judges the evidence that n, with its own value where others have
// words, adds to.
func (m *Miner) reconsider(n *node, anchors int) {
	if e := m.evidence[n.sum]; e != nil {
		m.judge(n.sum, e, anchors)
		return
	}
	if first, ok := m.firsts[n.sum]; ok && len(first.node.tokens) == len(n.tokens) {
		m.judge(n.sum, m.collect(n.sum, first.node, []int{first.at}, false), anchors)
	}
}

// pairs looks for relatives that differ in two words.
func (m *Miner) pairs(n *node, f *family, anchors int) {
	var met [][2]int
	for _, o := range f.latest {
		at, ok := twoApart(n, o)
		if !ok || o == n || o.into != nil {
			continue
		}
		known := false
		for _, k := range met {
			known = known || k == at
		}
		if !known {
			met = append(met, at)
			m.note(o, at[:], anchors, true)
			m.note(n, at[:], anchors, true)
		}
	}
}

// twoApart returns the two columns at which templates of a family have
// different words.
func twoApart(a, b *node) (at [2]int, ok bool) {
	differ := 0
	for i := range a.tokens {
		p, q := &a.tokens[i], &b.tokens[i]
		if p.hash == q.hash {
			continue
		}
		if differ == 2 || p.kind != word || q.kind != word {
			return at, false
		}
		at[differ] = i
		differ++
	}
	return at, differ == 2
}

// note adds a template's words at the columns to the evidence about them.
func (m *Miner) note(n *node, at []int, anchors int, together bool) {
	k := n.sum
	for _, i := range at {
		k += placed(hashValue, i) - placed(n.tokens[i].hash, i)
	}
	if len(at) > 1 {
		k = placed(k, len(n.tokens)) // apart from the evidence about single words
	}
	e := m.evidence[k]
	if e == nil {
		first, ok := m.firsts[k]
		switch {
		case len(at) == 1 && !ok && m.alike(k, n) == nil:
			m.firsts[k] = first1{n, at[0]}
			return
		case ok && first.at == at[0] && len(first.node.tokens) == len(n.tokens):
			e = m.collect(k, first.node, at, together)
		default:
			e = m.collect(k, n, at, together)
		}
	}
	if !e.fits(n, at) {
		return
	}
	e.add(n)
	m.judge(k, e, anchors)
}

// first1 is evidence of one member, as most remains: it costs memory.
type first1 struct {
	node *node
	at   int
}

func (m *Miner) collect(k uint64, n *node, at []int, together bool) *evidence {
	delete(m.firsts, k)
	e := &evidence{together: together}
	for _, i := range at {
		e.columns = append(e.columns, column{at: i, seen: map[uint64]struct{}{}})
	}
	m.evidence[k] = e
	e.add(n)
	return e
}

// fits guards against two sets of messages of the same key by chance.
func (e *evidence) fits(n *node, at []int) bool {
	if len(e.columns) != len(at) || len(e.members[0].tokens) != len(n.tokens) {
		return false
	}
	for i := range at {
		if e.columns[i].at != at[i] {
			return false
		}
	}
	return true
}

func (e *evidence) add(n *node) {
	for i := range e.columns {
		c := &e.columns[i]
		p := n.tokens[c.at]
		if _, met := c.seen[p.hash]; !met && !c.open && p.kind == word {
			c.seen[p.hash] = struct{}{}
			c.weight += weight(p, len(e.columns) > 1 && !e.together)
		}
	}
	for _, o := range e.members {
		if o == n {
			return
		}
	}
	e.members = append(e.members, n)
}

// judge decides which columns are variables, and unites the members that
// differ in nothing else.
func (m *Miner) judge(k uint64, e *evidence, anchors int) {
	factor := min(float64(anchors)/3, 1)
	var open []int
	for i := range e.columns {
		c := &e.columns[i]
		if !c.open {
			w := c.weight
			switch natural := len(e.columns) == 1 && m.alike(k, e.members[0]) != nil; {
			case natural && e.members[0].tokens[c.at].place == inProse:
				w += 0.4
			case natural:
				w++ // a key that has numbers for values has a variable
			case len(c.seen) < 2:
				continue
			}
			c.open = w*factor >= enough
		}
		if c.open {
			open = append(open, c.at)
		}
	}
	if len(e.members) >= maxMembers && len(open) == 0 {
		open = e.widest()
	}
	if m.loading || len(open) == 0 || e.together && len(open) < len(e.columns) {
		return
	}
	var live []*node
	for _, n := range e.members {
		g := m.generalise(n.root(), open)
		known := false
		for _, o := range live {
			known = known || o == g
		}
		if !known {
			live = append(live, g)
		}
	}
	e.members = live
}

// widest opens the column with the most different words.
func (e *evidence) widest() []int {
	best := &e.columns[0]
	for i := range e.columns {
		if len(e.columns[i].seen) > len(best.seen) {
			best = &e.columns[i]
		}
	}
	best.open = true
	return []int{best.at}
}

// alike returns a template of this sum that is as long as n: one that always
// had a value where n has a word.
func (m *Miner) alike(sum uint64, n *node) *node {
	for o := m.nodes[sum]; o != nil; o = o.same {
		if len(o.tokens) == len(n.tokens) {
			return o
		}
	}
	return nil
}

// generalise returns what a template is with variables at the columns.
func (m *Miner) generalise(n *node, open []int) *node {
	parts := append([]part(nil), n.tokens...)
	for _, i := range open {
		if parts[i].hash != hashValue {
			parts[i] = part{hash: hashValue, kind: value, glued: parts[i].glued}
		}
	}
	sum := sumOf(parts)
	if sum == n.sum {
		return n
	}
	g := m.same(sum, parts)
	fresh := g == nil
	if fresh {
		g = m.insert(sum, parts)
		g.born = n.born
	}
	g = g.root()
	m.absorb(g, n)
	m.familyOf(g).mask(g, m.all[g.born])
	if fresh {
		m.learn(g)
	}
	return g.root()
}

// absorb makes n part of g, which takes over the identity of the older one.
func (m *Miner) absorb(g, n *node) {
	if g == n {
		return
	}
	n.into = g
	m.changed = append(m.changed, n.index)
	g.born = min(g.born, n.born)
	g.hide(n.tokens)
}

func (m *Miner) familyOf(n *node) *family {
	k := n.shape()
	f := m.families[k]
	if f == nil {
		f = &family{}
		m.families[k] = f
	}
	return f
}

func (f *family) join(n *node) {
	if len(f.latest) == maxSiblings {
		copy(f.latest, f.latest[1:])
		f.latest = f.latest[:maxSiblings-1]
	}
	f.latest = append(f.latest, n)
}

// mask remembers which words of a template its more general form takes for
// variables.
func (f *family) mask(general, special *node) {
	if len(general.tokens) != len(special.tokens) {
		return
	}
	var mask []int
	for i := range general.tokens {
		if general.tokens[i].hash == hashValue && special.tokens[i].hash != hashValue {
			mask = append(mask, i)
		}
	}
next:
	for _, o := range f.masks {
		if len(o) != len(mask) {
			continue
		}
		for i := range o {
			if o[i] != mask[i] {
				continue next
			}
		}
		return
	}
	if len(f.masks) < maxMasks && len(mask) > 0 {
		f.masks = append(f.masks, mask)
	}
}

// weight is how much a word tells for its column being a variable: one divided
// by how many different words like it make it one.
func weight(p part, record bool) float64 {
	lower, w := strings.ToLower(p.text), 0.2
	switch t := p.text; {
	case isCase(lower):
		return 0
	case t == strings.ToUpper(t):
		w = 0.1 // the name of a constant: GET, RUNNING
	case t != lower && t[1:] == lower[1:]:
		w = 0.125 // Started, Paused
	case t != lower || strings.ContainsAny(t, "-_."):
		w = 0.25 // a made name: SplashActivity, error_log
	}
	switch p.place {
	case afterKey:
		w *= 1.25
		if record && p.text == lower {
			w /= 2
		}
	case afterNoun:
		w *= 1.7
	case afterWhat:
		w /= 10
	}
	if p.head || p.label {
		w *= 0.35
	}
	return w
}

// isCase: words that tell one of two cases are no evidence, however often.
func isCase(lower string) bool {
	switch lower {
	case "true", "false", "null", "nil", "none", "yes", "no", "on", "off":
		return true
	}
	return false
}
