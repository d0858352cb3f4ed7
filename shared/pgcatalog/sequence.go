package pgcatalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
)

type sequenceValue struct {
	OID    uint32
	Last   int64
	Called bool
}

// readSequences makes the SEQUENCE, SEQUENCE OWNED BY and SEQUENCE SET entries.
func (r *reader) readSequences() error {
	rows, err := query[struct {
		OID                               uint32
		Type                              string
		Start, Increment, Min, Max, Cache int64
		Cycle                             bool
		Table                             uint32
		Column                            int16
		Internal                          bool
		MayUse, MaySelect, Config         bool
		Offline                           bool
	}](r, `
		select s.seqrelid, format_type(s.seqtypid, null), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
		       coalesce(d.refobjid, 0), coalesce(d.refobjsubid, 0)::int2, coalesce(d.deptype = 'i', false),
		       has_schema_privilege(c.relnamespace, 'usage'), has_sequence_privilege(s.seqrelid, 'select'),
		       exists (select from pg_extension x where s.seqrelid = any (x.extconfig)),
		       c.relpersistence = 'u' and pg_is_in_recovery()
		from pg_sequence s
		join pg_class c on c.oid = s.seqrelid
		join pg_namespace n on n.oid = c.relnamespace
		left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.seqrelid and d.objsubid = 0
		     and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
		where c.relpersistence <> 't' and (`+userSchema+`) order by s.seqrelid`)
	if err != nil {
		return err
	}
	var wanted []*relation
	for i := range rows {
		s := &rows[i]
		rel := r.rels[s.OID]
		if rel == nil || rel.node == nil && !s.Config {
			continue
		}
		about := []Address{{Class: classRelation, OID: rel.OID}}
		switch {
		case s.Offline:
			r.leave(LeftOut{
				Kind: "SEQUENCE SET", Schema: rel.Schema, Name: rel.Name, Reason: Unreadable, Objects: about,
			}, fault.Say("an unlogged sequence has no position on a standby server"))
		case s.MayUse && s.MaySelect:
			wanted = append(wanted, rel)
		default:
			grant := ""
			if !s.MayUse {
				grant = "GRANT USAGE ON SCHEMA " + quoteIdent(rel.Schema) + " TO " + quoteIdent(r.role) + ";"
			}
			if !s.MaySelect {
				grant = strings.TrimSpace(grant + " GRANT SELECT ON SEQUENCE " + rel.full() + " TO " + quoteIdent(r.role) + ";")
			}
			r.leave(LeftOut{
				Kind: "SEQUENCE SET", Schema: rel.Schema, Name: rel.Name, Reason: Unreadable, Grant: grant, Objects: about,
			}, fault.Say("SELECT on the sequence"))
		}
		if rel.node == nil {
			continue
		}
		options := "\n    START WITH " + itoa(s.Start) + "\n    INCREMENT BY " + itoa(s.Increment) +
			"\n    MINVALUE " + itoa(s.Min) + "\n    MAXVALUE " + itoa(s.Max) + "\n    CACHE " + itoa(s.Cache)
		if s.Cycle {
			options += "\n    CYCLE"
		}
		n := rel.node
		if t := r.rels[s.Table]; t != nil && t.column(s.Column) != nil {
			n.table = t.OID
			c := t.column(s.Column)
			if s.Internal {
				always := "ALWAYS"
				if c.Identity == "d" {
					always = "BY DEFAULT"
				}
				unlogged := ""
				if r.version >= 150000 && rel.Persistence != t.Persistence {
					unlogged = "ALTER SEQUENCE " + rel.full() + " SET " + map[string]string{"p": "LOGGED", "u": "UNLOGGED"}[rel.Persistence] + ";\n"
				}
				n.deps = append(n.deps, key{classRelation, t.OID})
				n.ownerSQL, n.dropSQL = "", ""
				n.emit = func(*node) string {
					return "ALTER TABLE " + t.full() + " ALTER COLUMN " + quoteIdent(c.Name) + " ADD GENERATED " + always +
						" AS IDENTITY (\n    SEQUENCE NAME " + rel.full() + options + "\n);\n" + unlogged
				}
				continue
			}
			r.graph.add(&node{
				kind: "SEQUENCE OWNED BY", schema: rel.Schema, name: rel.Name, owner: rel.Owner, table: t.OID, ref: n.ref,
				deps: []key{n.key, {classRelation, t.OID}},
				emit: func(*node) string {
					return "ALTER SEQUENCE " + rel.full() + " OWNED BY " + t.full() + "." + quoteIdent(c.Name) + ";\n"
				},
			})
		}
		unlogged := ""
		if rel.Persistence == "u" {
			unlogged = "UNLOGGED "
		}
		kind := s.Type
		n.emit = func(*node) string {
			return "CREATE " + unlogged + "SEQUENCE " + rel.full() + "\n    AS " + kind + options + ";\n"
		}
	}
	return r.readSequenceValues(wanted)
}

// readSequenceValues makes the SEQUENCE SET entries. Sequences are not under
// the snapshot's control: what is read is never older than it.
func (r *reader) readSequenceValues(rels []*relation) error {
	values, err := r.sequenceValues(rels)
	if err != nil {
		return err
	}
	for _, v := range values {
		rel := r.rels[v.OID]
		n := &node{
			kind: "SEQUENCE SET", schema: rel.Schema, name: rel.Name, owner: rel.Owner, section: Data, ref: "SEQUENCE " + rel.full(),
			deps: []key{{classRelation, rel.OID}}, table: rel.OID, about: []Address{{Class: classRelation, OID: rel.OID}},
			emit: func(*node) string {
				return fmt.Sprintf("SELECT pg_catalog.setval(%s, %d, %t);\n", quoteLiteral(rel.full()), v.Last, v.Called)
			},
		}
		if rel.node != nil {
			n.table = rel.node.table
		}
		r.graph.add(n)
	}
	return nil
}

// sequenceValues reads where sequences stand, ordered by OID: in one query from
// PostgreSQL 18 on. Before that one query finds those that were used, and the
// others are read by name, in up to maxBatches queries.
func (r *reader) sequenceValues(rels []*relation) ([]sequenceValue, error) {
	if len(rels) == 0 {
		return nil, nil
	}
	oids := make([]uint32, len(rels))
	for i, s := range rels {
		oids[i] = s.OID
	}
	if r.version >= 180000 {
		return query[sequenceValue](r, `
			select s.id, d.last_value, d.is_called from unnest($1::oid[]) s (id) cross join lateral pg_get_sequence_data(s.id) d order by 1`, oids)
	}
	used, err := query[sequenceValue](r, `
		select s.id, s.last, true from (select id, pg_sequence_last_value(id) as last from unnest($1::oid[]) u (id)) s where s.last is not null order by 1`, oids)
	if err != nil {
		return nil, err
	}
	known := make(map[uint32]bool, len(used))
	for _, v := range used {
		known[v.OID] = true
	}
	unused := slices.DeleteFunc(slices.Clone(rels), func(s *relation) bool { return known[s.OID] })
	const smallest, maxBatches = 200, 10
	size := max(smallest, (len(unused)+maxBatches-1)/maxBatches)
	for batch := range slices.Chunk(unused, size) {
		parts := make([]string, len(batch))
		for i, s := range batch {
			parts[i] = fmt.Sprintf("(%d::oid, (select array[last_value, is_called::int] from %s))", s.OID, s.full())
		}
		// Each text is used once: not worth a place among the prepared
		// statements. One subquery a row, since planning a union takes time
		// with the square of its parts.
		type row struct {
			OID   uint32
			Value []int64
		}
		err := each(r, func(v *row) error {
			used = append(used, sequenceValue{OID: v.OID, Last: v.Value[0], Called: v.Value[1] != 0})
			return nil
		}, "values "+strings.Join(parts, ",\n"), pgx.QueryExecModeExec)
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(used, func(a, b sequenceValue) int { return cmp.Compare(a.OID, b.OID) })
	return used, nil
}
