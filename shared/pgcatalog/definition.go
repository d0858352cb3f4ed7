package pgcatalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// definition hashes everything that decides what the text of a table's rows
// looks like (see Table.Definition).
func (r *reader) definition(t *relation) string {
	h := sha256.New()
	extensions := map[uint32]bool{}
	for _, c := range t.columns {
		if c.Dropped {
			continue
		}
		fmt.Fprintf(h, "%d\x00%s\x00%s\x00%s\x00%s\x00", c.Num, c.Name, c.Type, c.Collation, c.Generated)
		if c.Missing != nil {
			fmt.Fprintf(h, "missing\x00%s\x00", *c.Missing)
		}
		fmt.Fprintf(h, "%s\x00", r.typeDefinition(c.TypeOID, map[uint32]bool{}, extensions))
	}
	var versions []string
	for oid := range extensions {
		versions = append(versions, r.extension[oid].name+" "+r.extension[oid].version)
	}
	slices.Sort(versions)
	fmt.Fprintf(h, "%s", strings.Join(versions, "\x00"))
	return hex.EncodeToString(h.Sum(nil))
}

// typeDefinition describes a type and the types it is made of. Built-in types
// need no description: their text form belongs to the server's version.
func (r *reader) typeDefinition(oid uint32, above map[uint32]bool, extensions map[uint32]bool) string {
	t := r.types[oid]
	if t == nil || above[oid] {
		return itoa(oid)
	}
	if ext, ok := r.member[key{classType, oid}]; ok {
		extensions[ext] = true
	}
	above[oid] = true
	defer delete(above, oid)
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %q", oid, t.Type, t.Labels)
	if t.OutputSource != "" {
		fmt.Fprintf(&b, " %q", t.OutputSource)
	}
	for _, inner := range []uint32{t.Elem, t.Base, t.Subtype} {
		if inner != 0 {
			b.WriteString("(" + r.typeDefinition(inner, above, extensions) + ")")
		}
	}
	if t.Type == "d" {
		fmt.Fprintf(&b, "%s %q", t.BaseText, t.checkDefs)
	}
	columns := t.attributes
	if rel := r.rels[t.Relation]; rel != nil {
		columns = rel.columns
	}
	for _, c := range columns {
		if !c.Dropped {
			fmt.Fprintf(&b, "[%q %s %s]", c.Name, c.Type, r.typeDefinition(c.TypeOID, above, extensions))
		}
	}
	return b.String()
}
