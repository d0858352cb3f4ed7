package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/ledger"
)

// shownLedger is a ledger as "show --ledger --json" prints it.
type shownLedger struct {
	BackupID string         `json:"backup_id"`
	Summary  ledger.Summary `json:"summary"`
	Groups   []ledger.Group `json:"groups"`
	Items    []ledger.Item  `json:"items"`
}

// showLedger prints the account of a backup: counts by kind, then everything
// that is not in it, with the statements that would let it be read.
func (a *app) showLedger(m *manifest.Manifest) error {
	l := m.Ledger
	if l == nil {
		return fault.New(fault.NotFound, "the backup has no coverage ledger").
			Hint("it was made by an older version: the next backup will have one")
	}
	if a.json {
		v := shownLedger{m.BackupID, l.Summary(), l.Groups, make([]ledger.Item, len(l.Items))}
		for i, it := range l.Items {
			v.Items[i] = it.In(fault.English)
		}
		return a.printJSON(v)
	}
	fmt.Fprintf(a.out, "backup %s: %s\n", m.BackupID, l.Summary())
	if l.Preset.Name != "none" || l.Preset.Detected != "none" {
		fmt.Fprintf(a.out, "preset %s (the database looks like %s)\n", l.Preset.Name, l.Preset.Detected)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nKIND\tSCHEMA\tDUMPED\tEXCLUDED\tUNREADABLE\tUNSUPPORTED\tMANAGED")
	for _, g := range l.Groups {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", g.Kind, g.Schema, count(g.Dumped), some(g.Excluded), some(g.Unreadable), some(g.Unsupported), some(g.Managed))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(l.Items) == 0 {
		return nil
	}
	w = tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nSTATUS\tKIND\tNAME\tOBJECTS\tWHY")
	for _, it := range l.Items {
		why := it.Detail
		if it.Privilege != "" {
			why = "missing: " + it.Privilege
		}
		if it.Carried {
			why += " (its definition is in the backup)"
		}
		if it.Lost {
			why += " (the backup before had it)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", it.Status, it.Kind, oneLine(it.Name), count(it.Objects), oneLine(why))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	printGrants(a.out, l.Items)
	return nil
}

// printGrants prints each statement once, ready to be run.
func printGrants(out io.Writer, items []ledger.Item) {
	seen := map[string]bool{}
	for _, it := range items {
		for _, g := range it.Grants {
			if len(seen) == 0 {
				fmt.Fprintln(out, "\nRun as the owner or a superuser to let everything be read:")
			}
			if !seen[g] {
				fmt.Fprintln(out, g)
			}
			seen[g] = true
		}
	}
}

// some leaves out zeros, so that what is not zero is seen.
func some(n int64) string {
	if n == 0 {
		return ""
	}
	return count(n)
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", `\n`) }
