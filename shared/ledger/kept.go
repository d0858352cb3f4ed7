package ledger

import (
	"cmp"
	"slices"
)

// Limits of what is kept of a ledger beside the manifest.
const (
	keptGroups = 2000
	keptItems  = 10_000
)

// Kept is a ledger as it is kept beside the manifest, to be shown without the
// key: where there is too much, groups are by kind only, and items are missing.
type Kept struct {
	Summary   Summary `json:"summary"`
	Groups    []Group `json:"groups"`
	Items     []Item  `json:"items"`
	Truncated bool    `json:"truncated"` // items are missing
}

// Keep returns what is kept of the ledger.
func (l *Ledger) Keep() Kept {
	k := Kept{Summary: l.Summary(), Groups: l.Groups, Items: l.Items}
	if len(k.Groups) > keptGroups {
		k.Groups = byKind(l.Groups)
	}
	if len(k.Items) > keptItems { // the worst are in front
		k.Items, k.Truncated = k.Items[:keptItems], true
	}
	return k
}

// byKind adds up groups of one kind in all schemas.
func byKind(groups []Group) []Group {
	sums := map[string]*Counts{}
	for _, g := range groups {
		if sums[g.Kind] == nil {
			sums[g.Kind] = &Counts{}
		}
		for _, s := range Statuses() {
			*sums[g.Kind].at(s) += g.Of(s)
		}
	}
	out := make([]Group, 0, len(sums))
	for kind, c := range sums {
		out = append(out, Group{Kind: kind, Counts: *c})
	}
	slices.SortFunc(out, func(a, b Group) int { return cmp.Compare(a.Kind, b.Kind) })
	return out
}
