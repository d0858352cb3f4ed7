package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"guarda/shared/export"
	"guarda/shared/fault"
)

func (a *app) exportCommand() *cobra.Command {
	var chosen backupFlags
	var keys keyFlags
	var format, output string
	var o export.Options
	c := &cobra.Command{
		Use:   "export --store URL --backup ID --format plain",
		Short: "Write a backup as an SQL script",
		Long: `Write a backup as one SQL script that "psql -v ON_ERROR_STOP=1" runs against an
empty database. The rows are proved while they are written. A file comes into
being whole or not at all. The script looks first whether the server has the
roles, extensions and tablespaces that it names, and says which it lacks.`,
		Args: cobra.NoArgs,
	}
	chosen.add(c)
	keys.add(c)
	f := c.Flags()
	f.StringVar(&format, "format", "plain", "what to write: plain (an SQL script)")
	f.StringVarP(&output, "output", "o", "-", "file to write; - is standard output")
	f.Var((*patternList)(&o.Tables), "tables", "only these tables, with what they need: name or schema.name, * and ? are wildcards")
	f.BoolVar(&o.NoOwner, "no-owner", false, "leave all objects to who runs the script")
	f.BoolVar(&o.NoACL, "no-acl", false, "leave out grants and default privileges")
	f.BoolVar(&o.NoTablespaces, "no-tablespaces", false, "put everything into the server's default tablespace")
	f.BoolVar(&o.CreateRoles, "create-roles", false, "let the script make the roles that are missing, without login or password")
	f.BoolVar(&o.SchemaOnly, "schema-only", false, "leave out rows, sequences' values and large objects")
	f.BoolVar(&o.DataOnly, "data-only", false, "leave out the schema")
	f.BoolVar(&o.Clean, "clean", false, "let the script drop first what it makes, where it exists")
	c.RunE = a.work(func(ctx context.Context) error {
		if format != "plain" {
			return usageError{fault.New(fault.Invalid, "unknown format %q", format).Hint("the format is plain")}
		}
		store, l, err := chosen.find(ctx)
		if err != nil {
			return err
		}
		d := export.Deps{Store: store}
		if d.Keys, err = keys.provider(ctx); err != nil {
			return err
		}
		bar := a.newBar()
		d.Report = func(done, total int64) { bar.show(status{phase: "export", bytes: done, total: total}) }
		var r *export.Result
		write := func(w io.Writer) (err error) {
			r, err = export.Plain(ctx, d, o, l, w)
			return err
		}
		if output == "-" {
			err = write(a.out)
		} else {
			err = export.ToFile(output, write)
		}
		bar.clear()
		if err != nil {
			return err
		}
		for _, w := range r.Warnings {
			fmt.Fprintf(a.err, "warning: %s\n", w.Message)
		}
		fmt.Fprintf(a.err, "backup %s exported: %d tables, %s rows, %d objects, %s\n", r.BackupID, r.Tables, count(r.Rows), r.Objects, size(r.Bytes))
		return nil
	})
	return c
}
