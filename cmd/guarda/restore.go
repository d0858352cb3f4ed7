package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"guarda/shared/restore"
)

func (a *app) restoreCommand() *cobra.Command {
	var chosen backupFlags
	var keys keyFlags
	var target string
	var o restore.Options
	c := &cobra.Command{
		Use:   "restore --store URL --backup ID --target DSN",
		Short: "Restore a backup into an empty database",
		Long: `Restore a backup into an empty database. Nothing is ever overwritten: make the
target with "create database … template template0". The rows are proved while
they are loaded, and an error stops the restore and names the object.`,
		Args: cobra.NoArgs,
	}
	chosen.add(c)
	keys.add(c)
	f := c.Flags()
	f.StringVar(&target, "target", "", "connection string of the empty database (required)")
	_ = c.MarkFlagRequired("target")
	f.StringSliceVar(&o.Tables, "tables", nil, "only these tables, with what they need: name or schema.name, * and ? are wildcards")
	f.BoolVar(&o.NoOwner, "no-owner", false, "leave all objects to the connecting role")
	f.BoolVar(&o.NoACL, "no-acl", false, "leave out grants and default privileges")
	f.BoolVar(&o.CreateRoles, "create-roles", false, "create the roles that are missing, without login or password")
	f.IntVarP(&o.Jobs, "jobs", "j", 2, "connections that work at the same time")
	f.BoolVar(&a.json, "json", false, "print the result as JSON")
	c.RunE = a.work(func(ctx context.Context) error {
		config, connect, err := connector(target)
		if err != nil {
			return err
		}
		store, l, err := chosen.find(ctx)
		if err != nil {
			return err
		}
		d := restore.Deps{Connect: connect, Store: store, Log: a.log()}
		if d.Keys, err = keys.provider(ctx); err != nil {
			return err
		}
		bar := a.newBar()
		d.Report = func(_ context.Context, p restore.Progress) error {
			s := status{phase: string(p.Phase), bytes: p.BytesDone, total: p.BytesTotal, rows: p.RowsDone}
			if p.Phase != restore.PhaseData {
				s.total = 0
				s.phase = fmt.Sprintf("%s  %d of %d objects", p.Phase, p.EntriesDone, p.EntriesTotal)
			}
			bar.show(s)
			return nil
		}
		r, err := restore.Run(ctx, d, o, l)
		bar.clear()
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(r)
		}
		for _, w := range r.Warnings {
			fmt.Fprintf(a.err, "warning: %s\n", w.Message)
		}
		fmt.Fprintf(a.out, "backup %s restored into %s in %s: %d tables, %s rows, %d objects\n",
			r.BackupID, config.Database, seconds(r.DurationSeconds), r.Tables, count(r.Rows), r.Objects)
		return nil
	})
	return c
}
