package pgcatalog

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
)

// key names a row of a system catalog, as pg_depend does.
type key struct{ class, oid uint32 }

// node is an object on its way to becoming one or more entries.
type node struct {
	key     key
	kind    string // pg_dump's word
	schema  string
	name    string
	tag     string // Entry.Name; "" means name
	owner   string
	ref     string // as ALTER, COMMENT ON and DROP name it: "TABLE public.t"
	section Section
	table   uint32
	roles   []string

	// emit writes the SQL. It is called when it is settled which parts stand
	// on their own.
	emit     func(*node) string
	ownerSQL string
	dropSQL  string
	noTx     bool
	suffix   string   // statements after those of emit
	space    string   // its tablespace; "" is the database's own
	locks    []uint32 // tables that it locks besides its own

	deps   []key   // known without pg_depend, and from it
	after  []key   // what must stand before it in order, though it does not need it
	parts  []*node // pieces that emit writes into this object's own statement
	of     *node   // the object this is a piece of; nil for the others
	alone  bool    // the piece is an entry of its own, after the object
	partIf partKind
	shell  *node     // for a type in a loop with functions: its shell
	about  []Address // what a comment, label or grant is about
	id     int
}

// partKind orders the pieces by how gladly they are separated from their
// object when that breaks a dependency loop.
type partKind int

const (
	notPart    partKind = iota
	exprPart            // a column's default, a check: separated first
	domainPart          // a domain's check
	viewPart            // the query of a view: a dummy view stands in for it
)

// graph holds the nodes and finds an order for them.
type graph struct {
	nodes []*node
	byKey map[key]*node
	alias map[key]key // catalog rows that belong to another object: row types, array types, indexes of constraints…
}

func newGraph() *graph {
	return &graph{byKey: map[key]*node{}, alias: map[key]key{}}
}

func (g *graph) add(n *node) *node {
	if n.section == "" {
		n.section = PreData
	}
	g.nodes = append(g.nodes, n)
	if n.key != (key{}) {
		g.byKey[n.key] = n
	}
	return n
}

// addPart adds a piece of an object.
func (g *graph) addPart(of, n *node, kind partKind) *node {
	n.of, n.partIf = of, kind
	of.parts = append(of.parts, n)
	return g.add(n)
}

// maxAliases bounds how often an alias leads to another: once a level in
// trees of partitions.
const maxAliases = 1000

// find returns the node that a catalog row belongs to, or nil.
func (g *graph) find(k key) *node {
	for range maxAliases {
		if n := g.byKey[k]; n != nil {
			return n
		}
		a, ok := g.alias[k]
		if !ok {
			return nil
		}
		k = a
	}
	return nil
}

// clone tells a trigger or foreign key of a partition, which comes with the one
// above: its needs are the server's to see to.
func (g *graph) clone(k key) bool {
	a, ok := g.alias[k]
	return ok && g.byKey[k] == nil && a.class == k.class && (k.class == classTrigger || k.class == classConstraint)
}

// whole returns the node whose entry carries n.
func whole(n *node) *node {
	for n.of != nil && !n.alone {
		n = n.of
	}
	return n
}

// targets lists what n itself (without its parts) depends on, as nodes with
// entries of their own.
func (g *graph) targets(n *node, visit func(*node)) {
	self := whole(n)
	if n.of != nil && n.alone {
		visit(whole(n.of))
	}
	for _, k := range n.deps {
		d := g.find(k)
		if d == nil {
			continue
		}
		d = whole(d)
		if d == self {
			continue
		}
		visit(d)
	}
}

// edges lists what the entry of n depends on: its own and its parts' needs.
func (g *graph) edges(n *node) []*node {
	seen := map[*node]bool{}
	var out []*node
	add := func(d *node) {
		if d != n && !seen[d] {
			seen[d] = true
			out = append(out, d)
		}
	}
	g.targets(n, add)
	for _, p := range n.parts {
		if !p.alone {
			g.targets(p, add)
		}
	}
	for _, k := range n.after {
		if d := g.find(k); d != nil {
			add(whole(d))
		}
	}
	return out
}

// onlyAfter tells which of the nodes that edges lists n does not need.
func (g *graph) onlyAfter(n *node) map[*node]bool {
	if len(n.after) == 0 {
		return nil
	}
	out := map[*node]bool{}
	for _, k := range n.after {
		if d := g.find(k); d != nil {
			out[whole(d)] = true
		}
	}
	g.targets(n, func(d *node) { delete(out, d) })
	return out
}

// breakLoops separates pieces from their objects until nothing depends on
// itself: defaults and checks first, then the queries of views, then types get
// shells. Those are the places where pg_dump breaks loops (pg_dump_sort.c).
// A loop that remains is cut at one edge, and reported.
func (g *graph) breakLoops() (cut [][]*node) {
	for {
		loops := g.loops()
		if len(loops) == 0 {
			return cut
		}
		for _, loop := range loops {
			in := map[*node]bool{}
			for _, n := range loop {
				in[n] = true
			}
			if g.separate(loop, in) || g.giveShells(loop, in) {
				continue
			}
			first := loop[0]
			first.after = nil
			first.deps = slices.DeleteFunc(first.deps, func(k key) bool {
				d := g.find(k)
				return d != nil && in[whole(d)]
			})
			for _, p := range first.parts {
				p.deps = slices.DeleteFunc(p.deps, func(k key) bool {
					d := g.find(k)
					return d != nil && in[whole(d)]
				})
			}
			cut = append(cut, loop)
		}
	}
}

// separate sets pieces apart that take part in the loop: those of the
// gladliest separated kind, of the oldest object that has some. pg_dump too
// begins with the oldest, and which view of a cycle it makes as a dummy shows
// in its output.
func (g *graph) separate(loop []*node, in map[*node]bool) bool {
	sorted := slices.SortedFunc(slices.Values(loop), func(a, b *node) int { return cmp.Compare(a.key.oid, b.key.oid) })
	for kind := exprPart; kind <= viewPart; kind++ {
		for _, n := range sorted {
			done := false
			for _, p := range n.parts {
				if p.alone || p.partIf != kind {
					continue
				}
				g.targets(p, func(d *node) {
					if in[d] {
						p.alone, done = true, true
					}
				})
			}
			if done {
				return true
			}
		}
	}
	return false
}

// giveShells makes shell types for base and range types that loop with the
// functions they are made of.
func (g *graph) giveShells(loop []*node, in map[*node]bool) bool {
	done := false
	for _, n := range loop {
		if n.kind != "TYPE" || n.shell == nil || n.shell.id < 0 {
			continue
		}
		s := n.shell
		s.id = -1 // wanted
		g.nodes = append(g.nodes, s)
		shellKey := key{0, n.key.oid} // class 0 is no catalog: free for shells
		s.key = shellKey
		g.byKey[shellKey] = s
		for _, f := range loop {
			if f == n {
				continue
			}
			for i, k := range f.deps {
				if g.find(k) == n {
					f.deps[i] = shellKey
				}
			}
		}
		n.deps = append(n.deps, shellKey)
		n.dropSQL = dropWithFunctions(qualified(n.schema, n.name))
		done = true
	}
	return done
}

// loops returns the strongly connected components with more than one node
// (Tarjan, 1972), iteratively: dependency chains can be long.
func (g *graph) loops() [][]*node {
	type frame struct {
		n    *node
		succ []*node
		next int
	}
	index := map[*node]int{}
	low := map[*node]int{}
	onStack := map[*node]bool{}
	var stack []*node
	var out [][]*node
	for _, root := range g.nodes {
		if whole(root) != root || index[root] != 0 {
			continue
		}
		enter := func(n *node) frame {
			index[n] = len(index) + 1
			low[n] = index[n]
			stack = append(stack, n)
			onStack[n] = true
			return frame{n: n, succ: g.edges(n)}
		}
		calls := []frame{enter(root)}
		for len(calls) > 0 {
			f := &calls[len(calls)-1]
			if f.next < len(f.succ) {
				d := f.succ[f.next]
				f.next++
				if index[d] == 0 {
					calls = append(calls, enter(d))
				} else if onStack[d] {
					low[f.n] = min(low[f.n], index[d])
				}
				continue
			}
			n := f.n
			calls = calls[:len(calls)-1]
			if len(calls) > 0 {
				up := calls[len(calls)-1].n
				low[up] = min(low[up], low[n])
			}
			if low[n] != index[n] {
				continue
			}
			var component []*node
			for {
				m := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				onStack[m] = false
				component = append(component, m)
				if m == n {
					break
				}
			}
			if len(component) > 1 {
				out = append(out, component)
			}
		}
	}
	return out
}

// settleSections moves what needs something of post-data (a view whose
// grouping relies on a primary key) into post-data too: a piece of an object
// where that is enough, else the object.
func (g *graph) settleSections() {
	for changed := true; changed; {
		changed = false
		for _, n := range g.nodes {
			if n.section != PreData || whole(n) != n {
				continue
			}
			for _, p := range n.parts {
				if p.alone {
					continue
				}
				g.targets(p, func(d *node) {
					if d.section == PostData {
						p.alone, p.section, changed = true, PostData, true
					}
				})
			}
			g.targets(n, func(d *node) {
				if d.section == PostData {
					n.section, changed = PostData, true
				}
			})
		}
	}
}

// kindOrder is the order in which entries of a section come where
// dependencies leave a choice.
func kindOrder() map[string]int {
	order := map[string]int{}
	for i, k := range []string{
		"SCHEMA", "PROCEDURAL LANGUAGE", "EXTENSION", "COLLATION", "SHELL TYPE", "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE",
		"TRANSFORM", "AGGREGATE", "ACCESS METHOD", "OPERATOR", "OPERATOR FAMILY", "OPERATOR CLASS", "CAST", "CONVERSION",
		"TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE", "TEXT SEARCH DICTIONARY", "TEXT SEARCH CONFIGURATION",
		"FOREIGN DATA WRAPPER", "SERVER", "USER MAPPING", "SEQUENCE", "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW",
		"SEQUENCE OWNED BY", "TABLE ATTACH", "DEFAULT", "BLOB",
		"SEQUENCE SET",
		"CONSTRAINT", "INDEX", "INDEX ATTACH", "STATISTICS", "CHECK CONSTRAINT", "RULE", "TRIGGER", "FK CONSTRAINT",
		"POLICY", "ROW SECURITY", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "SUBSCRIPTION", "SUBSCRIPTION TABLE",
		"COMMENT", "SECURITY LABEL", "ACL", "DEFAULT ACL", "MATERIALIZED VIEW DATA", "EVENT TRIGGER",
	} {
		order[k] = i + 1
	}
	return order
}

// entries orders the nodes and turns them into entries. Equal catalogs give
// equal orders.
func (g *graph) entries() []Entry {
	rank := map[Section]int{PreData: 0, Data: 1, PostData: 2}
	order := kindOrder()
	var all []*node
	for _, n := range g.nodes {
		if whole(n) == n {
			n.id = 0
			all = append(all, n)
		}
	}
	slices.SortStableFunc(all, func(a, b *node) int {
		return cmp.Or(
			cmp.Compare(rank[a.section], rank[b.section]),
			cmp.Compare(order[a.kind], order[b.kind]),
			strings.Compare(a.schema, b.schema),
			strings.Compare(a.entryName(), b.entryName()),
			strings.Compare(a.ref, b.ref),
		)
	})
	pos := make(map[*node]int, len(all))
	for i, n := range all {
		pos[n] = i
	}
	waiting := make([]int, len(all))
	needs := make([][]*node, len(all))
	users := make([][]int, len(all))
	for i, n := range all {
		needs[i] = g.edges(n)
		waiting[i] = len(needs[i])
		for _, d := range needs[i] {
			users[pos[d]] = append(users[pos[d]], i)
		}
	}
	ready := &intHeap{}
	for i := range all {
		if waiting[i] == 0 {
			*ready = append(*ready, i)
		}
	}
	heap.Init(ready)
	out := make([]Entry, 0, len(all))
	objects := g.addresses()
	for ready.Len() > 0 {
		i := heap.Pop(ready).(int)
		n := all[i]
		n.id = len(out) + 1
		e := Entry{
			ID: n.id, Section: n.section, Kind: n.kind, Schema: n.schema, Name: n.entryName(), Owner: n.owner,
			SQL: n.emit(n) + n.suffix, OwnerSQL: n.ownerSQL, DropSQL: n.dropSQL, Table: n.table, NoTransaction: n.noTx, Roles: n.roles, Locks: n.locks,
			Objects: append(objects[n], n.about...),
		}
		if n.space != "" {
			e.Tablespace = n.space
			e.SQL = tablespacePrefix(n.space) + e.SQL + tablespaceSuffix
		}
		soft := g.onlyAfter(n)
		for _, d := range needs[i] {
			if !soft[d] {
				e.DependsOn = append(e.DependsOn, d.id)
			}
		}
		slices.Sort(e.DependsOn)
		out = append(out, e)
		for _, u := range users[i] {
			if waiting[u]--; waiting[u] == 0 {
				heap.Push(ready, u)
			}
		}
	}
	return out
}

func (n *node) entryName() string {
	if n.tag != "" {
		return n.tag
	}
	return n.name
}

// intHeap is a heap of positions: the smallest first.
type intHeap []int

func (h intHeap) Len() int           { return len(h) }
func (h intHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h intHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *intHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *intHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
