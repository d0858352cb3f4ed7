package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Name finds out what the items are called, in one or two queries, and sorts
// them.
func (l *Ledger) Name(ctx context.Context, q Querier, inv *Inventory) error {
	e := &enumerator{ctx: ctx, q: q, Inventory: inv}
	unknown, err := e.unknownNames(l.Items)
	if err != nil {
		return explain(err)
	}
	var classes, oids []uint32
	var subs, positions []int32
	for i := range l.Items {
		it := &l.Items[i]
		switch {
		case it.Name != "":
		case it.address.Class == classDatabase || !identifiable(it.address.Class):
			it.Name = unknown[key{it.address.Class, it.address.OID}]
			if it.Name == "" {
				it.Name = fmt.Sprintf("%s %d", it.Kind, it.address.OID)
			}
		default:
			classes, oids = append(classes, it.address.Class), append(oids, it.address.OID)
			subs, positions = append(subs, it.address.Sub), append(positions, int32(i))
		}
	}
	type row struct {
		Position int32
		Name     string
	}
	rows, err := query[row](e, `
		select p, coalesce(i.identity, '') from unnest($1::oid[], $2::oid[], $3::int[], $4::int[]) u (class, oid, sub, p)
		cross join lateral pg_identify_object(class, oid, sub) i`, classes, oids, subs, positions)
	if err != nil {
		return explain(err)
	}
	for _, r := range rows {
		it := &l.Items[r.Position]
		if it.Name = r.Name; it.Name == "" { // dropped since
			it.Name = fmt.Sprintf("%s %d", it.Kind, it.address.OID)
		}
	}
	rank := map[Status]int{Unreadable: 0, Unsupported: 1, Excluded: 2, Managed: 3}
	slices.SortStableFunc(l.Items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(rank[a.Status], rank[b.Status]), cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return nil
}

// unknownNames reads the names of objects in catalogs that nothing knows, from
// the column that looks like a name.
func (e *enumerator) unknownNames(items []Item) (map[key]string, error) {
	var parts []string
	seen := map[uint32]bool{}
	for _, it := range items {
		c := e.catalogs[it.address.Class]
		if c.Label == "" || !c.HasOID || seen[c.OID] {
			continue
		}
		seen[c.OID] = true
		parts = append(parts, fmt.Sprintf("select %d::oid, oid, quote_ident(%s) from pg_catalog.%s", c.OID, c.Label, pgx.Identifier{c.Name}.Sanitize()))
	}
	names := map[key]string{}
	if len(parts) == 0 {
		return names, nil
	}
	type row struct {
		Class, OID uint32
		Name       string
	}
	rows, err := query[row](e, strings.Join(parts, " union all "), pgx.QueryExecModeExec)
	for _, r := range rows {
		names[key{r.Class, r.OID}] = r.Name
	}
	return names, err
}

// Unreadable lists what may not be read, for the copy to leave it out: the
// OIDs of tables without a privilege or under row security, and of large objects.
func (inv *Inventory) Unreadable() (tables, largeObjects map[uint32]bool) {
	tables, largeObjects = map[uint32]bool{}, map[uint32]bool{}
	for k := range inv.denied {
		switch k.class {
		case classClass:
			tables[k.oid] = true
		case classLargeObject:
			largeObjects[k.oid] = true
		}
	}
	return tables, largeObjects
}
