package choice

import (
	"fmt"
	"slices"
	"strings"

	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/restore/sqltext"
)

// bearMissingRows lets foreign keys be made though the table that they refer to
// comes back without the rows it had: the role that made the backup might not
// read them, or they are the platform's. Nothing after such a key would be
// restored if it failed. It is made for rows to come, and of those that are
// there the server is asked afterwards. On a partitioned table, where that
// takes version 18, it is made only if it holds.
func (c *Choice) bearMissingRows() error {
	filled := map[uint32]bool{}
	for _, t := range c.Tables {
		filled[t.OID] = true
	}
	above, trees, err := c.partitions()
	if err != nil {
		return err
	}
	for i := range c.Entries {
		e := &c.Entries[i]
		if e.Kind != "FK CONSTRAINT" || strings.HasSuffix(e.SQL, " NOT VALID;\n") || strings.HasSuffix(e.SQL, " NOT ENFORCED;\n") {
			continue
		}
		missing := slices.ContainsFunc(e.Locks, func(oid uint32) bool {
			for at := oid; at != 0; at = above[at] {
				if at == e.Table {
					return false // refers to it, rather than being referred to
				}
			}
			return !filled[oid] && !trees[oid]
		})
		if !missing {
			continue
		}
		if err := bear(e, trees[e.Table]); err != nil {
			return err
		}
		c.Warnings = append(c.Warnings, fault.Warn("rows_missing", Display(e), "%s %s refers to rows that the backup does not have: it is not validated (on a partitioned table: left out) unless the target has them",
			fault.Term(strings.ToLower(e.Kind)), Display(e)))
	}
	return nil
}

func bear(e *pgcatalog.Entry, tree bool) error {
	tokens, err := sqltext.Tokens(e.SQL)
	if err != nil {
		return fmt.Errorf("%s %s: %w", strings.ToLower(e.Kind), Display(e), err)
	}
	at := slices.IndexFunc(tokens, func(t sqltext.Token) bool { return t.Is("add") })
	name := slices.IndexFunc(tokens, func(t sqltext.Token) bool { return t.Is("foreign") })
	try := strings.TrimSuffix(e.SQL, ";\n")
	if !tree && at >= 0 && name > at {
		e.SQL = try + " NOT VALID;\n"
		// ALTER TABLE … ADD CONSTRAINT name FOREIGN KEY…
		try = sqltext.Join(tokens[:at]) + "VALIDATE " + strings.TrimSpace(sqltext.Join(tokens[at+1:name]))
	} else {
		e.SQL = ""
	}
	tag := "$do$"
	for strings.Contains(try, tag) {
		tag = tag[:len(tag)-1] + "_$"
	}
	e.SQL += "DO " + tag + " BEGIN " + try + "; EXCEPTION WHEN foreign_key_violation THEN RAISE WARNING '%', SQLERRM; END " + tag + ";\n"
	return nil
}

// partitions returns which table each partition belongs to, and which tables
// are partitioned and have no rows of their own.
func (c *Choice) partitions() (above map[uint32]uint32, trees map[uint32]bool, err error) {
	above, trees = map[uint32]uint32{}, map[uint32]bool{}
	makes := map[int]uint32{}
	for i := range c.Entries {
		e := &c.Entries[i]
		switch e.Kind {
		case "TABLE":
			makes[e.ID] = e.Table
			if strings.Contains(e.SQL, "PARTITION BY") {
				tokens, err := sqltext.Tokens(e.SQL)
				if err != nil {
					return nil, nil, fmt.Errorf("table %s: %w", Display(e), err)
				}
				trees[e.Table] = strings.Contains(bare(tokens), ") partition by ")
			}
		case "TABLE ATTACH":
			for _, d := range e.DependsOn {
				if parent := makes[d]; parent != 0 && parent != e.Table {
					above[e.Table] = parent
				}
			}
		}
	}
	return above, trees, nil
}
