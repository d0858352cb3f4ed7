package ledger

import (
	"cmp"
	"slices"
	"strings"

	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

// Coverage is what the dumper found, and what was left of it step by step.
type Coverage struct {
	Full   *pgcatalog.Catalog // everything that it can dump
	Kept   *pgcatalog.Catalog // without what belongs to the platform
	Chosen *pgcatalog.Catalog // what the options name of it
	// Tables says that the options name tables to take, not only to leave out.
	Tables bool
	// Managed says why something belongs to the platform; nothing if it
	// does not. It is asked about what Full does not have.
	Managed func(Thing) fault.Text
	// ManagedEntry and ManagedRows say it of entries, by ID, and of the rows
	// of tables, by OID, that Kept does not have.
	ManagedEntry map[int]fault.Text
	ManagedRows  map[uint32]fault.Text
}

// Thing describes an object of the catalog to a preset.
type Thing struct {
	Kind, Schema, Owner string
	OfExtension         bool
}

// level says how far an object got on its way into the backup.
type level uint8

const (
	absent level = iota
	found        // in Full
	kept
	chosen
)

type coverKey struct {
	Address
	facet facet
}

// fact is what the dumper says about an object.
type fact struct {
	level level
	entry int32 // position in Full.Entries; -1: none
}

// Compare says what became of each object. Items have no names yet: see Name.
func Compare(inv *Inventory, c Coverage) *Ledger {
	j := &judge{Inventory: inv, c: c, cover: map[coverKey]fact{}, left: map[coverKey]*pgcatalog.LeftOut{},
		verdicts: make([]*verdict, len(inv.objects)), good: &verdict{status: Dumped}}
	j.learn()
	for i := range inv.objects {
		j.judge(int32(i))
	}
	return j.ledger()
}

// verdict is a status with its reason.
type verdict struct {
	status  Status
	rule    Rule
	detail  fault.Text
	denial  *denial
	carried bool
}

type judge struct {
	*Inventory
	c        Coverage
	cover    map[coverKey]fact
	left     map[coverKey]*pgcatalog.LeftOut
	verdicts []*verdict // by object; nil is not judged yet
	good     *verdict   // that of nearly all
}

// learn takes in what the dumper covers.
func (j *judge) learn() {
	catalogs := []struct {
		c *pgcatalog.Catalog
		l level
	}{{j.c.Full, found}, {j.c.Kept, kept}, {j.c.Chosen, chosen}}
	position := make(map[int]int32, len(j.c.Full.Entries))
	for i, e := range j.c.Full.Entries {
		position[e.ID] = int32(i)
	}
	for i, step := range catalogs {
		if i+1 < len(catalogs) && catalogs[i+1].c == step.c {
			continue // nothing was left out: the next level says all
		}
		for k := range step.c.Entries {
			e := &step.c.Entries[k]
			at, ok := position[e.ID]
			if !ok {
				at = -1
			}
			f := facetOf(e.Kind)
			for _, o := range e.Objects {
				j.cover[coverKey{Address(o), f}] = fact{step.l, at}
			}
			if f == content && len(e.Objects) == 0 { // a refresh names its view by Table
				j.cover[coverKey{Address{Class: classClass, OID: e.Table}, f}] = fact{step.l, at}
			}
		}
		for _, t := range step.c.Tables {
			k := coverKey{Address{Class: classClass, OID: t.OID}, content}
			at := int32(-1)
			if old, ok := j.cover[k]; ok {
				at = old.entry
			}
			j.cover[k] = fact{step.l, at}
		}
		for _, l := range step.c.LargeObjects {
			j.cover[coverKey{Address{Class: classLargeObject, OID: l.OID}, content}] = fact{step.l, -1}
		}
		for k := range step.c.LeftOut {
			l := &step.c.LeftOut[k]
			f := facetOf(l.Kind)
			for _, o := range l.Objects {
				j.left[coverKey{Address(o), f}] = l
			}
		}
	}
}

// facetOf tells which side of an object an entry of that kind is about.
func facetOf(entryKind string) facet {
	switch entryKind {
	case "COMMENT":
		return comment
	case "SECURITY LABEL":
		return label
	case "ACL":
		return grants
	case "SEQUENCE SET", "MATERIALIZED VIEW DATA", "TABLE DATA", "BLOB DATA":
		return content
	}
	return definition
}

func (j *judge) judge(i int32) verdict {
	if v := j.verdicts[i]; v != nil {
		return *v
	}
	v := j.decide(&j.objects[i])
	if j.verdicts[i] = j.good; v.status != Dumped {
		j.verdicts[i] = &v
	}
	return v
}

func (j *judge) decide(o *object) verdict {
	if o.Class == classDatabase {
		return verdict{status: Dumped} // all of it is read in one go: see pgcatalog.Database
	}
	k := coverKey{o.Address, o.facet}
	f := j.cover[k]
	switch f.level {
	case chosen:
		return j.dumped(o)
	case kept:
		return j.excluded(k, f)
	case found:
		return j.managed(o, f)
	}
	var of verdict
	if o.parent >= 0 {
		of = j.judge(o.parent)
	}
	if why := j.managedThing(o); !why.IsZero() {
		return verdict{status: Managed, rule: ByPreset, detail: why}
	}
	if l := j.left[k]; l != nil {
		return j.leftOut(o, l)
	}
	if o.parent >= 0 {
		switch {
		case o.facet == definition && o.implied, of.status != Dumped && of.status != Unreadable:
			return of
		case of.status == Unreadable && !of.carried:
			return of
		}
		if j.ofExtension(o.parent) {
			return j.withExtension(o, of)
		}
	}
	switch name := j.schemas[o.schema]; {
	case o.facet == definition && (name == "pg_catalog" || name == "information_schema"):
		return verdict{status: Unsupported, rule: InSystemSchema, detail: fault.Say("objects in %s are part of the server to a dump; move it to a schema of its own", name)}
	case o.facet == definition && o.Class == classClass && o.letter == 'x':
		return verdict{status: Excluded, rule: Incomplete, detail: fault.Say("an invalid index, as a failed CREATE INDEX CONCURRENTLY leaves it: nothing uses it")}
	case o.facet == definition && o.Class == classOperator && o.letter == 's':
		return verdict{status: Excluded, rule: Incomplete, detail: fault.Say("an operator without a function, which no other names: nothing can use it")}
	case o.facet == definition && o.Class == classNamespace && j.schemas[o.OID] == "public":
		return j.dumped(o) // every new database has it
	case o.facet == definition && j.catalogs[o.Class].Name != "":
		return verdict{status: Unsupported, rule: UnknownKind, detail: fault.Say("this version does not know the catalog %s", j.catalogs[o.Class].Name)}
	}
	return verdict{status: Unsupported, rule: NotDumped, detail: fault.Say("this version does not dump it")}
}

// dumped looks whether what is dumped may be read.
func (j *judge) dumped(o *object) verdict {
	if d, ok := j.denied[key{o.Class, o.OID}]; ok {
		if o.facet == content || o.facet == definition && o.Class == classNamespace {
			return verdict{status: Unreadable, rule: d.rule, denial: &d, detail: j.why(o, d), carried: o.facet == definition}
		}
	}
	if o.facet == definition && o.parent < 0 && o.schema != 0 {
		if d, ok := j.denied[key{classNamespace, o.schema}]; ok {
			return verdict{status: Unreadable, rule: d.rule, denial: &d, carried: true,
				detail: fault.Say("only what the system catalogs show of it could be read: the role may not use its schema")}
		}
	}
	if l := j.left[coverKey{o.Address, o.facet}]; l != nil && l.Reason == pgcatalog.Unreadable {
		v := j.leftOut(o, l)
		v.carried = true
		return v
	}
	return verdict{status: Dumped}
}

func (j *judge) why(o *object, d denial) fault.Text {
	switch {
	case o.Class == classNamespace:
		return fault.Say("only what the system catalogs show of it could be read: the role may not use it")
	case d.rule == RowSecurity:
		return fault.Say("row security would hide rows, so none is copied")
	}
	return fault.Say("the role may not read it")
}

// excluded finds by which option.
func (j *judge) excluded(k coverKey, f fact) verdict {
	v := verdict{status: Excluded, rule: NeedsExcluded, detail: fault.Say("it belongs to something that is left out, or needs it")}
	l := j.left[k]
	if l == nil && k.facet == content {
		l = j.left[coverKey{k.Address, definition}]
	}
	switch {
	case l == nil && j.c.Tables:
		v.rule, v.detail = ByTables, fault.Say("it is not among the tables that were asked for")
	case l == nil:
	case strings.HasPrefix(l.Detail, "excluded by "):
		v.rule, v.detail = ByExclude, l.DetailText
	case j.c.Tables && !strings.HasPrefix(l.Detail, "needs "):
		v.rule, v.detail = ByTables, l.DetailText
	case l.Detail != "":
		v.detail = l.DetailText
	}
	return v
}

func (j *judge) managed(o *object, f fact) verdict {
	var why fault.Text
	if o.facet == content && o.Class == classClass {
		why = j.c.ManagedRows[o.OID]
	}
	if why.IsZero() && f.entry >= 0 {
		why = j.c.ManagedEntry[j.c.Full.Entries[f.entry].ID]
	}
	if why.IsZero() {
		why = j.managedThing(o)
	}
	if why.IsZero() {
		why = fault.Say("it belongs to the platform")
	}
	return verdict{status: Managed, rule: ByPreset, detail: why}
}

func (j *judge) managedThing(o *object) fault.Text {
	if j.c.Managed == nil {
		return fault.Text{}
	}
	schema := j.schemas[o.schema]
	if o.Class == classNamespace {
		schema = j.schemas[o.OID]
	}
	return j.c.Managed(Thing{Kind: j.kind(o), Schema: schema, Owner: j.roles[o.owner], OfExtension: j.members[key{o.Class, o.OID}]})
}

// leftOut takes over what the dumper itself says.
func (j *judge) leftOut(o *object, l *pgcatalog.LeftOut) verdict {
	switch l.Reason {
	case pgcatalog.Unreadable:
		v := verdict{status: Unreadable, rule: NoPrivilege, detail: l.DetailText}
		if d, ok := j.denied[key{o.Class, o.OID}]; ok {
			v.denial, v.rule, v.detail = &d, d.rule, j.why(o, d)
			return v
		}
		if l.Grant != "" {
			grant := strings.TrimRight(l.Grant, "; \n") + ";"
			what, _, _ := strings.Cut(strings.TrimPrefix(grant, "GRANT "), " TO ")
			v.denial = &denial{NoPrivilege, fault.Term(what), []string{grant}}
			return v
		}
		v.rule = NotPossible
		if o.Class == classUserMapping || o.Class == classSubscription {
			v.rule = Secret
		}
		return v
	case pgcatalog.Unsupported:
		return verdict{status: Unsupported, rule: NotPossible, detail: l.DetailText}
	}
	return j.excluded(coverKey{o.Address, o.facet}, fact{})
}

// ofExtension says that an object, or what it belongs to, is an extension's.
func (j *judge) ofExtension(i int32) bool {
	for ; i >= 0; i = j.objects[i].parent {
		if o := &j.objects[i]; j.members[key{o.Class, o.OID}] {
			return true
		}
	}
	return false
}

// withExtension judges what the dumper does not know of an extension's member:
// CREATE EXTENSION makes it again, but not the rows that its tables have got
// since, unless the extension marks them as user's data.
func (j *judge) withExtension(o *object, of verdict) verdict {
	if o.facet == content && (o.letter == 'r' || o.letter == 'S') {
		if j.filled[o.OID] {
			return verdict{status: Excluded, rule: ExtensionRows, detail: fault.Say("its extension does not mark it as user's data")}
		}
		return verdict{status: Dumped}
	}
	if o.facet == grants || o.facet == label {
		return verdict{status: Unsupported, rule: NotDumped, detail: fault.Say("this version does not dump it")}
	}
	return verdict{status: of.status, rule: of.rule, detail: of.detail, denial: of.denial, carried: of.carried}
}

// ledger adds the verdicts up.
func (j *judge) ledger() *Ledger {
	l := &Ledger{Format: Format}
	groups := map[[2]string]*Counts{}
	tops := map[int32]int{} // items by the object at their top
	for i := range j.objects {
		o := &j.objects[i]
		v := j.verdicts[i]
		schema := j.schemas[o.schema]
		g := [2]string{j.kind(o), schema}
		if groups[g] == nil {
			groups[g] = &Counts{}
		}
		*groups[g].at(v.status)++
		*l.at(v.status)++
		if v.status == Dumped {
			continue
		}
		top := int32(i)
		for p := j.objects[top].parent; p >= 0 && j.sameFate(top, p); p = j.objects[top].parent {
			top = p
		}
		at, ok := tops[top]
		if !ok {
			at = len(l.Items)
			tops[top] = at
			l.Items = append(l.Items, j.item(top))
		}
		l.Items[at].Objects++
	}
	for _, name := range j.hidden {
		l.Unreadable++
		detail, privilege := fault.Say("what it holds is not known"), fault.Say("SELECT on table %s", "pg_catalog."+name)
		l.Items = append(l.Items, Item{Status: Unreadable, Kind: kindCatalog, Schema: "pg_catalog", Name: "pg_catalog." + name, Rule: NoPrivilege, Objects: 1,
			Detail: detail.String(), DetailText: detail, Privilege: privilege.String(), PrivilegeText: privilege, Grants: []string{"GRANT SELECT ON TABLE pg_catalog." + name + " TO " + j.Role + ";"}})
		groups[[2]string{kindCatalog, "pg_catalog"}] = &Counts{Unreadable: int64(len(j.hidden))}
	}
	for g, c := range groups {
		l.Groups = append(l.Groups, Group{g[0], g[1], *c})
	}
	slices.SortFunc(l.Groups, func(a, b Group) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Schema, b.Schema)) })
	l.Objects = l.Total()
	return l
}

// sameFate says that an item for p stands for i too.
func (j *judge) sameFate(i, p int32) bool {
	a, b := j.verdicts[i], j.verdicts[p]
	if a.status != b.status || a.carried != b.carried {
		return false
	}
	if a.status == Unreadable || a.status == Unsupported {
		return a.rule == b.rule && a.detail.String() == b.detail.String() && j.objects[i].facet != content
	}
	return true
}

func (j *judge) item(i int32) Item {
	o, v := &j.objects[i], j.verdicts[i]
	it := Item{Status: v.status, Kind: j.kind(o), Schema: j.schemas[o.schema], Rule: v.rule, Detail: v.detail.String(), DetailText: v.detail, Carried: v.carried, address: o.Address, facet: o.facet}
	if v.denial != nil {
		it.Privilege, it.PrivilegeText, it.Grants = v.denial.privilege.String(), v.denial.privilege, v.denial.grants
	}
	if o.facet == content && o.Class == classClass && o.letter == 'r' {
		if t := j.table(o.OID); t != nil {
			it.entry = EntryName{"TABLE DATA", t.Schema, t.Name}
		}
		return it
	}
	f := j.cover[coverKey{o.Address, o.facet}]
	if f.entry < 0 || f.level == absent {
		f = j.cover[coverKey{o.Address, definition}]
	}
	if f.level != absent && f.entry >= 0 {
		e := &j.c.Full.Entries[f.entry]
		it.entry = EntryName{e.Kind, e.Schema, e.Name}
	}
	return it
}

// table returns what the dumper knows of a table's rows.
func (j *judge) table(oid uint32) *pgcatalog.Table {
	at, ok := slices.BinarySearchFunc(j.c.Full.Tables, oid, func(t pgcatalog.Table, oid uint32) int { return cmp.Compare(t.OID, oid) })
	if !ok {
		return nil
	}
	return &j.c.Full.Tables[at]
}
