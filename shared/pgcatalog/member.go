package pgcatalog

import "strings"

// Indexes and triggers of an extension's table can be the extension's own or
// added by users: the catalog does not tell, since neither is a member of the
// extension. So they are made only where the extension did not bring them.
// pg_dump loses those that users added.

func (r *reader) addMemberIndex(t *relation, x *index) {
	name := qualified(x.Schema, x.Name)
	n := r.graph.add(&node{
		key: key{classRelation, x.OID}, kind: "INDEX", schema: x.Schema, name: x.Name, owner: t.Owner, table: t.OID,
		section: PostData, ref: "INDEX " + name, deps: []key{{classRelation, t.OID}}, space: x.Tablespace,
		emit: func(*node) string {
			return onlyIf("pg_catalog.to_regclass("+quoteLiteral(name)+") IS NULL", *x.Definition)
		},
	})
	r.subject(n, 0, n.ref, nil)
}

func (r *reader) addMemberTrigger(t *relation, oid uint32, trigger, definition, enabled string) {
	name := quoteIdent(trigger)
	body := definition
	if word := enableWord(enabled); word != "" {
		body += "; ALTER TABLE " + t.full() + " " + word + " TRIGGER " + name
	}
	n := r.graph.add(&node{
		key: key{classTrigger, oid}, kind: "TRIGGER", schema: t.Schema, name: t.Name + " " + trigger, owner: t.Owner, table: t.OID,
		section: PostData, ref: "TRIGGER " + name + " ON " + t.full(), deps: []key{{classRelation, t.OID}},
		emit: func(*node) string {
			return onlyIf("NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = "+quoteLiteral(t.full())+
				"::pg_catalog.regclass AND tgname = "+quoteLiteral(trigger)+")", body)
		},
	})
	r.subject(n, 0, n.ref, nil)
}

// onlyIf runs statements on a condition.
func onlyIf(condition, statements string) string {
	tag := "$do$"
	for strings.Contains(condition+statements, tag) {
		tag = tag[:len(tag)-1] + "_$"
	}
	return "DO " + tag + " BEGIN IF " + condition + " THEN " + statements + "; END IF; END " + tag + ";\n"
}
