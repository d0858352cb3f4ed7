package pattern

// A Miner groups messages by template, one by one, as they come. The same
// messages in the same order give the same patterns on every machine. It is
// not safe for concurrent use.
type Miner struct {
	scan     scanner
	limit    int
	nodes    map[uint64]*node     // by the sum of their tokens' hashes
	evidence map[uint64]*evidence // by the sum of a message with some words taken out
	firsts   map[uint64]first1    // the same, while there is but one such message
	families map[uint64]*family   // by the sum of punctuation and length
	all      []*node              // in order of birth
	parts    int                  // tokens of all templates
	changed  []int                // nodes that are new, were absorbed or show less, since Changes
	loading  bool                 // templates are taken over as they are
}

// A node is a template that was met, or what became of several.
type node struct {
	tokens []part
	id     ID
	sum    uint64
	same   *node // the next one with this sum
	into   *node // the more general template that it became part of
	index  int   // in Miner.all
	born   int   // index of the oldest member
	count  int64 // messages that came to this very node
	shown  []int // tokens whose text the template shows although it may change
}

// A part is a token of a template. Of values and names the text is kept while
// it never changes; it does not tell templates apart.
type part struct {
	hash  uint64
	text  string
	kind  kind
	glued bool
	head  bool
	label bool
	place place
}

// Limits of what a Miner holds.
const (
	// DefaultLimit is how many templates a Miner holds unless told otherwise.
	DefaultLimit  = 20_000
	partsPerLimit = 40 // so that few very long templates cannot use it all
)

// New returns an empty Miner that holds at most limit templates (DefaultLimit
// if that is not positive): what has none when the limit is reached belongs to
// the pattern "<*>" from then on.
func New(limit int) *Miner {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Miner{limit: limit, nodes: map[uint64]*node{}, evidence: map[uint64]*evidence{}, firsts: map[uint64]first1{}, families: map[uint64]*family{}}
}

// Add takes a message and returns its handle, with which Pattern finds, now or
// later, the pattern that it belongs to. The message is not kept.
func (m *Miner) Add(message []byte) Handle {
	tokens := m.scan.scan(message)
	var sum uint64
	for i := range tokens {
		sum += placed(tokens[i].hash, i)
	}
	n := m.exact(sum, tokens)
	if n == nil {
		n = m.general(sum, tokens)
	}
	if n == nil {
		n = m.plant(sum, m.scan.parts())
	}
	n.count++
	if len(n.shown) > 0 && len(n.tokens) == len(tokens) && n.compare(m.scan.line, tokens) {
		m.changed = append(m.changed, n.index)
	}
	return Handle(n.index)
}

// exact finds the template that has all of the message's words.
func (m *Miner) exact(sum uint64, tokens []token) *node {
next:
	for n := m.nodes[sum]; n != nil; n = n.same {
		if len(tokens) != len(n.tokens) {
			continue
		}
		for i := range tokens {
			if tokens[i].hash != n.tokens[i].hash {
				continue next
			}
		}
		return n
	}
	return nil
}

// same finds the node of a template.
func (m *Miner) same(sum uint64, parts []part) *node {
next:
	for n := m.nodes[sum]; n != nil; n = n.same {
		if len(parts) != len(n.tokens) {
			continue
		}
		for i := range parts {
			if parts[i].hash != n.tokens[i].hash {
				continue next
			}
		}
		return n
	}
	return nil
}

func sumOf(parts []part) (sum uint64) {
	for i := range parts {
		sum += placed(parts[i].hash, i)
	}
	return sum
}

// general finds a template that has a variable where the message has a word.
func (m *Miner) general(sum uint64, tokens []token) *node {
	f := m.families[shape(tokens)]
	if f == nil {
		return nil
	}
	for _, mask := range f.masks {
		s := sum
		for _, i := range mask {
			s += placed(hashValue, i) - placed(tokens[i].hash, i)
		}
		for n := m.nodes[s]; n != nil; n = n.same {
			if n.covers(tokens) {
				return n
			}
		}
	}
	return nil
}

func (n *node) covers(tokens []token) bool {
	if len(tokens) != len(n.tokens) {
		return false
	}
	for i := range tokens {
		if h := n.tokens[i].hash; h != tokens[i].hash && (h != hashValue || tokens[i].kind == punct) {
			return false
		}
	}
	return true
}

// shape is the key of a message's family.
func shape(tokens []token) uint64 {
	s := uint64(len(tokens))
	for i := range tokens {
		if tokens[i].kind == punct {
			s += placed(tokens[i].hash, i)
		}
	}
	return s
}

func (n *node) shape() uint64 {
	s := uint64(len(n.tokens))
	for i := range n.tokens {
		if n.tokens[i].kind == punct {
			s += placed(n.tokens[i].hash, i)
		}
	}
	return s
}

// parts copies the tokens of the message.
func (s *scanner) parts() []part {
	parts := make([]part, len(s.tokens))
	for i, t := range s.tokens {
		parts[i] = part{hash: t.hash, kind: t.kind, glued: t.glued, head: t.head, label: t.label, place: t.place, text: s.text(t)}
	}
	return parts
}

// plant makes a node for a template that is met for the first time, and lets
// it be seen beside the others.
func (m *Miner) plant(sum uint64, parts []part) *node {
	if m.full() {
		return m.overflow()
	}
	n := m.insert(sum, parts)
	m.learn(n)
	return n
}

func (m *Miner) insert(sum uint64, parts []part) *node {
	n := &node{tokens: parts, id: idOf(parts), sum: sum, same: m.nodes[sum], index: len(m.all), born: len(m.all)}
	for i, p := range parts {
		if (p.kind == soft || p.kind == value) && p.text != "" {
			n.shown = append(n.shown, i)
		}
	}
	m.nodes[sum] = n
	m.all = append(m.all, n)
	m.parts += len(parts)
	m.changed = append(m.changed, n.index)
	return n
}

func (m *Miner) full() bool { return len(m.all) >= m.limit || m.parts >= m.limit*partsPerLimit }

// overflow is the pattern of everything that found no place.
func (m *Miner) overflow() *node {
	parts := []part{{hash: hashValue, kind: value}}
	sum := sumOf(parts)
	if n := m.same(sum, parts); n != nil {
		return n
	}
	return m.insert(sum, parts)
}

// compare hides names and units that turn out to change, and reports whether
// there were any.
func (n *node) compare(line []byte, tokens []token) bool {
	keep, were := n.shown[:0], len(n.shown)
	for _, i := range n.shown {
		if string(line[tokens[i].from:tokens[i].to]) == n.tokens[i].text {
			keep = append(keep, i)
		} else {
			n.tokens[i].text = ""
		}
	}
	n.shown = keep
	return len(keep) < were
}

func (n *node) root() *node {
	for n.into != nil {
		if n.into.into != nil {
			n.into = n.into.into
		}
		n = n.into
	}
	return n
}
