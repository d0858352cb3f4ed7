package ledger

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/fault"
)

// Querier runs queries: a *pgx.Conn or a pgx.Tx.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// firstNormal is the first OID that initdb does not give (FirstNormalObjectId).
const firstNormal = 16384

// toastSchema is the OID of pg_toast, as old as TOAST itself.
const toastSchema = 99

// object is one thing that is counted.
type object struct {
	Address
	facet   facet
	implied bool   // it is made with its parent and by nothing else
	letter  byte   // the catalog's own distinction
	schema  uint32 // 0: outside of schemas
	owner   uint32
	parent  int32 // position of what it belongs to; -1: nothing
}

type key struct{ class, oid uint32 }

// Inventory is everything that a database has, and what the role may not read
// of it. It costs about 40 bytes an object.
type Inventory struct {
	Role string // current_user, as SQL writes it

	objects []object
	byKey   map[key]int32 // the definitions
	schemas map[uint32]string
	roles   map[uint32]string
	// catalogs names the catalogs that kindOf does not know.
	catalogs map[uint32]catalogRow
	hidden   []string        // catalogs that the role may not read
	members  map[key]bool    // objects of extensions
	filled   map[uint32]bool // tables and sequences of extensions that have content
	denied   map[key]denial
	kinds    map[kindKey]string
}

type kindKey struct {
	class  uint32
	letter byte
}

// catalogRow is a system catalog.
type catalogRow struct {
	OID                      uint32
	Name                     string
	Shared, HasOID, Readable bool
	// Names of columns; "" where it has none.
	Schema, Owner, Database, Acl, Label string
}

// Enumerate counts everything in the database that q is connected to, with a
// number of queries that does not depend on how much there is. The caller's
// transaction decides which state of the catalogs is seen.
func Enumerate(ctx context.Context, q Querier) (*Inventory, error) {
	e := &enumerator{ctx: ctx, q: q, Inventory: &Inventory{
		byKey: map[key]int32{}, schemas: map[uint32]string{}, roles: map[uint32]string{}, catalogs: map[uint32]catalogRow{},
		members: map[key]bool{}, filled: map[uint32]bool{}, denied: map[key]denial{}, kinds: map[kindKey]string{},
	}}
	for _, step := range []func() error{e.readCatalogs, e.readNames, e.readObjects, e.readExtensions, e.readAttached, e.readPrivileges} {
		if err := step(); err != nil {
			return nil, explain(err)
		}
	}
	return e.Inventory, nil
}

type enumerator struct {
	*Inventory
	ctx      context.Context
	q        Querier
	version  int
	database uint32
	system   []catalogRow
}

func explain(err error) error {
	if fault.As(err) != nil {
		return err
	}
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == "XX000" {
		return fault.New(fault.Conflict, "an object was dropped while the coverage ledger was made").
			Hint("try again when nobody changes the schema").Because(err)
	}
	return fmt.Errorf("enumerate the catalog: %w", err)
}

func query[T any](e *enumerator, sql string, args ...any) ([]T, error) {
	rows, err := e.q.Query(e.ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// readCatalogs finds the system catalogs and by their columns' types and the
// ends of their names what can be said of the rows of any of them.
func (e *enumerator) readCatalogs() error {
	type server struct {
		Version  int
		Database uint32
		Role     string
		JIT      string
	}
	// To compile the long unions below takes longer than to run them.
	s, err := query[server](e, `
		select current_setting('server_version_num')::int, d.oid, quote_ident(current_user), set_config('jit', 'off', true) from pg_catalog.pg_database d where d.datname = current_database()`)
	if err != nil {
		return err
	}
	e.version, e.database, e.Role = s[0].Version, s[0].Database, s[0].Role
	e.system, err = query[catalogRow](e, `
		select c.oid, c.relname::text, c.relisshared, o.there, o.there and has_column_privilege(c.oid, 'oid', 'select'), `+
		column(`a.atttypid = 'oid'::regtype and a.attname like '%namespace'`)+`, `+
		column(`a.atttypid = 'oid'::regtype and a.attname like '%owner'`)+`, `+
		column(`a.atttypid = 'oid'::regtype and a.attname like '%dbid'`)+`, `+
		column(`a.atttypid = 'aclitem[]'::regtype`)+`, `+
		column(`a.atttypid = 'name'::regtype and a.attname like '%name'`)+`
		from pg_catalog.pg_class c cross join lateral (
			select exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = 'oid' and a.atttypid = 'oid'::regtype and a.attnum > 0) as there) o
		where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r' and (not c.relisshared or o.there)
		order by c.oid`)
	return err
}

func column(where string) string {
	return `coalesce((select quote_ident(min(a.attname::text)) from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and ` + where + `), '')`
}

// readNames reads what schemas and roles are called.
func (e *enumerator) readNames() error {
	type named struct {
		Schema bool
		OID    uint32
		Name   string
	}
	rows, err := query[named](e, `
		select true, oid, nspname::text from pg_catalog.pg_namespace union all select false, oid, rolname::text from pg_catalog.pg_roles`)
	for _, r := range rows {
		if r.Schema {
			e.schemas[r.OID] = r.Name
		} else {
			e.roles[r.OID] = r.Name
		}
	}
	return err
}

var temporary = regexp.MustCompile(`^pg_(toast_)?temp_\d+$`)

// readObjects reads the rows of all catalogs at once.
func (e *enumerator) readObjects() error {
	var parts []string
	for _, c := range e.system {
		switch part := e.rowsOf(c); {
		case part == "":
		case c.HasOID && !c.Readable && c.OID != classUserMapping:
			some, err := e.hasRows(c)
			if err != nil {
				return err
			}
			if some {
				e.hidden = append(e.hidden, c.Name)
			}
		default:
			parts = append(parts, part)
		}
	}
	rows, err := e.q.Query(e.ctx, strings.Join(parts, "\nunion all "), pgx.QueryExecModeExec)
	if err != nil {
		return err
	}
	type raw struct {
		parent key
		filled bool
	}
	var read []object
	var raws []raw
	var class, oid, schema, owner, pclass, poid uint32
	var letter string
	var implied, filled bool
	_, err = pgx.ForEachRow(rows, []any{&class, &oid, &schema, &owner, &letter, &pclass, &poid, &implied, &filled}, func() error {
		o := object{Address: Address{Class: class, OID: oid}, schema: schema, owner: owner, implied: implied, parent: -1}
		if letter != "" {
			o.letter = letter[0]
		}
		e.byKey[key{class, oid}] = int32(len(read))
		read = append(read, o)
		raws = append(raws, raw{key{pclass, poid}, filled})
		return nil
	})
	if err != nil {
		return err
	}
	// What belongs to something temporary is temporary.
	const unknown, keep, drop = 0, 1, 2
	fate := make([]byte, len(read))
	var settle func(i int32) byte
	settle = func(i int32) byte {
		o := &read[i]
		if fate[i] != unknown {
			return fate[i]
		}
		fate[i] = keep
		if temporary.MatchString(e.schemas[o.schema]) || o.Class == classNamespace && temporary.MatchString(e.schemas[o.OID]) {
			fate[i] = drop
		}
		if p := raws[i].parent; p.oid != 0 && fate[i] == keep {
			switch at, ok := e.byKey[p]; {
			case ok && settle(at) == drop:
				fate[i] = drop
			case ok && at != i:
				o.parent = at
				if o.schema == 0 || o.schema == toastSchema {
					o.schema = read[at].schema
				}
				if o.owner == 0 {
					o.owner = read[at].owner
				}
			}
		}
		return fate[i]
	}
	moved := make([]int32, len(read))
	for i := range read {
		moved[i] = -1
		if settle(int32(i)) == keep {
			moved[i] = int32(len(e.objects))
			e.objects = append(e.objects, read[i])
		}
	}
	for i := range read {
		k := key{read[i].Class, read[i].OID}
		if moved[i] < 0 {
			delete(e.byKey, k)
			continue
		}
		e.byKey[k] = moved[i]
		o := &e.objects[moved[i]]
		if o.parent >= 0 {
			o.parent = moved[o.parent]
		}
		if raws[i].filled {
			of := *o
			of.facet, of.parent, of.implied = content, moved[i], false
			e.objects = append(e.objects, of)
		}
	}
	at := int32(len(e.objects))
	e.byKey[key{classDatabase, e.database}] = at
	e.objects = append(e.objects, object{Address: Address{Class: classDatabase, OID: e.database}, parent: -1})
	return nil
}

// hasRows says whether a catalog whose OIDs the role may not read may have
// rows of this database.
func (e *enumerator) hasRows(c catalogRow) (bool, error) {
	if c.OID != classSubscription { // PostgreSQL 13 shows everything of it but the OID
		return true, nil
	}
	rows, err := query[struct{ N int }](e, `select count(*)::int from pg_catalog.pg_subscription where subdbid = $1`, e.database)
	return len(rows) > 0 && rows[0].N > 0, err
}

// rowsOf returns the query for the rows of a catalog: class, OID, schema,
// owner, letter, parent's class and OID, whether it is made with its parent,
// whether it has content (rows, a value, data).
func (e *enumerator) rowsOf(c catalogRow) string {
	if !c.HasOID {
		if withoutOID(c.Name) {
			return ""
		}
		e.catalogs[c.OID] = c
		return fmt.Sprintf("select %d::oid, row_number() over ()::oid, 0::oid, 0::oid, '', 0::oid, 0::oid, false, false from pg_catalog.%s",
			c.OID, pgx.Identifier{c.Name}.Sanitize())
	}
	or := func(column, other string) string {
		if column == "" {
			return other
		}
		return "c." + column
	}
	schema, owner := or(c.Schema, "0::oid"), or(c.Owner, "0::oid")
	build := func(letter, pclass, poid, implied, content, from, where string) string {
		if where == "" {
			where = fmt.Sprintf("c.oid >= %d", firstNormal)
		}
		return fmt.Sprintf("select %d::oid, c.oid, %s, %s, coalesce(%s::text, ''), %s::oid, coalesce(%s, 0)::oid, coalesce(%s, false), %s from pg_catalog.%s c%s where %s",
			c.OID, schema, owner, letter, pclass, poid, implied, content, pgx.Identifier{c.Name}.Sanitize(), from, where)
	}
	of := func(class int, column string) string {
		return build("''", fmt.Sprint(class), "c."+column, "false", "false", "", "")
	}
	switch c.OID {
	case classClass:
		return build("case when i.indisvalid and i.indisready or c.relkind <> 'i' or (select t.relkind from pg_catalog.pg_class t where t.oid = i.indrelid) = 'p' then c.relkind else 'x' end", "case c.relkind when 'c' then 1247 else 1259 end", "case c.relkind when 't' then m.oid when 'c' then c.reltype else i.indrelid end",
			fmt.Sprintf("c.relkind in ('t', 'c') or c.relnamespace = %d", toastSchema), "c.relkind in ('r', 'S') or c.relkind = 'm' and c.relispopulated",
			" left join pg_catalog.pg_index i on i.indexrelid = c.oid left join pg_catalog.pg_class m on m.reltoastrelid = c.oid and c.relkind = 't'", "")
	case classType:
		multi, multiOf := "", "null::oid"
		if e.version >= 140000 {
			multi, multiOf = " left join pg_catalog.pg_range g on g.rngmultitypid = c.oid", "g.rngtypid"
		}
		return build("case when r.relkind <> 'c' then 'R' when a.oid is not null then 'A' else c.typtype end",
			"case when r.relkind <> 'c' then 1259 else 1247 end", "case when r.relkind <> 'c' then r.oid else coalesce(a.oid, "+multiOf+") end",
			"r.relkind <> 'c' or a.oid is not null or "+multiOf+" is not null", "false",
			" left join pg_catalog.pg_class r on r.oid = c.typrelid left join pg_catalog.pg_type a on a.typarray = c.oid"+multi, "")
	case classProc:
		return build("c.prokind", "0", "0", "false", "false", "", "")
	case classConstraint:
		return build("c.contype", "case when c.conrelid <> 0 then 1259 else 1247 end", "case when c.conrelid <> 0 then c.conrelid else c.contypid end", "false", "false", "", "")
	case classTrigger:
		return build("''", "case when c.tgisinternal and c.tgconstraint <> 0 then 2606 else 1259 end",
			"case when c.tgisinternal and c.tgconstraint <> 0 then c.tgconstraint else c.tgrelid end", "c.tgisinternal and c.tgconstraint <> 0", "false", "", "")
	case classRewrite:
		return build("''", "1259", "c.ev_class", "c.rulename = '_RETURN'", "false", "", "")
	case classEnum:
		return build("''", "1247", "c.enumtypid", "true", "false", "", "")
	case classOperator: // one without a function is what others name as commutator or negator
		return build("case when c.oprcode = 0 then 's' end", "2617",
			"case when c.oprcode = 0 then (select min(o.oid::text::bigint)::oid from pg_catalog.pg_operator o where o.oprcode <> 0 and (o.oprcom = c.oid or o.oprnegate = c.oid)) end",
			"c.oprcode = 0", "false", "", "")
	case classAttrdef:
		return of(classClass, "adrelid")
	case classPolicy:
		return of(classClass, "polrelid")
	case classPubRel:
		return of(6104, "prpubid")
	case classPubNamespace:
		return of(6104, "pnpubid")
	case classAmop:
		return of(2753, "amopfamily")
	case classAmproc:
		return of(2753, "amprocfamily")
	case classNamespace:
		return build("''", "0", "0", "false", "false", "", fmt.Sprintf("c.oid >= %d or c.nspname = 'public'", firstNormal))
	case classExtension:
		schema = "0::oid"
	case classLOMetadata:
		c.OID = classLargeObject
		return build("''", "0", "0", "false", "true", "", "true")
	case classUserMapping: // the catalog is for superusers, the view for all
		return fmt.Sprintf("select %d::oid, c.umid, 0::oid, 0::oid, '', 1417::oid, c.srvid, false, false from pg_catalog.pg_user_mappings c", classUserMapping)
	}
	if c.Shared && c.Database == "" {
		return "" // of the cluster
	}
	if _, known := kindOf(c.OID, ""); !known {
		e.catalogs[c.OID] = c
	}
	if c.Shared {
		return build("''", "0", "0", "false", "false", "", fmt.Sprintf("c.%s = %d", c.Database, e.database))
	}
	return build("''", "0", "0", "false", "false", "", "")
}

// kind names the kind of an object.
func (inv *Inventory) kind(o *object) string {
	switch o.facet {
	case comment:
		return kindComment
	case label:
		return kindLabel
	case grants:
		return kindGrants
	case setting:
		return kindSetting
	case content:
		switch {
		case o.Class == classLargeObject:
			return kindLargeData
		case o.letter == 'S':
			return kindSequenceValue
		case o.letter == 'm':
			return kindMatviewRows
		}
		return kindTableRows
	}
	k := kindKey{o.Class, o.letter}
	kind, ok := inv.kinds[k]
	if !ok {
		var known bool
		letter := ""
		if o.letter != 0 {
			letter = string(o.letter)
		}
		if kind, known = kindOf(o.Class, letter); !known {
			kind = inv.catalogs[o.Class].Name
		} else if kind == "" { // a letter that a newer version has
			kind = fmt.Sprintf("unknown (%d %s)", o.Class, letter)
		}
		inv.kinds[k] = kind
	}
	return kind
}

// Objects returns how many objects there are.
func (inv *Inventory) Objects() int { return len(inv.objects) + len(inv.hidden) }
