package choice

import (
	"slices"
	"strings"

	"guarda/shared/restore/sqltext"
)

// WithoutRoles leaves out what is owned by or granted to roles that a managed
// platform has and the target does not: such owners, and the statements of
// grants that name them. What else names them, such as a policy, stays.
func (c *Choice) WithoutRoles(missing []string) error {
	for i := range c.Entries {
		e := &c.Entries[i]
		if slices.Contains(missing, e.Owner) {
			e.OwnerSQL = ""
		}
		if !IsACL(e) || !slices.ContainsFunc(e.Roles, func(r string) bool { return slices.Contains(missing, r) }) {
			continue
		}
		tokens, err := sqltext.Tokens(e.SQL)
		if err != nil {
			return err
		}
		var kept strings.Builder
		for _, statement := range sqltext.Statements(tokens) {
			if !slices.ContainsFunc(statement, func(t sqltext.Token) bool {
				name, ok := t.Name()
				return ok && slices.Contains(missing, name)
			}) {
				kept.WriteString(sqltext.Join(statement))
			}
		}
		e.SQL = kept.String()
		e.Roles = slices.DeleteFunc(slices.Clone(e.Roles), func(r string) bool { return slices.Contains(missing, r) })
	}
	return nil
}
