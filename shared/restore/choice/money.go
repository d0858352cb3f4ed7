package choice

import (
	"strings"

	"guarda/shared/restore/sqltext"
)

// HoldsMoney reports whether something is of the type money. What its values
// look like depends on lc_monetary, and read under another one than they were
// written under they become other amounts without an error.
func (c *Choice) HoldsMoney() bool {
	for i := range c.Entries {
		switch e := &c.Entries[i]; e.Kind {
		case "TABLE", "TYPE", "DOMAIN":
			if strings.Contains(e.SQL, "money") && usesMoney(e.SQL) {
				return true
			}
		}
	}
	return false
}

// usesMoney tells the type from a column of that name, which stands first in
// its definition.
func usesMoney(sql string) bool {
	tokens, err := sqltext.Tokens(sql)
	if err != nil {
		return false
	}
	before := sqltext.Token{}
	for _, t := range tokens {
		if t.Blank() {
			continue
		}
		if t.Is("money") && before.Text != "(" && before.Text != "," && before.Text != "." {
			return true
		}
		before = t
	}
	return false
}
