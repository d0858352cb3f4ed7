package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"guarda/shared/fault"
	"guarda/shared/verify"
)

func (a *app) verifyCommand() *cobra.Command {
	var chosen backupFlags
	var keys keyFlags
	var jobs int
	c := &cobra.Command{
		Use:   "verify --store URL --backup ID",
		Short: "Prove a backup from its stored bytes",
		Long: `Read every object of a backup and prove it: present, its checksum, that it
decrypts and decompresses, and that its rows are those that were read from the
source (count and content hash).`,
		Args: cobra.NoArgs,
	}
	chosen.add(c)
	keys.add(c)
	c.Flags().IntVarP(&jobs, "jobs", "j", 2, "objects that are read at the same time")
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
		bar := a.newBar()
		r, err := verify.Stored(ctx, verify.Deps{Store: store, Keys: provider, Jobs: jobs,
			Report: func(done, total int64) { bar.show(status{phase: "verify", bytes: done, total: total}) }}, l)
		bar.clear()
		if err != nil {
			return err
		}
		if a.json {
			if err := a.printJSON(r); err != nil {
				return err
			}
		} else {
			for _, m := range r.Mismatches {
				fmt.Fprintf(a.out, "%s: %s\n", m.Code, m.Message)
			}
			fmt.Fprintf(a.out, "backup %s: %s, %d tables, %d chunks, %s rows, %s read in %s\n",
				r.BackupID, r.Status, r.TablesChecked, r.ChunksChecked, count(r.Rows), size(r.BytesChecked), seconds(r.DurationSeconds))
		}
		if r.Status != verify.OK {
			return reportedError{fault.New(fault.Corrupt, "backup %s is damaged: %d of its objects are not what was written", r.BackupID, len(r.Mismatches)).
				Hint("restore from another copy of it, and make a new backup now")}
		}
		return nil
	})
	return c
}
