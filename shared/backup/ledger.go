package backup

import (
	"context"
	"slices"
	"strings"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/ledger"
	"guarda/shared/pgcatalog"
	"guarda/shared/preset"
)

const (
	warningsShown = 100 // of one code; the ledger has all
	namesInFault  = 500 // of a strict run's refusal
	lookedAt      = 20  // backups that coverage may be compared with
)

// readCatalog reads what there is to copy, and accounts for everything else:
// what options or the platform leave out, what the role may not read, what
// nothing knows how to keep. What may not be read leaves the catalog; a strict
// run is refused instead.
func (x *execution) readCatalog(ctx context.Context, p *picture) (*pgcatalog.Catalog, *ledger.Ledger, error) {
	full, err := pgcatalog.Read(ctx, p.conn, pgcatalog.Options{})
	if err != nil {
		return nil, nil, pgsession.Explain(err, "read the catalog")
	}
	platform, detected, err := x.platform(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	cover := ledger.Coverage{Full: full, Tables: len(x.spec.Tables) > 0, Managed: func(t ledger.Thing) fault.Text {
		return platform.Managed(t.Kind, t.Schema, t.Owner, t.OfExtension)
	}}
	var left preset.LeftOut
	cover.Kept, left = platform.Apply(full, x.spec.ManagedData)
	cover.ManagedEntry, cover.ManagedRows = left.Entries, left.Rows
	x.warnOfManagedData(full, platform, left)
	cover.Chosen = cover.Kept
	if len(x.spec.Tables) > 0 || len(x.spec.Exclude) > 0 {
		if cover.Chosen, err = cover.Kept.Select(pgcatalog.Options{Tables: x.spec.Tables, Exclude: x.spec.Exclude}); err != nil {
			return nil, nil, err
		}
	}
	inventory, err := ledger.Enumerate(ctx, p.conn)
	if err != nil {
		return nil, nil, pgsession.Explain(err, "make the coverage ledger")
	}
	l := ledger.Compare(inventory, cover)
	l.Strict = x.spec.Strict
	l.Preset = ledger.Preset{Name: platform.Name(), Detected: detected.Name, Reason: detected.Reason().String(), ManagedData: x.spec.ManagedData}
	if err := l.Name(ctx, p.conn, inventory); err != nil {
		return nil, nil, pgsession.Explain(err, "make the coverage ledger")
	}
	if x.spec.Strict && !l.Complete() {
		return nil, nil, refusal(l)
	}
	x.compareCoverage(ctx, l)
	x.warnOfLedger(l)
	return withoutUnreadable(cover.Chosen, inventory, l), l, nil
}

// warnOfManagedData says which rows of the platform's schemas could have been
// copied: a customer's users and files are there.
func (x *execution) warnOfManagedData(full *pgcatalog.Catalog, platform preset.Preset, left preset.LeftOut) {
	var schemas []string
	for _, t := range full.Tables {
		if !left.Rows[t.OID].IsZero() && t.Pages > 0 && !slices.Contains(schemas, t.Schema) &&
			slices.Contains(platform.DataSchemas(), t.Schema) && !slices.Contains(x.spec.ManagedData, t.Schema) {
			schemas = append(schemas, t.Schema)
		}
	}
	if len(schemas) > 0 {
		slices.Sort(schemas)
		names := strings.Join(schemas, ", ")
		x.warnings = append(x.warnings, fault.Warn("managed_data_left_out", names,
			"the rows of %s, schemas of the platform, are not in the backup; to copy them name the schemas as managed data (--managed-data)", names))
	}
}

// platform finds out which preset to use.
func (x *execution) platform(ctx context.Context, p *picture) (preset.Preset, preset.Detected, error) {
	setting, err := preset.Check(x.spec.Preset)
	if err != nil {
		return preset.Preset{}, preset.Detected{}, err
	}
	detected, err := preset.Detect(ctx, p.conn)
	if err != nil {
		return preset.Preset{}, preset.Detected{}, pgsession.Explain(err, "look for the platform")
	}
	platform := preset.Choose(setting, detected)
	return platform, detected, platform.CheckData(x.spec.ManagedData)
}

// refusal names everything that keeps a strict run from being complete.
func refusal(l *ledger.Ledger) error {
	var names []fault.Text
	var grants []string
	n := 0
	for i := range l.Items {
		it := &l.Items[i]
		if it.Status != ledger.Unreadable && it.Status != ledger.Unsupported {
			continue
		}
		n++
		if n > namesInFault {
			continue
		}
		names = append(names, fault.Say("%s %s (%s)", fault.Term(it.Kind), it.Name, reason(it)))
		for _, g := range it.Grants {
			if !slices.Contains(grants, g) {
				grants = append(grants, g)
			}
		}
	}
	if n > namesInFault {
		names = append(names, fault.Say("and %d more", n-namesInFault))
	}
	if l.Unreadable == 0 {
		return fault.New(fault.Conflict, "a strict backup must be complete, and this would not be: %s", fault.Join("; ", names...)).
			Hint("leave tables out with --exclude, or back up without strict: then the coverage ledger names what is missing")
	}
	if len(grants) == 0 {
		grants = []string{"-"}
	}
	return fault.New(fault.Forbidden, "a strict backup must be complete, and this would not be: %s", fault.Join("; ", names...)).
		Hint("run as a role that may: %s Or leave tables out with --exclude.", strings.Join(grants, " "))
}

func reason(it *ledger.Item) fault.Text {
	if it.Privilege != "" {
		return fault.Say("missing: %s", it.PrivilegeText)
	}
	return it.DetailText
}

// withoutUnreadable takes out of a catalog what could not be copied.
func withoutUnreadable(c *pgcatalog.Catalog, inventory *ledger.Inventory, l *ledger.Ledger) *pgcatalog.Catalog {
	tables, largeObjects := inventory.Unreadable()
	if len(tables) == 0 && len(largeObjects) == 0 {
		return c
	}
	out := *c
	out.Tables, out.LargeObjects = nil, nil
	out.LeftOut = slices.Clone(c.LeftOut)
	grants := map[string]string{}
	for _, it := range l.Items {
		if it.Status == ledger.Unreadable && it.IsContent() {
			grants[it.Entry().Schema+"."+it.Entry().Name] = strings.Join(it.Grants, " ")
		}
	}
	for _, t := range c.Tables {
		if !tables[t.OID] {
			out.Tables = append(out.Tables, t)
			continue
		}
		detail := fault.Say("the role may not read its rows")
		out.LeftOut = append(out.LeftOut, pgcatalog.LeftOut{Kind: "TABLE DATA", Schema: t.Schema, Name: t.Name, Reason: pgcatalog.Unreadable,
			Detail: detail.String(), DetailText: detail, Grant: grants[t.Schema+"."+t.Name]})
	}
	for _, o := range c.LargeObjects {
		if !largeObjects[o.OID] {
			out.LargeObjects = append(out.LargeObjects, o)
		}
	}
	return &out
}

// warnOfLedger says aloud what is not complete.
func (x *execution) warnOfLedger(l *ledger.Ledger) {
	shown := map[string]int{}
	warn := func(code string, it *ledger.Item, message fault.Text) {
		if shown[code]++; shown[code] <= warningsShown {
			x.warnings = append(x.warnings, message.Warning(code, it.Name))
		}
	}
	for i := range l.Items {
		it := &l.Items[i]
		kind := fault.Term(it.Kind)
		switch {
		case it.Status == ledger.Unreadable && it.Carried:
			warn("unreadable", it, fault.Say("%s %s: %s; to let it be read: %s", kind, it.Name, it.DetailText, statements(it)))
		case it.Status == ledger.Unreadable:
			warn("unreadable", it, fault.Say("%s %s is not in the backup: %s; to let it be read: %s", kind, it.Name, reason(it), statements(it)))
		case it.Status == ledger.Unsupported:
			warn("unsupported", it, fault.Say("%s %s is not in the backup: %s", kind, it.Name, it.DetailText))
		}
		if it.Lost {
			warn("coverage_lost", it, fault.Say("%s %s was in the backup before and is %s now: %s", kind, it.Name, fault.Term(string(it.Status)), reason(it)))
		}
	}
	for _, code := range []string{"unreadable", "unsupported", "coverage_lost"} {
		if more := shown[code] - warningsShown; more > 0 {
			x.warnings = append(x.warnings, fault.Warn(code, "", "%d more: the coverage ledger names all", more))
		}
	}
}

func statements(it *ledger.Item) fault.Text {
	if len(it.Grants) == 0 {
		return fault.Say("be its owner or a superuser")
	}
	return fault.Term(strings.Join(it.Grants, " "))
}

// compareCoverage marks what the latest backup of the same tables had and this
// one has not. That it cannot be compared is no reason to fail.
func (x *execution) compareCoverage(ctx context.Context, l *ledger.Ledger) {
	if len(l.Items) == 0 {
		return
	}
	seen := 0
	for found, err := range manifest.Newest(ctx, x.Store, x.spec.Source) {
		if err != nil {
			x.Log.WarnContext(ctx, "the coverage could not be compared with the backup before", "error", err.Error())
			return
		}
		if !found.Finished || found.Header.BackupID == x.spec.ID {
			continue
		}
		if seen++; seen > lookedAt {
			return
		}
		before, _, err := manifest.Open(ctx, x.Store, found.Listed, x.Keys)
		if err != nil {
			x.Log.WarnContext(ctx, "the coverage could not be compared with the backup before", "backup_id", found.Header.BackupID, "error", err.Error())
			return
		}
		// A backup of a few tables says nothing of the others.
		if slices.Equal(before.Options.Tables, x.spec.Tables) {
			l.MarkLost(before.BackupID, before.Had())
			return
		}
	}
}
