package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/ledger"
)

// listed is a backup as --json shows it.
type listed struct {
	BackupID        string    `json:"backup_id"`
	Source          string    `json:"source"`
	Database        string    `json:"database"`
	Type            string    `json:"type"`
	RequestedType   string    `json:"requested_type"`
	StartedAt       time.Time `json:"started_at"`
	SnapshotAt      time.Time `json:"snapshot_at"`
	CompletedAt     time.Time `json:"completed_at"`
	DurationSeconds float64   `json:"duration_seconds"`
	SizeBytes       int64     `json:"size_bytes"`
	RawBytes        int64     `json:"raw_bytes"`
	Rows            int64     `json:"rows"`
	Tables          int       `json:"tables"`
	Chunks          int       `json:"chunks"`
	ChunksReused    int       `json:"chunks_reused"`
	Compression     string    `json:"compression"`
	Encrypted       bool      `json:"encrypted"`
	ServerVersion   string    `json:"server_version"`
	Warnings        int       `json:"warning_count"`
	StorePath       string    `json:"store_path"`
	Problem         string    `json:"problem,omitempty"`
}

func describe(l manifest.Listed) listed {
	h := l.Header
	d := listed{h.BackupID, h.Source, h.Database, h.Type, h.RequestedType, h.StartedAt, h.SnapshotAt, h.CompletedAt, h.DurationSeconds,
		h.SizeBytes, h.RawBytes, h.Rows, h.Tables, h.Chunks, h.ChunksReused, h.Compression, h.Encrypted, h.ServerVersion, h.Warnings, l.Folder, ""}
	if l.Problem != nil {
		d.Problem = l.Problem.Error()
	}
	return d
}

func (a *app) listCommand() *cobra.Command {
	var store storeFlag
	var name string
	c := &cobra.Command{
		Use:   "list --store URL",
		Short: "List the backups in a store (no key needed)",
		Args:  cobra.NoArgs,
	}
	store.add(c)
	c.Flags().StringVar(&name, "name", "", "only this database's backups")
	c.Flags().BoolVar(&a.json, "json", false, "print the result as JSON")
	c.RunE = a.work(func(ctx context.Context) error {
		s, err := store.open(ctx, true)
		if err != nil {
			return err
		}
		found, err := manifest.List(ctx, s, name)
		if err != nil {
			return err
		}
		all := make([]listed, len(found))
		for i, l := range found {
			all[i] = describe(l)
		}
		if a.json {
			return a.printJSON(map[string]any{"backups": all})
		}
		if len(all) == 0 {
			fmt.Fprintf(a.err, "no backup in %s yet\n", s.String())
			return nil
		}
		w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "BACKUP\tDATABASE\tSHOWS (UTC)\tTYPE\tROWS\tSTORED\tENCRYPTED\tNOTE")
		for _, l := range all {
			note := l.Problem
			if note == "" && l.Warnings > 0 {
				note = fmt.Sprintf("%d warnings", l.Warnings)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.BackupID, l.Source, moment(l.SnapshotAt), l.Type, count(l.Rows), size(l.SizeBytes), yesNo(l.Encrypted), note)
		}
		return w.Flush()
	})
	return c
}

func (a *app) showCommand() *cobra.Command {
	var chosen backupFlags
	var keys keyFlags
	var account bool
	c := &cobra.Command{
		Use:   "show --store URL --backup ID",
		Short: "Show a backup: its tables and objects (with the key), else its header",
		Args:  cobra.NoArgs,
	}
	chosen.add(c)
	keys.add(c)
	c.Flags().BoolVar(&account, "ledger", false, "show the coverage ledger: what of the database is in the backup, and what is not and why")
	c.Flags().BoolVar(&a.json, "json", false, "print the result as JSON")
	c.RunE = a.work(func(ctx context.Context) error {
		store, l, err := chosen.find(ctx)
		if err != nil {
			return err
		}
		provider, err := keys.provider(ctx)
		if err != nil {
			return err
		}
		if l.Problem != nil {
			return l.Problem
		}
		if l.Header.Encrypted && provider == nil && !account {
			if !a.json {
				fmt.Fprintln(a.err, "the tables are encrypted: give --key-file or --passphrase-file to see them")
			}
			return a.show(describe(l), nil)
		}
		m, _, err := manifest.Open(ctx, store, l, provider)
		if err != nil {
			return err
		}
		if account {
			return a.showLedger(m)
		}
		return a.show(describe(l), m)
	})
	return c
}

// shown is a backup as "show --json" prints it.
type shown struct {
	listed
	Server       *manifest.Server `json:"server,omitempty"`
	Roles        []string         `json:"roles,omitempty"`
	Objects      map[string]int   `json:"objects,omitempty"` // by kind
	WarningsList []fault.Warning  `json:"warnings,omitempty"`
	TableDetails []shownTable     `json:"table_details,omitempty"`
	Coverage     *ledger.Summary  `json:"coverage,omitempty"`
}

type shownTable struct {
	Schema      string `json:"schema"`
	Name        string `json:"name"`
	Rows        int64  `json:"rows"`
	RawBytes    int64  `json:"raw_bytes"`
	StoredBytes int64  `json:"stored_bytes"`
	Chunks      int    `json:"chunks"`
	ContentHash string `json:"content_hash"`
}

func (a *app) show(l listed, m *manifest.Manifest) error {
	s := shown{listed: l}
	if m != nil {
		s.Server, s.Roles, s.WarningsList, s.Objects = &m.Server, m.Roles, fault.WarningsIn(fault.English, m.Warnings), map[string]int{}
		for _, e := range m.Entries {
			s.Objects[e.Kind]++
		}
		if m.Ledger != nil {
			coverage := m.Ledger.Summary()
			s.Coverage = &coverage
		}
		for _, t := range m.Tables {
			s.TableDetails = append(s.TableDetails, shownTable{t.Schema, t.Name, t.Rows, t.RawBytes, t.StoredBytes, len(t.Chunks), t.ContentHash})
		}
	}
	if a.json {
		return a.printJSON(s)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"backup", l.BackupID}, {"database", l.Database}, {"type", l.Type}, {"shows (UTC)", moment(l.SnapshotAt)},
		{"took", seconds(l.DurationSeconds)}, {"rows", count(l.Rows)}, {"stored", size(l.SizeBytes)}, {"before compression", size(l.RawBytes)},
		{"encrypted", yesNo(l.Encrypted)}, {"server", "PostgreSQL " + l.ServerVersion}, {"folder", l.StorePath},
	} {
		fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
	}
	if s.Coverage != nil {
		fmt.Fprintf(w, "coverage\t%s\n", s.Coverage)
	}
	for _, warning := range s.WarningsList {
		fmt.Fprintf(w, "warning\t%s\n", warning.Message)
	}
	if len(s.TableDetails) > 0 {
		fmt.Fprintln(w, "\nTABLE\tROWS\tSTORED\tCONTENT HASH")
		for _, t := range s.TableDetails {
			fmt.Fprintf(w, "%s.%s\t%s\t%s\t%s\n", t.Schema, t.Name, count(t.Rows), size(t.StoredBytes), t.ContentHash)
		}
	}
	return w.Flush()
}
