package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"guarda/shared/fault"
	"guarda/shared/restore"
	"guarda/shared/restore/choice"
)

func (a *app) restoreCommand() *cobra.Command {
	var chosen backupFlags
	var keys keyFlags
	var target string
	var toSchema []string
	var o restore.Options
	c := &cobra.Command{
		Use:   "restore --store URL --backup ID --target DSN",
		Short: "Restore a backup, or some of its tables",
		Long: `Restore a backup into an empty database, into a new one beside it, or, with
--tables, --to-schema or --clean, into one that holds other things too. Nothing is
overwritten unless --clean asks for it and --confirm names the database. The rows
are proved while they are loaded. An error stops the restore and names the object;
--resume goes on from there.`,
		Args: cobra.NoArgs,
	}
	chosen.add(c)
	keys.add(c)
	f := c.Flags()
	f.StringVar(&target, "target", "", "connection string of the database to restore into (required)")
	_ = c.MarkFlagRequired("target")
	f.Var((*nameList)(&toSchema), "to-schema", "restore a schema under another name: old:new")
	f.BoolVar(&o.Clean, "clean", false, "drop what is to be restored first, and nothing else; needs --confirm")
	f.StringVar(&o.Confirm, "confirm", "", "name of the database that --clean or --swap changes")
	f.StringVar(&o.NewDatabase, "to-new-database", "", "make a database of this name beside the target and restore into it")
	f.BoolVar(&o.Swap, "swap", false, "at the end, give the new database the target's name and put the target aside; needs --confirm")
	f.BoolVar(&o.Keep, "keep", false, "leave the new database as it is when the restore fails")
	f.BoolVar(&o.Resume, "resume", false, "go on with a restore that stopped in the target")
	f.BoolVar(&o.WithoutUnsupported, "without-unsupported", false, "leave out what a target of an older version cannot have")
	f.Var((*patternList)(&o.Tables), "tables", "only these tables, with what they need: name or schema.name, * and ? are wildcards")
	f.BoolVar(&o.NoOwner, "no-owner", false, "leave all objects to the connecting role")
	f.BoolVar(&o.NoACL, "no-acl", false, "leave out grants and default privileges")
	f.BoolVar(&o.NoTablespaces, "no-tablespaces", false, "put everything into the target's default tablespace")
	f.BoolVar(&o.CreateRoles, "create-roles", false, "create the roles that are missing, without login or password")
	f.IntVarP(&o.Jobs, "jobs", "j", 2, "connections that work at the same time")
	f.BoolVar(&a.json, "json", false, "print the result as JSON")
	c.RunE = a.work(func(ctx context.Context) error {
		config, connect, err := connector(target)
		if err != nil {
			return err
		}
		if o.ToSchema, err = choice.ParseToSchema(toSchema); err != nil {
			return usageError{err}
		}
		store, l, err := chosen.find(ctx)
		if err != nil {
			return err
		}
		d := restore.Deps{Connect: connect, ConnectTo: besides(config), Store: store, Log: a.log()}
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
		r.Warnings = fault.WarningsIn(fault.English, r.Warnings)
		if a.json {
			return a.printJSON(r)
		}
		for _, w := range r.Warnings {
			fmt.Fprintf(a.err, "warning: %s\n", w.Message)
		}
		fmt.Fprintf(a.out, "backup %s restored into %s in %s: %d tables, %s rows, %d objects\n",
			r.BackupID, r.Database, seconds(r.DurationSeconds), r.Tables, count(r.Rows), r.Objects)
		if r.SetAside != "" {
			fmt.Fprintf(a.out, "what was there before is now called %s\n", r.SetAside)
		}
		return nil
	})
	return c
}

// besides opens connections to other databases of a server.
func besides(config *pgx.ConnConfig) func(context.Context, string) (*pgx.Conn, error) {
	return func(ctx context.Context, database string) (*pgx.Conn, error) {
		other := config.Copy()
		other.Database = database
		return pgx.ConnectConfig(ctx, other)
	}
}
