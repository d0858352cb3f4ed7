package pgcatalog

import (
	"strings"

	"guarda/shared/fault"
)

// readPublications makes the entries of publications, their tables and
// schemas, and of subscriptions.
func (r *reader) readPublications() error {
	rows, err := query[struct {
		OID                                            uint32
		Name, Owner                                    string
		All, Insert, Update, Delete, Truncate, ViaRoot bool
		Generated                                      string
	}](r, `
		select p.oid, p.pubname, pg_get_userbyid(p.pubowner), p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot,
		       `+r.since(180000, `p.pubgencols::text`, `'n'`)+`
		from pg_publication p where `+noMember("pg_publication", "p.oid")+` order by p.oid`)
	if err != nil {
		return err
	}
	name := map[uint32]string{}
	owner := map[uint32]string{}
	for i := range rows {
		p := &rows[i]
		quoted := quoteIdent(p.Name)
		name[p.OID], owner[p.OID] = p.Name, p.Owner
		n := r.graph.add(&node{
			key: key{classPublication, p.OID}, kind: "PUBLICATION", name: p.Name, owner: p.Owner, section: PostData, ref: "PUBLICATION " + quoted,
			ownerSQL: "ALTER PUBLICATION " + quoted + " OWNER TO " + quoteIdent(p.Owner) + ";\n",
			dropSQL:  "DROP PUBLICATION IF EXISTS " + quoted + ";\n",
			emit: func(*node) string {
				s := "CREATE PUBLICATION " + quoted
				if p.All {
					s += " FOR ALL TABLES"
				}
				var events []string
				for _, e := range []struct {
					on   bool
					word string
				}{{p.Insert, "insert"}, {p.Update, "update"}, {p.Delete, "delete"}, {p.Truncate, "truncate"}} {
					if e.on {
						events = append(events, e.word)
					}
				}
				s += " WITH (publish = " + quoteLiteral(strings.Join(events, ", "))
				if p.ViaRoot {
					s += ", publish_via_partition_root = true"
				}
				if p.Generated == "s" {
					s += ", publish_generated_columns = stored"
				}
				return s + ");\n"
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	if err := r.readPublicationTables(name, owner); err != nil {
		return err
	}
	if r.version >= 150000 {
		if err := r.readPublicationSchemas(name, owner); err != nil {
			return err
		}
	}
	return r.readSubscriptions()
}

func (r *reader) readPublicationTables(name, owner map[uint32]string) error {
	rows, err := query[struct {
		OID, Publication, Table uint32
		Columns                 []string
		Filter                  *string
	}](r, `
		select pr.oid, pr.prpubid, pr.prrelid,
		       `+r.since(150000, `array(select a.attname::text from pg_attribute a where a.attrelid = pr.prrelid and a.attnum = any (pr.prattrs) order by a.attnum),
		       pg_get_expr(pr.prqual, pr.prrelid)`, `'{}'::text[], null::text`)+`
		from pg_publication_rel pr order by pr.oid`)
	if err != nil {
		return err
	}
	for i := range rows {
		m := &rows[i]
		t := r.rels[m.Table]
		if t == nil || name[m.Publication] == "" {
			continue
		}
		r.graph.add(&node{
			key: key{classPubRel, m.OID}, kind: "PUBLICATION TABLE", schema: t.Schema, name: name[m.Publication] + " " + t.Name,
			owner: owner[m.Publication], section: PostData, ref: "PUBLICATION " + quoteIdent(name[m.Publication]), table: t.OID,
			deps: []key{{classPublication, m.Publication}, {classRelation, t.OID}},
			emit: func(*node) string {
				s := "ALTER PUBLICATION " + quoteIdent(name[m.Publication]) + " ADD TABLE ONLY " + t.full()
				if len(m.Columns) > 0 {
					s += " (" + quoteIdents(m.Columns) + ")"
				}
				if m.Filter != nil {
					s += " WHERE (" + *m.Filter + ")"
				}
				return s + ";\n"
			},
		})
	}
	return nil
}

func (r *reader) readPublicationSchemas(name, owner map[uint32]string) error {
	rows, err := query[struct {
		OID, Publication, Namespace uint32
		Schema                      string
	}](r, `
		select pn.oid, pn.pnpubid, pn.pnnspid, n.nspname
		from pg_publication_namespace pn join pg_namespace n on n.oid = pn.pnnspid order by pn.oid`)
	if err != nil {
		return err
	}
	for i := range rows {
		m := &rows[i]
		if name[m.Publication] == "" {
			continue
		}
		r.graph.add(&node{
			key: key{classPubNamespace, m.OID}, kind: "PUBLICATION TABLES IN SCHEMA", name: name[m.Publication] + " " + m.Schema,
			owner: owner[m.Publication], section: PostData, ref: "PUBLICATION " + quoteIdent(name[m.Publication]),
			deps: []key{{classPublication, m.Publication}, {classNamespace, m.Namespace}},
			emit: func(*node) string {
				return "ALTER PUBLICATION " + quoteIdent(name[m.Publication]) + " ADD TABLES IN SCHEMA " + quoteIdent(m.Schema) + ";\n"
			},
		})
	}
	return nil
}

// readSubscriptions makes the SUBSCRIPTION entries: not connected and without
// a slot of their own making, so that a restored database does not begin to
// take over another's stream. Only a superuser may read pg_subscription's
// connection strings. Options whose default differs between versions are
// always stated.
func (r *reader) readSubscriptions() error {
	type presence struct {
		OID  uint32
		Name string
		May  bool
	}
	there, err := query[presence](r, `
		select `+r.since(140000, `s.oid`, `0::oid`)+`, s.subname, has_column_privilege('pg_subscription', 'subconninfo', 'select')
		from pg_subscription s where s.subdbid = (select oid from pg_database where datname = current_database()) order by s.subname`)
	if err != nil || len(there) == 0 {
		return err
	}
	if !there[0].May {
		for _, s := range there {
			l := LeftOut{
				Kind: "SUBSCRIPTION", Name: s.Name, Reason: Unreadable,
				Grant: "GRANT SELECT ON pg_catalog.pg_subscription TO " + quoteIdent(r.role) + ";",
			}
			if s.OID != 0 {
				l.Objects = []Address{{Class: classSubscription, OID: s.OID}}
			}
			r.leave(l, fault.Say("its connection string, which only a superuser may read"))
		}
		return nil
	}
	rows, err := query[struct {
		OID                                 uint32
		Name, Owner, Connection, Slot, Sync string
		Publications                        []string
		Options                             string
	}](r, `
		select s.oid, s.subname, pg_get_userbyid(s.subowner), s.subconninfo, coalesce(s.subslotname, ''), s.subsynccommit, s.subpublications,
		       ''
		       `+r.since(140000, `|| case when s.subbinary then ', binary = true' else '' end`, ``)+`
		       `+r.since(160000, `|| case s.substream when 't' then ', streaming = on' when 'p' then ', streaming = parallel' else ', streaming = off' end`,
		r.since(140000, `|| ', streaming = ' || case when s.substream then 'on' else 'off' end`, ``))+`
		       `+r.since(150000, `|| case when s.subtwophasestate <> 'd' then ', two_phase = on' else '' end
		                          || case when s.subdisableonerr then ', disable_on_error = true' else '' end`, ``)+`
		       `+r.since(160000, `|| case when not s.subpasswordrequired then ', password_required = false' else '' end
		                          || ', run_as_owner = ' || s.subrunasowner::text
		                          || case when s.suborigin <> 'any' then ', origin = ' || s.suborigin else '' end`, ``)+`
		       `+r.since(170000, `|| case when s.subfailover then ', failover = true' else '' end`, ``)+`
		from pg_subscription s where s.subdbid = (select oid from pg_database where datname = current_database()) order by s.oid`)
	if err != nil {
		return err
	}
	for i := range rows {
		s := &rows[i]
		name := quoteIdent(s.Name)
		n := r.graph.add(&node{
			key: key{classSubscription, s.OID}, kind: "SUBSCRIPTION", name: s.Name, owner: s.Owner, section: PostData, ref: "SUBSCRIPTION " + name,
			ownerSQL: "ALTER SUBSCRIPTION " + name + " OWNER TO " + quoteIdent(s.Owner) + ";\n",
			dropSQL:  dropSubscription(s.Name), noTx: true,
			emit: func(*node) string {
				slot := "NONE"
				if s.Slot != "" {
					slot = quoteLiteral(s.Slot)
				}
				sync := ""
				if s.Sync != "off" {
					sync = ", synchronous_commit = " + quoteLiteral(s.Sync)
				}
				return "CREATE SUBSCRIPTION " + name + " CONNECTION " + quoteLiteral(s.Connection) + " PUBLICATION " + quoteIdents(s.Publications) +
					" WITH (connect = false, slot_name = " + slot + s.Options + sync + ");\n"
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}

// dropSubscription leaves the publisher's slot alone: the subscription that is
// made instead goes on with it, or, in a copy of a database, it is another's.
func dropSubscription(subscription string) string {
	name := quoteIdent(subscription)
	return onlyIf("EXISTS (SELECT FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = pg_catalog.current_database() AND s.subname = "+quoteLiteral(subscription)+")",
		"ALTER SUBSCRIPTION "+name+" DISABLE; ALTER SUBSCRIPTION "+name+" SET (slot_name = NONE); DROP SUBSCRIPTION "+name)
}
