package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/seal"
)

func (a *app) diffCommand() *cobra.Command {
	var (
		store          storeFlag
		keys           keyFlags
		name, from, to string
	)
	c := &cobra.Command{
		Use:   "diff --store URL --from ID --to ID",
		Short: "Show which tables and objects differ between two backups",
		Long: `Show which tables differ between two backups, in their rows or in what their
rows look like, and which objects of the schema. Only the two manifests are read.`,
		Args: cobra.NoArgs,
	}
	store.add(c)
	f := c.Flags()
	f.StringVar(&name, "name", "", "database whose backups are meant, where the store has several")
	f.StringVar(&from, "from", "", "the earlier backup: its id, or the beginning of it (required)")
	_ = c.MarkFlagRequired("from")
	f.StringVar(&to, "to", "latest", "the later backup")
	keys.add(c)
	f.BoolVar(&a.json, "json", false, "print the result as JSON")
	c.RunE = a.work(func(ctx context.Context) error {
		s, err := store.open(ctx, true)
		if err != nil {
			return err
		}
		provider, err := keys.provider(ctx)
		if err != nil {
			return err
		}
		before, err := openManifest(ctx, s, name, from, provider)
		if err != nil {
			return err
		}
		after, err := openManifest(ctx, s, name, to, provider)
		if err != nil {
			return err
		}
		d := manifest.Compare(before, after)
		if a.json {
			return a.printJSON(d)
		}
		return a.showDiff(d)
	})
	return c
}

func openManifest(ctx context.Context, store blob.Store, name, ref string, keys seal.KeyProvider) (*manifest.Manifest, error) {
	l, err := manifest.Find(ctx, store, name, ref)
	if err != nil {
		return nil, err
	}
	m, _, err := manifest.Open(ctx, store, l, keys)
	return m, err
}

func (a *app) showDiff(d *manifest.Diff) error {
	if len(d.Tables)+len(d.Objects) == 0 {
		fmt.Fprintf(a.out, "no difference in %d tables\n", d.Same)
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	if len(d.Tables) > 0 {
		fmt.Fprintln(w, "TABLE\tDIFFERS IN\tROWS BEFORE\tROWS AFTER\tPARTS CHANGED")
	}
	for _, t := range d.Tables {
		table := t.Schema + "." + t.Name
		if t.FromName != "" {
			table += " (was " + t.FromName + ")"
		}
		change := string(t.Change)
		if t.Uncertain {
			change += " (counts without later layers)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d of %d\n", table, change, count(t.RowsFrom), count(t.RowsTo), t.ChunksDiff, t.Chunks)
	}
	if len(d.Objects) > 0 {
		fmt.Fprintln(w, "\nOBJECT\tKIND\tDIFFERS IN")
	}
	for _, o := range d.Objects {
		object := o.Name
		if o.Schema != "" {
			object = o.Schema + "." + o.Name
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", object, o.Kind, o.Change)
	}
	fmt.Fprintf(w, "\n%d tables are the same\n", d.Same)
	return w.Flush()
}
