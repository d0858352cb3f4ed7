// Package preset knows what on a platform belongs to the platform and not to
// its customer: on Supabase schemas, event triggers and the publication of its
// services, on Amazon RDS and Aurora what rdsadmin owns. A backup leaves these
// out, since the platform makes them itself and a customer's role may not; the
// ledger says so of each.
//
// What belongs to Supabase follows its own command line's "db dump" (lists of
// internal schemas, excluded data and reserved roles), with two exceptions
// that lose less: policies on its tables and triggers that call a customer's
// function are kept. What belongs to RDS follows its guide's chapter on roles.
package preset

import (
	"regexp"
	"slices"
	"strings"

	"guarda/shared/fault"
)

// Names of presets.
const (
	None     = "none"
	Supabase = "supabase"
	RDS      = "rds" // and Aurora
	Auto     = "auto"
)

// Preset says what belongs to a platform.
type Preset struct {
	name    string
	schemas *regexp.Regexp // whose objects are the platform's; nil: none
	makers  *regexp.Regexp // roles whose objects are all the platform's; nil: none
	owners  *regexp.Regexp // roles that a customer can give nothing to
	roles   *regexp.Regexp // roles that every database of the platform has
	rows    []string       // managed schemas whose rows are the customer's
	choice  []string       // managed schemas whose rows are copied when asked for
}

// Check reads the name of a preset as people choose it: "" is Auto.
func Check(name string) (string, error) {
	switch name {
	case "":
		return Auto, nil
	case Auto, None, Supabase, RDS:
		return name, nil
	}
	return "", fault.New(fault.Invalid, "unknown preset %q", name).Hint("choose auto, none, supabase or rds")
}

// Named returns a preset; every other name is None.
func Named(name string) Preset {
	switch name {
	case Supabase:
		return supabase()
	case RDS:
		return rds()
	}
	return Preset{name: None}
}

func supabase() Preset {
	return Preset{
		name: Supabase,
		schemas: words(`_analytics`, `_realtime`, `_supavisor`, `auth`, `etl`, `extensions`, `pgbouncer`, `realtime`, `storage`, `supabase_functions`, `supabase_migrations`,
			// Those of extensions.
			`cron`, `dbdev`, `graphql`, `graphql_public`, `net`, `pgmq`, `pgsodium`, `pgsodium_masks`, `pgtle`, `repack`, `tiger`, `tiger_data`,
			`timescaledb_.*`, `_timescaledb_.*`, `topology`, `vault`),
		// Older projects have customers' tables that belong to supabase_admin.
		owners: words(`supabase_.*`),
		roles: words(`anon`, `authenticated`, `authenticator`, `cli_login_.*`, `dashboard_user`, `pgbouncer`, `postgres`, `service_role`, `supabase_.*`,
			`pgsodium_keyholder`, `pgsodium_keyiduser`, `pgsodium_keymaker`, `pgtle_admin`),
		rows:   []string{"cron", "pgmq"}, // jobs and queues
		choice: []string{"auth", "storage", "supabase_functions"},
	}
}

func rds() Preset {
	return Preset{
		name:   RDS,
		makers: words(`rdsadmin`),
		owners: words(`rdsadmin`),
		roles:  words(`rdsadmin`, `rds_.*`, `rdsrepladmin`, `rdsproxyadmin`, `rdstopmgr`, `rdswriteforwarduser`, `rds`),
	}
}

// words matches whole names.
func words(names ...string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + strings.Join(names, "|") + `)$`)
}

// Name returns the preset's name.
func (p Preset) Name() string { return p.name }

// Schema says that a schema is the platform's.
func (p Preset) Schema(name string) bool { return p.schemas != nil && p.schemas.MatchString(name) }

// PlatformRole says that every database of the platform has the role: it is
// not to be made there.
func (p Preset) PlatformRole(name string) bool { return p.roles != nil && p.roles.MatchString(name) }

// PlatformOwner says that nobody but the platform may give something to the
// role.
func (p Preset) PlatformOwner(name string) bool {
	return p.owners != nil && p.owners.MatchString(name)
}

func (p Preset) madeByPlatform(owner string) bool {
	return p.makers != nil && p.makers.MatchString(owner)
}

// DataSchemas returns the managed schemas whose rows can be asked for.
func (p Preset) DataSchemas() []string { return slices.Clone(p.choice) }

// CheckData says whether the rows of these schemas can be asked for.
func (p Preset) CheckData(schemas []string) error {
	for _, s := range schemas {
		if p.name != None && !slices.Contains(p.choice, s) {
			return fault.New(fault.Invalid, "the rows of schema %s cannot be asked for: the preset %s does not have them apart", s, p.name).
				Hint("possible are: %s", strings.Join(p.choice, ", "))
		}
	}
	return nil
}
