package pgcatalog

import (
	"slices"
	"strings"
)

// aclItem is one aclitem: what a grantor gave a grantee.
type aclItem struct {
	grantee, grantor string // "" as grantee is PUBLIC
	plain, grantable []byte // privilege letters without and with grant option
}

// parseACL reads the text form of aclitem[] elements:
// grantee=letters/grantor, a letter followed by * being grantable. Names that
// are not plain are in double quotes (putid in PostgreSQL's acl.c).
func parseACL(items []string) []aclItem {
	out := make([]aclItem, 0, len(items))
	for _, s := range items {
		var it aclItem
		it.grantee, s = aclName(s)
		s = strings.TrimPrefix(s, "=")
		letters, rest, _ := strings.Cut(s, "/")
		for i := 0; i < len(letters); i++ {
			if i+1 < len(letters) && letters[i+1] == '*' {
				it.grantable = append(it.grantable, letters[i])
				i++
				continue
			}
			it.plain = append(it.plain, letters[i])
		}
		it.grantor, _ = aclName(rest)
		out = append(out, it)
	}
	return out
}

func aclName(s string) (name, rest string) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' && quoted && i+1 < len(s) && s[i+1] == '"':
			b.WriteByte('"')
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '=' || c == '/'):
			return b.String(), s[i:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// privilegeWord names a privilege letter (acl.h).
func privilegeWord(letter byte) string {
	switch letter {
	case 'r':
		return "SELECT"
	case 'w':
		return "UPDATE"
	case 'a':
		return "INSERT"
	case 'd':
		return "DELETE"
	case 'D':
		return "TRUNCATE"
	case 'x':
		return "REFERENCES"
	case 't':
		return "TRIGGER"
	case 'X':
		return "EXECUTE"
	case 'U':
		return "USAGE"
	case 'C':
		return "CREATE"
	case 'T':
		return "TEMPORARY"
	case 'c':
		return "CONNECT"
	case 's':
		return "SET"
	case 'A':
		return "ALTER SYSTEM"
	case 'm':
		return "MAINTAIN"
	default:
		return ""
	}
}

// columnLetters are the privileges that a column knows.
const columnLetters = "arwx"

// grantTarget is what GRANT … ON names.
type grantTarget struct {
	on     string // "TABLE public.t", "FUNCTION public.f(integer)"
	column string // for privileges of a column: the column
	all    string // every letter this kind has on the server read: then ALL is said
	prefix string // "ALTER DEFAULT PRIVILEGES … " for default privileges
	// grows says that newer versions know more privileges of this kind: a grant
	// names each of them, so that it means no more there than it did here.
	grows bool
}

// aclSQL returns the statements that turn the privileges in base into those in
// actual, and the roles they name. Grants keep the order of the list, but a
// grantor comes after whoever gave him the right to grant.
func aclSQL(t grantTarget, owner string, actual, base []string) (string, []string) {
	now, was := parseACL(actual), parseACL(base)
	var b strings.Builder
	roles := map[string]bool{}
	find := func(list []aclItem, it aclItem) *aclItem {
		for i := range list {
			if list[i].grantee == it.grantee && list[i].grantor == it.grantor {
				return &list[i]
			}
		}
		return nil
	}
	for _, w := range was {
		n := find(now, w)
		var gone, option []byte
		for _, l := range w.plain {
			if n == nil || !slices.Contains(n.plain, l) && !slices.Contains(n.grantable, l) {
				gone = append(gone, l)
			}
		}
		for _, l := range w.grantable {
			switch {
			case n == nil || !slices.Contains(n.plain, l) && !slices.Contains(n.grantable, l):
				gone = append(gone, l)
			case slices.Contains(n.plain, l):
				option = append(option, l)
			}
		}
		statement(&b, t, owner, w, "REVOKE", "FROM", gone, "", roles)
		statement(&b, t, owner, w, "REVOKE GRANT OPTION FOR", "FROM", option, "", roles)
	}
	holders := map[string]bool{owner: true}
	pending := slices.Clone(now)
	for len(pending) > 0 {
		var later []aclItem
		for _, it := range pending {
			if !holders[it.grantor] {
				later = append(later, it)
				continue
			}
			if len(it.grantable) > 0 {
				holders[it.grantee] = true
			}
			grant(&b, t, owner, it, find(was, it), roles)
		}
		if len(later) == len(pending) {
			// Rights whose chain is not in the list (a superuser's doing):
			// state them all the same.
			for _, it := range later {
				grant(&b, t, owner, it, find(was, it), roles)
			}
			break
		}
		pending = later
	}
	names := make([]string, 0, len(roles))
	for r := range roles {
		names = append(names, r)
	}
	slices.Sort(names)
	return b.String(), names
}

func grant(b *strings.Builder, t grantTarget, owner string, it aclItem, was *aclItem, roles map[string]bool) {
	fresh := func(letters []byte, in func(*aclItem, byte) bool) []byte {
		var out []byte
		for _, l := range letters {
			if was == nil || !in(was, l) {
				out = append(out, l)
			}
		}
		return out
	}
	plain := fresh(it.plain, func(w *aclItem, l byte) bool {
		return slices.Contains(w.plain, l) || slices.Contains(w.grantable, l)
	})
	grantable := fresh(it.grantable, func(w *aclItem, l byte) bool { return slices.Contains(w.grantable, l) })
	statement(b, t, owner, it, "GRANT", "TO", plain, "", roles)
	statement(b, t, owner, it, "GRANT", "TO", grantable, " WITH GRANT OPTION", roles)
}

func statement(b *strings.Builder, t grantTarget, owner string, it aclItem, verb, to string, letters []byte, tail string, roles map[string]bool) {
	if len(letters) == 0 {
		return
	}
	foreign := it.grantor != owner && t.prefix == ""
	if foreign {
		b.WriteString("SET ROLE " + quoteIdent(it.grantor) + ";\n")
		roles[it.grantor] = true
	}
	column := ""
	if t.column != "" {
		column = "(" + quoteIdent(t.column) + ")"
	}
	var words []string
	if len(letters) == len(t.all) && !(t.grows && verb == "GRANT") {
		words = []string{"ALL" + column}
	} else {
		for _, l := range letters {
			words = append(words, privilegeWord(l)+column)
		}
	}
	grantee := "PUBLIC"
	if it.grantee != "" {
		grantee = quoteIdent(it.grantee)
		if it.grantee != owner {
			roles[it.grantee] = true
		}
	}
	b.WriteString(t.prefix + verb + " " + strings.Join(words, ",") + " ON " + t.on + " " + to + " " + grantee + tail + ";\n")
	if foreign {
		b.WriteString("RESET ROLE;\n")
	}
}
