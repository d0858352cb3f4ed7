package choice

import (
	"slices"
	"strings"

	"guarda/shared/restore/sqltext"
)

// Owners returns the roles that objects are given to, sorted.
func (c *Choice) Owners() []string {
	var owners []string
	for i := range c.Entries {
		if e := &c.Entries[i]; e.OwnerSQL != "" && e.Owner != "" {
			owners = append(owners, e.Owner)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// Roles returns all roles that the statements name, sorted. Grants name their
// object's owner too where his rights are not the usual ones, and default
// privileges that of whom they are, though nothing is given to anybody.
func (c *Choice) Roles() ([]string, error) {
	roles := c.Owners()
	for i := range c.Entries {
		e := &c.Entries[i]
		roles = append(roles, e.Roles...)
		if !IsACL(e) || e.Owner == "" || slices.Contains(roles, e.Owner) {
			continue
		}
		tokens, err := sqltext.Tokens(e.SQL)
		if err != nil {
			return nil, err
		}
		if names(tokens, []string{e.Owner}) {
			roles = append(roles, e.Owner)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles), nil
}

func names(tokens []sqltext.Token, wanted []string) bool {
	return slices.ContainsFunc(tokens, func(t sqltext.Token) bool {
		name, ok := t.Name()
		return ok && slices.Contains(wanted, name)
	})
}

// WithoutRoles leaves out what is owned by or granted to roles that a managed
// platform has and the target does not: such owners, and the statements of
// grants that name them. What else names them, such as a policy, stays.
func (c *Choice) WithoutRoles(missing []string) error {
	for i := range c.Entries {
		e := &c.Entries[i]
		if slices.Contains(missing, e.Owner) {
			e.OwnerSQL = ""
		}
		if !IsACL(e) || !slices.ContainsFunc(append([]string{e.Owner}, e.Roles...), func(r string) bool { return slices.Contains(missing, r) }) {
			continue
		}
		tokens, err := sqltext.Tokens(e.SQL)
		if err != nil {
			return err
		}
		var kept strings.Builder
		for _, statement := range sqltext.Statements(tokens) {
			if !names(statement, missing) {
				kept.WriteString(sqltext.Join(statement))
			}
		}
		e.SQL = kept.String()
		e.Roles = slices.DeleteFunc(slices.Clone(e.Roles), func(r string) bool { return slices.Contains(missing, r) })
	}
	return nil
}
