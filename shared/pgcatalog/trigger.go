package pgcatalog

import (
	"strings"
)

// readTriggers makes the TRIGGER entries. Triggers that partitions got from
// their parent come with it; where one is enabled otherwise, only that is said.
func (r *reader) readTriggers() error {
	rows, err := query[struct {
		OID, Table uint32
		Name       string
		Definition *string
		Enabled    string
		Clone      bool
		Constraint uint32
	}](r, `
		select t.oid, t.tgrelid, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, t.tgparentid <> 0,
		       case when t.tgparentid = 0 then t.tgconstraint else 0 end
		from pg_trigger t
		left join pg_trigger u on u.oid = t.tgparentid
		where t.tgrelid >= $1 and (not t.tgisinternal and t.tgparentid = 0 or t.tgparentid <> 0 and t.tgenabled is distinct from u.tgenabled)
		order by t.oid`, uint32(firstNormalOID))
	if err != nil {
		return err
	}
	made := map[triggerName]*node{}
	for i := range rows {
		g := &rows[i]
		t := r.rels[g.Table]
		if t == nil || r.isMember(classTrigger, g.OID) {
			continue
		}
		if g.Definition == nil {
			return changed("TRIGGER", t.Schema, g.Name)
		}
		if t.member {
			if !g.Clone {
				r.addMemberTrigger(t, g.OID, g.Name, *g.Definition, g.Enabled)
			}
			continue
		}
		name := quoteIdent(g.Name)
		alter := "TABLE "
		if t.Kind == "f" {
			alter = "FOREIGN TABLE "
		}
		enable := enableWord(g.Enabled)
		if g.Clone && enable == "" {
			enable = "ENABLE"
		}
		n := r.graph.add(&node{
			key: key{classTrigger, g.OID}, kind: "TRIGGER", schema: t.Schema, name: t.Name + " " + g.Name, owner: t.Owner, table: t.OID,
			section: PostData, ref: "TRIGGER " + name + " ON " + t.full(), deps: []key{t.node.key},
			emit: func(*node) string {
				s := ""
				if !g.Clone {
					s = *g.Definition + ";\n"
				}
				if enable != "" {
					s += "ALTER " + alter + t.full() + " " + enable + " TRIGGER " + name + ";\n"
				}
				return s
			},
		})
		if g.Clone {
			n.deps = append(n.deps, key{2, t.OID})
			r.cloneParents(n, g.Name, made)
			continue
		}
		made[triggerName{t.OID, g.Name}] = n
		n.dropSQL = "DROP TRIGGER IF EXISTS " + name + " ON " + t.full() + ";\n"
		r.subject(n, 0, n.ref, nil)
		if g.Constraint != 0 {
			r.graph.alias[key{classConstraint, g.Constraint}] = n.key
		}
	}
	return r.readOtherTriggers()
}

// readOtherTriggers makes the triggers that constraints bring along and those
// that partitions got from above stand for what they come from.
func (r *reader) readOtherTriggers() error {
	rows, err := query[struct{ OID, Parent, Constraint, ParentConstraint uint32 }](r, `
		select t.oid, t.tgparentid, t.tgconstraint, coalesce(u.tgconstraint, 0)
		from pg_trigger t left join pg_trigger u on u.oid = t.tgparentid
		where t.tgrelid >= $1 and (t.tgisinternal or t.tgparentid <> 0)`,
		uint32(firstNormalOID))
	if err != nil {
		return err
	}
	for _, g := range rows {
		if g.Parent == 0 {
			r.graph.alias[key{classTrigger, g.OID}] = key{classConstraint, g.Constraint}
			continue
		}
		r.graph.alias[key{classTrigger, g.OID}] = key{classTrigger, g.Parent}
		// A constraint trigger's clone has a constraint of its own.
		if own := (key{classConstraint, g.Constraint}); g.Constraint != 0 && g.ParentConstraint != 0 && r.graph.find(own) == nil {
			r.graph.alias[own] = key{classConstraint, g.ParentConstraint}
		}
	}
	return nil
}

// triggerName names a trigger that is made by a statement of its own.
type triggerName struct {
	table uint32
	name  string
}

// cloneParents makes a statement about a cloned trigger wait for every trigger
// of the tables above, of which one has it made.
func (r *reader) cloneParents(n *node, trigger string, made map[triggerName]*node) {
	todo := r.rels[n.table].parents
	for len(todo) > 0 {
		p := todo[0]
		todo = append(append([]*relation{}, todo[1:]...), p.parents...)
		if other := made[triggerName{p.OID, trigger}]; other != nil {
			n.deps = append(n.deps, other.key)
		}
	}
}

// readPolicies makes the POLICY entries.
func (r *reader) readPolicies() error {
	rows, err := query[struct {
		OID, Table    uint32
		Name, Command string
		Permissive    bool
		Roles         []string
		Public        bool
		Using, Check  *string
	}](r, `
		select p.oid, p.polrelid, p.polname, p.polcmd::text, p.polpermissive,
		       array(select r.rolname::text from unnest(p.polroles) u(id) join pg_roles r on r.oid = u.id order by r.rolname),
		       0 = any (p.polroles), pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
		from pg_policy p order by p.oid`)
	if err != nil {
		return err
	}
	command := map[string]string{"r": " FOR SELECT", "a": " FOR INSERT", "w": " FOR UPDATE", "d": " FOR DELETE"}
	for i := range rows {
		p := &rows[i]
		t := r.rels[p.Table]
		if t == nil || r.isMember(classPolicy, p.OID) {
			continue
		}
		name := quoteIdent(p.Name)
		roles := p.Roles
		if p.Public {
			roles = nil
		}
		n := r.graph.add(&node{
			key: key{classPolicy, p.OID}, kind: "POLICY", schema: t.Schema, name: t.Name + " " + p.Name, owner: t.Owner, table: t.OID,
			section: PostData, ref: "POLICY " + name + " ON " + t.full(), deps: []key{{classRelation, t.OID}}, roles: roles,
			dropSQL: "DROP POLICY IF EXISTS " + name + " ON " + t.full() + ";\n",
			emit: func(*node) string {
				s := "CREATE POLICY " + name + " ON " + t.full()
				if !p.Permissive {
					s += " AS RESTRICTIVE"
				}
				s += command[p.Command]
				if len(roles) > 0 {
					s += " TO " + quoteIdents(roles)
				}
				if p.Using != nil {
					s += " USING (" + *p.Using + ")"
				}
				if p.Check != nil {
					s += " WITH CHECK (" + *p.Check + ")"
				}
				return s + ";\n"
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}

// readEventTriggers makes the EVENT TRIGGER entries. They come last, so that
// they do not fire on the restore.
func (r *reader) readEventTriggers() error {
	rows, err := query[struct {
		OID                                   uint32
		Name, Owner, Event, Function, Enabled string
		Tags                                  []string
	}](r, `
		select e.oid, e.evtname, pg_get_userbyid(e.evtowner), e.evtevent, e.evtfoid::regproc::text, e.evtenabled::text, coalesce(e.evttags, '{}')
		from pg_event_trigger e where `+noMember("pg_event_trigger", "e.oid")+` order by e.evtname`)
	if err != nil {
		return err
	}
	for i := range rows {
		e := &rows[i]
		name := quoteIdent(e.Name)
		n := r.graph.add(&node{
			key: key{classEventTrigger, e.OID}, kind: "EVENT TRIGGER", name: e.Name, owner: e.Owner, section: PostData, ref: "EVENT TRIGGER " + name,
			ownerSQL: "ALTER EVENT TRIGGER " + name + " OWNER TO " + quoteIdent(e.Owner) + ";\n",
			dropSQL:  "DROP EVENT TRIGGER IF EXISTS " + name + ";\n",
			emit: func(*node) string {
				s := "CREATE EVENT TRIGGER " + name + " ON " + e.Event
				if len(e.Tags) > 0 {
					tags := make([]string, len(e.Tags))
					for i, t := range e.Tags {
						tags[i] = quoteLiteral(t)
					}
					s += "\n         WHEN TAG IN (" + strings.Join(tags, ", ") + ")"
				}
				s += "\n   EXECUTE FUNCTION " + e.Function + "();\n"
				if w := enableWord(e.Enabled); w != "" {
					s += "ALTER EVENT TRIGGER " + name + " " + w + ";\n"
				}
				return s
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}
