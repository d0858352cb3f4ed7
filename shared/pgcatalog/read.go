package pgcatalog

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
)

// Querier runs queries: a *pgx.Conn or a pgx.Tx.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Options narrow a catalog to some tables. The zero Options narrow nothing.
type Options struct {
	// Tables are patterns of the relations to take (tables, views,
	// materialized views, foreign tables, sequences), as for pg_dump -t:
	// name or schema.name, with * and ? as wildcards. Letters outside double
	// quotes fold to lower case, wildcards inside them are plain characters.
	Tables []string
	// Exclude are patterns of relations to leave out, as for pg_dump -T.
	Exclude []string
}

// SessionSQL sets what Entry.SQL and the rows' text rely on, whatever the
// database or the role sets; it comes first on each session that applies
// entries or loads rows. The limits in the last statement came with versions 14
// and 17. A database whose encoding is SQL_ASCII wants that as client_encoding
// afterwards.
const SessionSQL = `SET search_path = '';
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET default_transaction_read_only = off;
SET default_transaction_isolation = 'read committed';
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET array_nulls = on;
SET transform_null_equals = off;
SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout');
`

// Catalogs by OID (fixed since their creation), as pg_depend names them.
const (
	classRelation     = 1259
	classType         = 1247
	classProc         = 1255
	classAttrdef      = 2604
	classConstraint   = 2606
	classRewrite      = 2618
	classTrigger      = 2620
	classNamespace    = 2615
	classExtension    = 3079
	classOperator     = 2617
	classOpclass      = 2616
	classOpfamily     = 2753
	classAccessMethod = 2601
	classAmop         = 2602
	classAmproc       = 2603
	classCast         = 2605
	classConversion   = 2607
	classCollation    = 3456
	classLanguage     = 2612
	classTSConfig     = 3602
	classTSDict       = 3600
	classTSParser     = 3601
	classTSTemplate   = 3764
	classFDW          = 2328
	classServer       = 1417
	classUserMapping  = 1418
	classEventTrigger = 3466
	classPolicy       = 3256
	classPublication  = 6104
	classPubRel       = 6106
	classPubNamespace = 6237
	classSubscription = 6100
	classTransform    = 3576
	classStatistic    = 3381
	classLargeObject  = 2613
	classDatabase     = 1262
	classDefaultACL   = 826
)

// firstNormalOID is the first OID that belongs to users' objects.
const firstNormalOID = 16384

// reader carries what the queries found while the catalog is put together.
type reader struct {
	ctx     context.Context
	q       Querier
	version int
	role    string // whose rights decide what can be read
	// mappings: the role may read pg_user_mapping, not only its view
	mappings bool
	cat      *Catalog
	graph    *graph

	member    map[key]uint32 // extension by member object
	rels      map[uint32]*relation
	relOrder  []*relation
	types     map[uint32]*typeInfo
	subjects  []subject // what comments, labels and grants may be about
	bySubject map[subjectKey]*subject
	inits     map[subjectKey][]string // initial privileges (pg_init_privs)
	extension map[uint32]extensionInfo
	config    map[uint32]string // row filter by configuration table of an extension
}

// Read reads the catalog of the database that q is connected to. The caller's
// transaction decides which state of the catalog is seen. There are at most 80
// queries, however many objects there are.
//
// Read sets search_path and the settings that decide how the server prints
// expressions (see pinSession) for the rest of the session.
//
// Errors: fault.NotFound for a pattern that matches nothing, fault.Conflict
// when an object is dropped while it is read, else the server's.
func Read(ctx context.Context, q Querier, opt Options) (*Catalog, error) {
	r := &reader{
		ctx: ctx, q: q, cat: &Catalog{}, graph: newGraph(),
		member: map[key]uint32{}, rels: map[uint32]*relation{}, types: map[uint32]*typeInfo{},
		bySubject: map[subjectKey]*subject{}, inits: map[subjectKey][]string{}, extension: map[uint32]extensionInfo{}, config: map[uint32]string{},
	}
	steps := []func() error{
		r.pinSession, r.readDatabase, r.readMembers,
		r.readSchemas, r.readExtensions, r.readLanguages, r.readTypes, r.readRoutines, r.readRelations,
		r.readColumns, r.readSequences, r.readConstraints, r.readInheritance, r.readIndexes,
		r.readStatistics, r.readViews, r.readTriggers, r.readPolicies, r.readEventTriggers,

		r.readOperators, r.readCollations, r.readTextSearch, r.readForeign, r.readPublications,
		r.readLargeObjects, r.readDefaultACLs, r.readSystemGrants,
		r.finishRelations, r.finishTypes, r.finishLocks, r.finishDefaults,
		r.readExtensionDependencies, r.readDependencies,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	for _, loop := range r.graph.breakLoops() {
		r.leave(LeftOut{
			Kind: loop[0].kind, Schema: loop[0].schema, Name: loop[0].entryName(), Reason: Unsupported,
			Objects: []Address{{Class: loop[0].key.class, OID: loop[0].key.oid}},
		}, fault.Say("depends on itself through %s", loop[len(loop)-1].ref))
	}
	r.graph.settleSections()
	attach := []func() error{r.readComments, r.readSecurityLabels, r.addACLs, r.addRefreshes}
	for _, step := range attach {
		if err := step(); err != nil {
			return nil, err
		}
	}
	r.cat.Entries = r.graph.entries()
	r.cat.Tables = r.tables()
	r.cat.Roles = rolesOf(r.cat.Entries)
	if len(opt.Tables) == 0 && len(opt.Exclude) == 0 {
		return r.cat, nil
	}
	return r.cat.Select(opt)
}

// leave records what the catalog does not carry.
func (r *reader) leave(l LeftOut, detail fault.Text) {
	l.Detail, l.DetailText = detail.String(), detail
	r.cat.LeftOut = append(r.cat.LeftOut, l)
}

// pinSession sets everything that decides how the server prints definitions,
// and turns off the compiling of queries, which costs more than these queries.
func (r *reader) pinSession() error {
	type row struct {
		Version int
		Role    string
		Mapping bool
		A       string
	}
	set := func(name, value string) string {
		return "pg_catalog.set_config('" + name + "', '" + value + "', false)"
	}
	// Until it ran, names could mean others than the server's own.
	rows, err := query[row](r, `
		select pg_catalog.current_setting('server_version_num')::pg_catalog.int4, current_user, pg_catalog.has_table_privilege('pg_catalog.pg_user_mapping', 'select'),
		       pg_catalog.concat(`+strings.Join([]string{
		set("search_path", ""), set("quote_all_identifiers", "off"), set("standard_conforming_strings", "on"), set("DateStyle", "ISO"), set("IntervalStyle", "postgres"),
		set("TimeZone", "UTC"), set("extra_float_digits", "3"), set("bytea_output", "hex"), set("jit", "off")}, ", ")+`)`)
	if err != nil {
		return err
	}
	r.version, r.role = rows[0].Version, rows[0].Role
	r.mappings = rows[0].Mapping
	if r.version < 130000 {
		return fault.New(fault.Invalid, "the server runs PostgreSQL %d; 13 is the oldest that can be read", r.version/10000).
			Hint("upgrade the server, or back it up with its own pg_dump")
	}
	r.cat.ServerVersion = r.version
	return nil
}

func (r *reader) readMembers() error {
	type row struct{ Class, OID, Ext uint32 }
	rows, err := query[row](r, `
		select classid, objid, refobjid from pg_depend
		where deptype = 'e' and refclassid = 'pg_extension'::regclass`)
	if err != nil {
		return err
	}
	for _, m := range rows {
		r.member[key{m.Class, m.OID}] = m.Ext
		r.graph.alias[key{m.Class, m.OID}] = key{classExtension, m.Ext}
	}
	type initial struct {
		Class, OID uint32
		Sub        int32
		ACL        []string
	}
	inits, err := query[initial](r, `select classoid, objoid, objsubid, initprivs::text[] from pg_init_privs`)
	if err != nil {
		return err
	}
	for _, i := range inits {
		r.inits[subjectKey{i.Class, i.OID, i.Sub}] = i.ACL
	}
	return nil
}

// since returns expr if the server is at least of that version, else other.
func (r *reader) since(version int, expr, other string) string {
	if r.version >= version {
		return expr
	}
	return other
}

// each calls visit with each row of a query, in a struct whose fields are the
// query's columns. The struct is the same one every time: visit keeps a copy
// of what it needs, or what its fields point to.
func each[T any](r *reader, visit func(*T) error, sql string, args ...any) error {
	rows, err := r.q.Query(r.ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("read the catalog: %w", err)
	}
	defer rows.Close()
	var row, blank T
	v := reflect.ValueOf(&row).Elem()
	targets := make([]any, v.NumField())
	for i := range targets {
		targets[i] = v.Field(i).Addr().Interface()
	}
	for rows.Next() {
		row = blank
		if err := rows.Scan(targets...); err != nil {
			return fmt.Errorf("read the catalog: %w", err)
		}
		if err := visit(&row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the catalog: %w", err)
	}
	return nil
}

// query collects the rows of a query into structs, column by column.
func query[T any](r *reader, sql string, args ...any) ([]T, error) {
	var out []T
	err := each(r, func(row *T) error {
		out = append(out, *row)
		return nil
	}, sql, args...)
	return out, err
}

// userSchema is the condition on pg_namespace n for schemas of users.
const userSchema = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`

// noMember is the condition that a row of a catalog belongs to no extension;
// it takes the catalog's name and the OID's expression.
func noMember(catalog, oid string) string {
	return `not exists (select from pg_depend ext where ext.classid = '` + catalog + `'::regclass and ext.objid = ` + oid + ` and ext.deptype = 'e')`
}

func rolesOf(entries []Entry) []string {
	var all []string
	for _, e := range entries {
		if e.Owner != "" {
			all = append(all, e.Owner)
		}
		all = append(all, e.Roles...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// readDependencies takes over pg_depend. Built-in objects need no mention, and
// those of extensions stand for their extension.
func (r *reader) readDependencies() error {
	type row struct {
		Class, OID, RefClass, RefOID uint32
		Type                         string
	}
	g := r.graph
	return each(r, func(d *row) error {
		from, to := key{d.Class, d.OID}, key{d.RefClass, d.RefOID}
		if _, ok := r.member[from]; ok {
			return nil
		}
		if g.clone(from) {
			return nil
		}
		n := g.find(from)
		if n == nil || d.Class == classProc && d.Type == "i" || r.ignoredDependency(from, to, d.Type) {
			return nil
		}
		// A row that only belongs to the node (an array type, a member of an
		// operator family) adds its needs to the node's.
		n.deps = append(n.deps, to)
		return nil
	}, `
		select classid, objid, refclassid, refobjid, deptype::text from pg_depend
		where deptype in ('n', 'a', 'i', 'P', 'S') and objid >= $1 and refobjid >= $1`, uint32(firstNormalOID))
}

// ignoredDependency tells which dependencies are expressed by an entry of
// their own, so that they do not bind the objects themselves: a partition to
// its parent (TABLE ATTACH), an index to the parent's (INDEX ATTACH), a
// sequence to the column that owns it (SEQUENCE OWNED BY).
func (r *reader) ignoredDependency(from, to key, deptype string) bool {
	if from.class == classRelation && to.class == classRelation {
		child, parent := r.rels[from.oid], r.rels[to.oid]
		if child != nil && parent != nil {
			if child.IsPartition && parent.Kind == "p" {
				return true
			}
			if child.Kind == "S" && deptype == "a" {
				return true
			}
		}
	}
	if deptype == "P" || deptype == "S" {
		return true
	}
	return false
}
