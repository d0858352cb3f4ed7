package restore

import (
	"fmt"

	"guarda/shared/backup/manifest"
	"guarda/shared/pgcatalog"
)

// choose finds the tables and entries to restore.
func (x *restoration) choose() error {
	c := x.m.Catalog()
	if len(x.Tables) > 0 {
		var err error
		if c, err = c.Select(pgcatalog.Options{Tables: x.Tables}); err != nil {
			return err
		}
		for _, l := range c.LeftOut[len(x.m.LeftOut):] {
			if l.Reason == pgcatalog.NotSelected || l.Reason == pgcatalog.RowsNotSelected {
				x.warn(manifest.Warning{Code: "left_out", Object: l.Schema + "." + l.Name,
					Message: fmt.Sprintf("%s %s: %s (%s)", l.Kind, l.Name, l.Reason, l.Detail)})
			}
		}
	}
	byOID := make(map[uint32]*manifest.Table, len(x.m.Tables))
	for i := range x.m.Tables {
		byOID[x.m.Tables[i].OID] = &x.m.Tables[i]
	}
	for _, t := range c.Tables {
		x.tables = append(x.tables, byOID[t.OID])
	}
	x.made = map[uint32]bool{}
	for _, e := range c.Entries {
		if !x.NoACL || !isACL(&e) {
			x.entries = append(x.entries, e)
			if e.Kind == "TABLE" {
				x.made[e.Table] = true
			}
		}
	}
	x.pass = passes(x.entries)
	return nil
}
