package pgcatalog

import (
	"cmp"
	"slices"
)

// Address names a row of a system catalog as pg_depend does: the catalog's
// OID (1259 is pg_class; those OIDs never changed), the row's, and for a
// column its number.
//
// Large objects are of the catalog pg_largeobject (2613), as in pg_depend and
// pg_description.
type Address struct {
	Class, OID uint32
	Sub        int32
}

func compareAddresses(a, b Address) int {
	return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.OID, b.OID), cmp.Compare(a.Sub, b.Sub))
}

// firstCatalog is the first number that can be a catalog's OID; smaller ones
// are the graph's own.
const firstCatalog = 100

// addresses lists, by node with an entry of its own, the rows of catalogs that
// its entry makes. Parts that stand alone have their own.
func (g *graph) addresses() map[*node][]Address {
	out := map[*node][]Address{}
	add := func(k key) {
		if k.class < firstCatalog {
			return
		}
		if n := g.find(k); n != nil {
			n = whole(n)
			out[n] = append(out[n], Address{Class: k.class, OID: k.oid})
		}
	}
	for k := range g.byKey {
		add(k)
	}
	for k := range g.alias {
		if g.byKey[k] == nil {
			add(k)
		}
	}
	for _, list := range out {
		slices.SortFunc(list, compareAddresses)
	}
	return out
}
