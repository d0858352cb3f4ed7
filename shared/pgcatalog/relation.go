package pgcatalog

import (
	"slices"
	"strings"
)

// relation is a row of pg_class that a user made.
type relation struct {
	OID                           uint32
	Schema, Name, Kind, Owner     string // Kind is relkind
	Persistence, Tablespace       string
	AccessMethod                  string
	Options, ToastOptions         []string
	RowSecurity, ForceRowSecurity bool
	ReplicaIdentity               string
	IsPartition                   bool
	Bound, PartitionKey           string
	OfType                        string
	Populated                     bool
	Actual, Base                  []string
	Server                        string
	ForeignOptions                []string
	Pages, ToastPages             int64
	Rows                          float64
	FileNode                      uint32
	RowType                       uint32

	node    *node
	columns []*column
	parents []*relation
	view    string // the query of a view
	member  bool   // of an extension
}

// column is a row of pg_attribute.
type column struct {
	Relation                uint32
	Num                     int16
	Name, Type              string
	TypeOID                 uint32
	NotNull                 bool
	Identity, Generated     string
	Dropped, Local          bool
	InheritCount            int32
	Storage, TypeStorage    string
	Compression             string
	Statistics              int32 // -1 where the default rules
	Options, ForeignOptions []string
	Collation               string // qualified, where it is not the type's
	Missing                 *string
	Actual                  []string

	expr    *node // its default or generation expression
	exprSQL string
	notNull *notNull
}

// notNull is a NOT NULL constraint that has a row of its own (PostgreSQL 18).
type notNull struct {
	name             string
	noInherit, local bool
	validated        bool
	standard         bool // it has the name the server would choose
	oid              uint32
}

func (t *relation) full() string { return qualified(t.Schema, t.Name) }

// readRelations reads the relations of users and makes their entries, except
// sequences that an identity column owns.
func (r *reader) readRelations() error {
	type row struct {
		OID                           uint32
		Schema, Name, Kind, Owner     string
		Persistence, Tablespace       string
		AccessMethod                  string
		Options, ToastOptions         []string
		RowSecurity, ForceRowSecurity bool
		ReplicaIdentity               string
		IsPartition                   bool
		Bound, PartitionKey           string
		OfType                        string
		Populated                     bool
		Actual, Base                  []string
		Server                        string
		ForeignOptions                []string
		Pages, ToastPages             int64
		Rows                          float64
		FileNode                      uint32
		RowType                       uint32
	}
	return each(r, func(row *row) error {
		t := &relation{
			OID: row.OID, Schema: row.Schema, Name: row.Name, Kind: row.Kind, Owner: row.Owner, Persistence: row.Persistence,
			Tablespace: row.Tablespace, AccessMethod: row.AccessMethod, Options: row.Options, ToastOptions: row.ToastOptions,
			RowSecurity: row.RowSecurity, ForceRowSecurity: row.ForceRowSecurity, ReplicaIdentity: row.ReplicaIdentity,
			IsPartition: row.IsPartition, Bound: row.Bound, PartitionKey: row.PartitionKey, OfType: row.OfType,
			Populated: row.Populated, Actual: row.Actual, Base: row.Base, Server: row.Server, ForeignOptions: row.ForeignOptions,
			Pages: row.Pages, ToastPages: row.ToastPages, Rows: row.Rows, FileNode: row.FileNode, RowType: row.RowType,
		}
		r.rels[t.OID] = t
		r.relOrder = append(r.relOrder, t)
		r.addRelation(t)
		return nil
	}, `
		select c.oid, n.nspname, c.relname, c.relkind::text, pg_get_userbyid(c.relowner), c.relpersistence::text,
		       coalesce(ts.spcname, ''), coalesce(am.amname, ''), coalesce(c.reloptions, '{}'), coalesce(tc.reloptions, '{}'),
		       c.relrowsecurity, c.relforcerowsecurity, c.relreplident::text, c.relispartition,
		       coalesce(pg_get_expr(c.relpartbound, c.oid), ''), case when c.relkind = 'p' then pg_get_partkeydef(c.oid) else '' end,
		       case when c.reloftype <> 0 then format_type(c.reloftype, null) else '' end, c.relispopulated,
		       coalesce(c.relacl, a.acl)::text[], a.acl::text[],
		       coalesce(fs.srvname, ''), coalesce(ft.ftoptions, '{}'),
		       case when c.relkind in ('r', 'm') then coalesce(pg_relation_size(c.oid) / current_setting('block_size')::int, 0) else 0 end,
		       case when c.relkind in ('r', 'm') and c.reltoastrelid <> 0 then coalesce(pg_relation_size(c.reltoastrelid) / current_setting('block_size')::int, 0) else 0 end,
		       case when c.relpages = 0 and c.reltuples = 0 and current_setting('server_version_num')::int < 140000 then -1 else c.reltuples end,
		       c.relfilenode, c.reltype
		from pg_class c
		join pg_namespace n on n.oid = c.relnamespace
		cross join lateral (select acldefault(case when c.relkind = 'S' then 's' else 'r' end::"char", c.relowner) acl) a
		left join pg_class tc on tc.oid = c.reltoastrelid and c.relkind <> 'p'
		left join pg_tablespace ts on ts.oid = c.reltablespace
		left join pg_am am on am.oid = c.relam
		left join pg_foreign_table ft on ft.ftrelid = c.oid
		left join pg_foreign_server fs on fs.oid = ft.ftserver
		where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and c.relpersistence <> 't' and (`+userSchema+`)
		order by c.oid`)
}

func (r *reader) addRelation(t *relation) {
	k := key{classRelation, t.OID}
	kind := map[string]string{"r": "TABLE", "p": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW", "f": "FOREIGN TABLE", "S": "SEQUENCE"}[t.Kind]
	on := "TABLE " + t.full()
	if t.Kind == "S" {
		on = "SEQUENCE " + t.full()
	}
	acl := &aclSubject{target: grantTarget{on: on}, owner: t.Owner, actual: t.Actual, base: t.Base}
	if t.RowSecurity {
		r.graph.add(&node{
			kind: "ROW SECURITY", schema: t.Schema, name: t.Name, ref: on, section: PostData, table: t.OID, deps: []key{k},
			owner: t.Owner, emit: func(*node) string { return "ALTER TABLE " + t.full() + " ENABLE ROW LEVEL SECURITY;\n" },
		})
	}
	if _, ok := r.member[k]; ok {
		t.member = true
		r.memberSubject(k, kind+" "+t.full(), t.Schema, acl)
		return
	}
	n := &node{
		key: k, kind: kind, schema: t.Schema, name: t.Name, owner: t.Owner, table: t.OID, ref: kind + " " + t.full(), space: t.Tablespace,
		ownerSQL: "ALTER " + kind + " " + t.full() + " OWNER TO " + quoteIdent(t.Owner) + ";\n",
		dropSQL:  "DROP " + kind + " IF EXISTS " + t.full() + ";\n",
	}
	t.node = r.graph.add(n)
	r.subject(n, 0, n.ref, acl)
	switch t.Kind {
	case "r", "p", "f":
		n.emit = func(n *node) string { return r.tableSQL(t, n) }
	}
}

// readColumns reads the columns of users' relations and composite types, and
// the expressions of defaults and generated columns.
func (r *reader) readColumns() error {
	type row struct {
		Relation                uint32
		Num                     int16
		Name, Type              string
		TypeOID                 uint32
		NotNull                 bool
		Identity, Generated     string
		Dropped, Local          bool
		InheritCount            int32
		Storage, TypeStorage    string
		Compression             string
		Statistics              int32
		Options, ForeignOptions []string
		Collation               string
		Missing                 *string
		Actual                  []string
	}
	byType := map[uint32]*typeInfo{}
	for _, t := range r.types {
		if t.Type == "c" && t.RelationKind == "c" {
			byType[t.Relation] = t
		}
	}
	err := each(r, func(w *row) error {
		c := &column{
			Relation: w.Relation, Num: w.Num, Name: w.Name, Type: w.Type, TypeOID: w.TypeOID, NotNull: w.NotNull,
			Identity: w.Identity, Generated: w.Generated, Dropped: w.Dropped, Local: w.Local, InheritCount: w.InheritCount,
			Storage: w.Storage, TypeStorage: w.TypeStorage, Compression: w.Compression, Statistics: w.Statistics,
			Options: w.Options, ForeignOptions: w.ForeignOptions, Collation: w.Collation, Missing: w.Missing, Actual: w.Actual,
		}
		if t := r.rels[c.Relation]; t != nil {
			t.columns = append(t.columns, c)
		} else if t := byType[c.Relation]; t != nil {
			t.attributes = append(t.attributes, c)
		}
		return nil
	}, `
		select a.attrelid, a.attnum, a.attname, case when a.attisdropped then '' else format_type(a.atttypid, a.atttypmod) end, a.atttypid, a.attnotnull,
		       a.attidentity::text, a.attgenerated::text, a.attisdropped, a.attislocal, a.attinhcount::int,
		       a.attstorage::text, coalesce(t.typstorage::text, ''), `+r.since(140000, `a.attcompression::text`, `''`)+`,
		       coalesce(a.attstattarget, -1)::int, coalesce(a.attoptions, '{}'), coalesce(a.attfdwoptions, '{}'),
		       case when a.attcollation <> 0 and a.attcollation <> t.typcollation then quote_ident(cn.nspname) || '.' || quote_ident(co.collname) else '' end,
		       case when a.atthasmissing then a.attmissingval::text end, coalesce(a.attacl::text[], '{}')
		from pg_attribute a
		join pg_class c on c.oid = a.attrelid
		join pg_namespace n on n.oid = c.relnamespace
		left join pg_type t on t.oid = a.atttypid
		left join pg_collation co on co.oid = a.attcollation
		left join pg_namespace cn on cn.oid = co.collnamespace
		where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c') and c.relpersistence <> 't' and a.attnum > 0 and (`+userSchema+`)
		order by a.attrelid, a.attnum`)
	if err != nil {
		return err
	}
	return r.readDefaults()
}

func (t *relation) column(num int16) *column {
	if i := int(num) - 1; i >= 0 && i < len(t.columns) && t.columns[i].Num == num {
		return t.columns[i]
	}
	return nil
}

func (r *reader) readDefaults() error {
	rows, err := query[struct {
		OID, Relation uint32
		Num           int16
		Expr          *string
	}](r, `
		select d.oid, d.adrelid, d.adnum, pg_get_expr(d.adbin, d.adrelid)
		from pg_attrdef d join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace
		where `+userSchema+` and c.relpersistence <> 't' order by d.adrelid, d.adnum`)
	if err != nil {
		return err
	}
	for _, d := range rows {
		t := r.rels[d.Relation]
		if t == nil || t.node == nil {
			continue
		}
		c := t.column(d.Num)
		if c == nil {
			continue
		}
		if d.Expr == nil {
			return changed("TABLE", t.Schema, t.Name)
		}
		c.exprSQL = *d.Expr
		if c.Generated != "" {
			r.graph.alias[key{classAttrdef, d.OID}] = t.node.key
			continue
		}
		alter := "TABLE ONLY "
		switch t.Kind {
		case "v":
			alter = "VIEW "
		case "f":
			alter = "FOREIGN TABLE ONLY "
		}
		alter += t.full() + " ALTER COLUMN " + quoteIdent(c.Name)
		c.expr = r.graph.addPart(t.node, &node{
			key: key{classAttrdef, d.OID}, kind: "DEFAULT", schema: t.Schema, name: t.Name + " " + c.Name, owner: t.Owner, table: t.OID,
			ref:     "COLUMN " + t.full() + "." + quoteIdent(c.Name),
			emit:    func(*node) string { return "ALTER " + alter + " SET DEFAULT " + c.exprSQL + ";\n" },
			dropSQL: "ALTER " + strings.Replace(strings.Replace(alter, "TABLE ONLY ", "TABLE IF EXISTS ONLY ", 1), "VIEW ", "VIEW IF EXISTS ", 1) + " DROP DEFAULT;\n",
		}, exprPart)
		if t.Kind == "v" {
			c.expr.alone = true
		}
	}
	return nil
}

// finishRelations records the columns that grants are about.
func (r *reader) finishRelations() error {
	for _, t := range r.relOrder {
		for _, c := range t.columns {
			init := r.inits[subjectKey{classRelation, t.OID, int32(c.Num)}]
			if len(c.Actual) == 0 && len(init) == 0 {
				continue
			}
			if s := r.columnSubject(t, c); s != nil {
				s.acl = &aclSubject{
					target: grantTarget{on: "TABLE " + t.full(), column: c.Name, all: columnLetters},
					owner:  t.Owner, actual: c.Actual, base: init,
				}
				r.addSubject(*s)
			}
		}
	}
	return nil
}

// columnSubject describes a column for comments, labels and grants; nil for
// one that has none.
func (r *reader) columnSubject(t *relation, c *column) *subject {
	if c.Dropped || t.Kind == "S" {
		return nil
	}
	n := t.node
	if n == nil {
		n = &node{key: key{classRelation, t.OID}}
	}
	return &subject{
		key: subjectKey{classRelation, t.OID, int32(c.Num)}, node: n,
		ref: "COLUMN " + t.full() + "." + quoteIdent(c.Name), schema: t.Schema, tag: "COLUMN " + t.Name + "." + c.Name,
		quiet: t.node == nil,
	}
}

// tables lists the tables whose rows are copied.
func (r *reader) tables() []Table {
	var out []Table
	for _, t := range r.relOrder {
		filter, config := r.config[t.OID]
		if t.Kind != "r" || t.member && !config {
			continue
		}
		e := Table{
			OID: t.OID, Schema: t.Schema, Name: t.Name, Columns: []string{}, Pages: t.Pages, ToastPages: t.ToastPages, Rows: t.Rows,
			FileNode: t.FileNode, Heap: t.AccessMethod == "heap", RowSecurity: t.RowSecurity, Unlogged: t.Persistence == "u",
			Filter: filter,
		}
		for _, c := range t.columns {
			if !c.Dropped && c.Generated == "" {
				e.Columns = append(e.Columns, c.Name)
			}
		}
		e.Definition = r.definition(t)
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Table) int { return int(int64(a.OID) - int64(b.OID)) })
	return out
}

// optionsClause returns " WITH (…)" for a table's storage parameters, or "".
func (t *relation) optionsClause() string {
	list := append(relOptions("", t.Options), relOptions("toast.", t.ToastOptions)...)
	if len(list) == 0 {
		return ""
	}
	return " WITH (" + strings.Join(list, ", ") + ")"
}
