package choice_test

import (
	"testing"

	"guarda/shared/backup/manifest"
	"guarda/shared/pgcatalog"
	"guarda/shared/restore/choice"
)

// TestRolesOfAPlatformAreLeftOut: as owners and in grants; other grants stay.
func TestRolesOfAPlatformAreLeftOut(t *testing.T) {
	t.Parallel()
	m := &manifest.Manifest{Entries: []pgcatalog.Entry{
		{ID: 1, Section: pgcatalog.PreData, Kind: "TABLE", Schema: "s", Name: "t", Table: 1, Owner: "rdsadmin", SQL: "CREATE TABLE s.t ();\n", OwnerSQL: "ALTER TABLE s.t OWNER TO rdsadmin;\n"},
		{ID: 2, Section: pgcatalog.PreData, Kind: "ACL", Name: "TABLE t", DependsOn: []int{1}, Roles: []string{"mine", "rdsadmin"},
			SQL: "GRANT SELECT ON TABLE s.t TO rdsadmin;\nGRANT SELECT ON TABLE s.t TO mine;\n"},
	}}
	c, err := choice.Make(m, choice.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WithoutRoles([]string{"rdsadmin"}); err != nil {
		t.Fatal(err)
	}
	if e := c.Entries[0]; e.OwnerSQL != "" || e.SQL == "" {
		t.Errorf("%+v", e)
	}
	if e := c.Entries[1]; e.SQL != "\nGRANT SELECT ON TABLE s.t TO mine;\n" || len(e.Roles) != 1 {
		t.Errorf("%q %v", e.SQL, e.Roles)
	}
	if m.Entries[0].OwnerSQL == "" {
		t.Error("the backup's own entry was changed")
	}
}
