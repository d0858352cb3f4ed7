package pgcatalog

import (
	"slices"
	"strconv"
	"strings"
)

// subjectKey names an object, or with sub > 0 a column of it.
type subjectKey struct {
	class, oid uint32
	sub        int32
}

// subject is something that comments, security labels or grants can be about.
type subject struct {
	key    subjectKey
	node   *node  // the entry it needs; nil for what is there anyway
	ref    string // as COMMENT ON names it
	schema string
	tag    string
	acl    *aclSubject
	quiet  bool // comments are not carried (members of extensions)
}

// aclSubject is what GRANT needs to know.
type aclSubject struct {
	target       grantTarget
	owner        string
	actual, base []string
}

// subject records that comments and labels on a node are carried, and grants
// if acl is not nil.
func (r *reader) subject(n *node, sub int32, ref string, acl *aclSubject) {
	tag := ref
	if n.entryName() != "" && sub == 0 {
		tag = kindWord(ref) + " " + n.entryName()
	}
	r.addSubject(subject{
		key: subjectKey{n.key.class, n.key.oid, sub}, node: n, ref: ref, schema: n.schema, tag: tag, acl: acl,
	})
}

// kindWord returns the leading upper-case words of a reference.
func kindWord(ref string) string {
	words := strings.Fields(ref)
	i := 0
	for i < len(words) && words[i] == strings.ToUpper(words[i]) && !strings.ContainsAny(words[i], `".0123456789`) {
		i++
	}
	return strings.Join(words[:max(1, min(i, len(words)-1))], " ")
}

func (r *reader) addSubject(s subject) {
	r.subjects = append(r.subjects, s)
}

func (r *reader) indexSubjects() {
	if len(r.bySubject) > 0 {
		return
	}
	for i := range r.subjects {
		r.bySubject[r.subjects[i].key] = &r.subjects[i]
	}
}

// subjectOf returns what comments and labels call an object or column; nil for
// one that is not carried.
func (r *reader) subjectOf(k subjectKey) *subject {
	if s := r.bySubject[k]; s != nil {
		return s
	}
	if t := r.rels[k.oid]; k.class == classRelation && k.sub > 0 && t != nil {
		if c := t.column(int16(k.sub)); c != nil {
			return r.columnSubject(t, c)
		}
	}
	return nil
}

// readComments makes the COMMENT entries. Members of extensions keep the
// comments that their extension gives them.
func (r *reader) readComments() error {
	r.indexSubjects()
	type row struct {
		Class, OID uint32
		Sub        int32
		Text       string
	}
	rows, err := query[row](r, `
		select classoid, objoid, objsubid, description from pg_description
		where objoid >= $1 or classoid in ('pg_namespace'::regclass, 'pg_largeobject'::regclass)
		order by classoid, objoid, objsubid`, uint32(firstNormalOID))
	if err != nil {
		return err
	}
	public := r.bySubject[r.publicKey()]
	for _, c := range rows {
		s := r.subjectOf(subjectKey{c.Class, c.OID, c.Sub})
		if s == nil || s.quiet {
			continue
		}
		if s == public {
			public = nil
			if c.Text == "standard public schema" {
				continue
			}
		}
		r.attach(s, "COMMENT", "COMMENT ON "+s.ref+" IS "+quoteLiteral(c.Text)+";\n", nil)
	}
	if public != nil { // its comment, made by initdb, was removed
		r.attach(public, "COMMENT", "COMMENT ON SCHEMA public IS '';\n", nil)
	}
	return nil
}

func (r *reader) attach(s *subject, kind, sql string, roles []string) *node {
	n := &node{
		kind: kind, schema: s.schema, name: s.tag, ref: s.ref, roles: roles,
		emit:  func(*node) string { return sql },
		about: []Address{{s.key.class, s.key.oid, s.key.sub}},
	}
	n.section = PreData
	if s.node != nil {
		n.deps = append(n.deps, s.node.key)
		owner := whole(s.node)
		n.section, n.table = owner.section, s.node.table
	}
	if kind == "ACL" {
		n.section = PostData
	}
	return r.graph.add(n)
}

// readSecurityLabels makes the SECURITY LABEL entries.
func (r *reader) readSecurityLabels() error {
	type row struct {
		Class, OID      uint32
		Sub             int32
		Provider, Label string
	}
	rows, err := query[row](r, `
		select classoid, objoid, objsubid, provider, label from pg_seclabel
		order by classoid, objoid, objsubid, provider`)
	if err != nil {
		return err
	}
	for _, l := range rows {
		s := r.subjectOf(subjectKey{l.Class, l.OID, l.Sub})
		if s == nil {
			continue
		}
		r.attach(s, "SECURITY LABEL", "SECURITY LABEL FOR "+quoteIdent(l.Provider)+" ON "+s.ref+" IS "+quoteLiteral(l.Label)+";\n", nil)
	}
	return nil
}

// addACLs makes the ACL entries: what was granted and revoked since the object
// was made. They come late in post-data, as pg_dump has them, because an owner
// may have revoked rights from himself.
func (r *reader) addACLs() error {
	tableACL := map[uint32]*node{}
	columns := func(i, j subject) int { return int(min(i.key.sub, 1)) - int(min(j.key.sub, 1)) }
	sorted := slices.Clone(r.subjects)
	slices.SortStableFunc(sorted, columns) // tables before their columns
	for i := range sorted {
		s := &sorted[i]
		if s.acl == nil {
			continue
		}
		a := s.acl
		if a.target.all == "" {
			a.target.all = ownerLetters(a.base, a.owner)
		}
		a.target.grows = r.version < 170000 && a.target.column == "" && strings.HasPrefix(a.target.on, "TABLE ")
		sql, roles := aclSQL(a.target, a.owner, a.actual, a.base)
		if sql == "" {
			continue
		}
		n := r.attach(s, "ACL", sql, roles)
		n.owner = a.owner
		if s.key.class == classRelation {
			if s.key.sub == 0 {
				n.key = key{1, s.key.oid} // class 1 is no catalog: free for grants
				r.graph.byKey[n.key] = n
				tableACL[s.key.oid] = n
			} else if t := tableACL[s.key.oid]; t != nil {
				n.deps = append(n.deps, t.key) // REVOKE on a table takes its columns' rights too
			}
		}
	}
	return nil
}

// ownerLetters lists the privileges that the owner has by default: every one
// the kind of object knows.
func ownerLetters(base []string, owner string) string {
	for _, it := range parseACL(base) {
		if it.grantee == owner {
			return string(it.plain) + string(it.grantable)
		}
	}
	return ""
}

// publicKey is the subject of the schema public, if there is one.
func (r *reader) publicKey() subjectKey {
	for _, s := range r.subjects {
		if s.key.class == classNamespace && s.ref == "SCHEMA public" {
			return s.key
		}
	}
	return subjectKey{}
}

func itoa[T int | int32 | uint32 | int64](n T) string { return strconv.FormatInt(int64(n), 10) }
