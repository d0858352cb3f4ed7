package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/preset"
	"guarda/shared/seal"
)

func (a *app) backupCommand() *cobra.Command {
	var (
		source, name, kind, compression string
		tables, exclude, managedData    []string
		platform                        string
		strict                          bool
		jobs                            int
		resume                          bool
		timestamps                      map[string]string
		store                           storeFlag
		keys                            keyFlags
	)
	c := &cobra.Command{
		Use:   "backup --source DSN --store URL",
		Short: "Back up a database",
		Long: `Back up a database: one consistent picture of it, copied to the store in chunks
that are hashed while they are read, compressed and, with a key, encrypted.

An incremental backup refers to what did not change since the last backup, a
differential one to what did not change since the last full one. A backup that
was interrupted leaves what it stored, and the next one goes on with it.

The connection must be direct or through a pooler in session mode.`,
		Args: cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&source, "source", "", "connection string of the database: postgres://user:password@host/database (required)")
	_ = c.MarkFlagRequired("source")
	store.add(c)
	f.StringVar(&name, "name", "", "the database's folder in the store (default: the database's name)")
	f.StringVar(&kind, "type", "full", "full, incremental or differential")
	f.Var((*patternList)(&tables), "tables", "only these tables: name or schema.name, * and ? are wildcards")
	f.Var((*patternList)(&exclude), "exclude", "not these tables")
	f.StringVar(&compression, "compression", "auto", "auto, zstd, gzip, brotli or none")
	f.IntVarP(&jobs, "jobs", "j", 2, "connections that copy at the same time")
	f.StringToStringVar(&timestamps, "timestamp", nil, "table=column: store the table's rows written since the last backup by this column instead of looking through the table; deletes are not seen")
	f.BoolVar(&resume, "resume", true, "go on with what an interrupted backup stored; with --resume=false an interrupted backup leaves nothing")
	f.BoolVar(&strict, "strict", false, "fail before anything is copied when something is unreadable or unsupported (see guarda show --ledger)")
	f.StringVar(&platform, "preset", preset.Auto, "what belongs to the platform and is left out: auto (looks at the database), none, supabase or rds")
	f.StringSliceVar(&managedData, "managed-data", nil, "schemas of the platform whose rows are copied nonetheless: auth, storage")
	keys.add(c)
	f.BoolVar(&a.json, "json", false, "print the result as JSON")
	c.RunE = a.work(func(ctx context.Context) error {
		run := backup.Run{ID: uuid.NewString(), Tables: tables, Exclude: exclude, Jobs: jobs, Keep: resume, Timestamps: timestamps, Strict: strict, Preset: platform, ManagedData: managedData}
		var err error
		if _, err = preset.Check(platform); err != nil {
			return usageError{err}
		}
		if run.Type, err = backup.ParseType(kind); err != nil {
			return usageError{err}
		}
		if run.Compression, err = seal.ParseCompression(compression); err != nil {
			return usageError{err}
		}
		config, connect, err := connector(source)
		if err != nil {
			return err
		}
		if name == "" {
			name = config.Database
		}
		run.Source = manifest.SourceName(name)
		d := backup.Deps{Connect: connect, Log: a.log()}
		if d.Keys, err = keys.provider(ctx); err != nil {
			return err
		}
		if d.Store, err = store.open(ctx, false); err != nil {
			return err
		}
		bar := a.newBar()
		d.Report = func(_ context.Context, p backup.Progress) error {
			bar.show(status{phase: string(p.Phase), bytes: p.BytesDone, total: p.BytesTotal, rows: p.RowsDone, rate: p.BytesPerSecond, left: p.SecondsLeft})
			return nil
		}
		r, err := backup.Execute(ctx, d, run)
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
		if r.Ledger != nil {
			if line := preset.Line(platform, preset.Detected{Name: r.Ledger.Preset.Detected}); line != "" {
				fmt.Fprintln(a.err, line)
			}
		}
		sealed := ", not encrypted"
		if r.Encrypted {
			sealed = ", encrypted"
		}
		if r.ChunksReused > 0 {
			fmt.Fprintf(a.err, "%d of %d parts did not change and were there already\n", r.ChunksReused, r.Chunks)
		}
		fmt.Fprintf(a.out, "%s backup %s completed in %s: %d tables, %s rows, %s stored (%s before compression)%s\n",
			r.Type, r.BackupID, seconds(r.DurationSeconds), r.Tables, count(r.Rows), size(r.SizeBytes), size(r.RawBytes), sealed)
		if r.Ledger != nil {
			fmt.Fprintf(a.out, "coverage: %s\n", r.Coverage)
		}
		return nil
	})
	return c
}

func (a *app) keygenCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "keygen --out FILE",
		Short: "Make a new key for encrypted backups",
		Long:  "Make a new key for encrypted backups. Without the key nobody can read them: keep a copy of the file elsewhere.",
		Args:  cobra.NoArgs,
	}
	c.Flags().StringVar(&out, "out", "", "the file to write; it must not exist (required)")
	_ = c.MarkFlagRequired("out")
	c.RunE = a.work(func(context.Context) error {
		if err := seal.GenerateKeyFile(out); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "wrote a new key to %s: keep a copy elsewhere, without it the backups cannot be read\n", out)
		return nil
	})
	return c
}
