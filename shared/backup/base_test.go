package backup

import (
	"context"
	"strings"
	"testing"
	"time"

	"guarda/shared/backup/manifest"
	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

// TestWhichHistoriesCanBeCompared goes through the marks of a history, and
// what a managed service may hide of them.
func TestWhichHistoriesCanBeCompared(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(then, now *manifest.Server, before, after *pgcatalog.Database)
		says   string // "" when they can
	}{
		"the same server, later":  {func(_, _ *manifest.Server, _, _ *pgcatalog.Database) {}, ""},
		"another server":          {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.SystemIdentifier = "8" }, "another server"},
		"another timeline":        {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.Timeline = 4 }, "timeline 3"},
		"an earlier position":     {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.LSN = "1/0" }, "set back"},
		"across the halves of it": {func(then, now *manifest.Server, _, _ *pgcatalog.Database) { then.LSN, now.LSN = "1/FFFFFFFF", "2/0" }, ""},
		"an earlier transaction":  {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.NextXID = 999 }, "set back"},
		"2^31 transactions later": {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.NextXID = 1000 + 1<<31 }, "more than can be told apart"},
		"one less than that":      {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.NextXID = 999 + 1<<31 }, ""},
		"a hidden identifier":     {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.SystemIdentifier = "" }, ""},
		"a hidden timeline":       {func(then, _ *manifest.Server, _, _ *pgcatalog.Database) { then.Timeline = 0 }, ""},
		"a hidden position":       {func(then, now *manifest.Server, _, _ *pgcatalog.Database) { then.LSN, now.LSN = "", "" }, ""},
		"both hidden": {func(then, now *manifest.Server, _, _ *pgcatalog.Database) {
			then.Timeline, now.SystemIdentifier = 0, ""
		}, "hides both"},
		"no transaction known":       {func(then, _ *manifest.Server, _, _ *pgcatalog.Database) { then.NextXID = 0 }, "at which transaction"},
		"a newer major version":      {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.VersionNum, now.Version = 160001, "16.1" }, "PostgreSQL 15"},
		"a newer minor version":      {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.VersionNum = 150009 }, ""},
		"another way to write money": {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.Monetary = "pt_BR" }, "lc_monetary"},
		"another database":           {func(_, _ *manifest.Server, _, after *pgcatalog.Database) { after.OID = 8 }, "another database"},
		"another encoding":           {func(_, _ *manifest.Server, _, after *pgcatalog.Database) { after.Encoding = "LATIN1" }, "encoding"},
		"another block size":         {func(_, now *manifest.Server, _, _ *pgcatalog.Database) { now.BlockSize = 4096 }, "block size"},
	} {
		then := manifest.Server{VersionNum: 150001, Version: "15.1", SystemIdentifier: "7", Timeline: 3, LSN: "2/10", NextXID: 1000, BlockSize: 8192, Monetary: "C"}
		now := then
		now.LSN, now.NextXID = "2/20", 2000
		before := pgcatalog.Database{OID: 5, Encoding: "UTF8"}
		after := before
		c.change(&then, &now, &before, &after)
		if why := incomparable(then, now, before, after).String(); (why == "") != (c.says == "") || !strings.Contains(why, c.says) {
			t.Errorf("%s: %q", name, why)
		}
	}
}

func TestATablesIdentity(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*pgcatalog.Table)
		same   bool
	}{
		"nothing":               {func(*pgcatalog.Table) {}, true},
		"another name":          {func(n *pgcatalog.Table) { n.Schema, n.Name = "x", "y" }, true},
		"larger":                {func(n *pgcatalog.Table) { n.Pages = 100 }, true},
		"another file":          {func(n *pgcatalog.Table) { n.FileNode = 2 }, false},
		"no file":               {func(n *pgcatalog.Table) { n.FileNode = 0 }, false},
		"another definition":    {func(n *pgcatalog.Table) { n.Definition = "e" }, false},
		"other columns":         {func(n *pgcatalog.Table) { n.Columns = []string{"b"} }, false},
		"not a heap":            {func(n *pgcatalog.Table) { n.Heap = false }, false},
		"an extension's filter": {func(n *pgcatalog.Table) { n.Filter = "true" }, false},
	} {
		before := pgcatalog.Table{OID: 1, Schema: "s", Name: "t", Columns: []string{"a"}, Pages: 1, FileNode: 1, Heap: true, Definition: "d"}
		now := before
		c.change(&now)
		if sameTable(&before, &now) != c.same {
			t.Errorf("%s: same is %v", name, !c.same)
		}
	}
}

// TestTheWatermarkIsWhenTheOldestTransactionBegan, however long ago.
func TestTheWatermarkIsWhenTheOldestTransactionBegan(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := pgtest.New(t)
	conn, open := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	var began, now time.Time
	if _, err := open.Exec(ctx, "begin"); err != nil {
		t.Fatal(err)
	}
	if err := open.QueryRow(ctx, "select now(), clock_timestamp()").Scan(&began, &now); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	if at, err := watermark(ctx, conn, false); err != nil || at == nil || !at.Equal(began) {
		t.Errorf("%v, %v; the transaction began at %v", at, err, began)
	}
	if _, err := open.Exec(ctx, "commit"); err != nil {
		t.Fatal(err)
	}
	if at, err := watermark(ctx, conn, false); err != nil || at == nil || !at.After(now) {
		t.Errorf("%v, %v; no transaction has been open since %v", at, err, now)
	}
	if at, err := watermark(ctx, conn, true); err != nil || at != nil {
		t.Errorf("on a standby: %v, %v", at, err)
	}
	if _, err := open.Exec(ctx, "set track_activities = off"); err != nil {
		t.Fatal(err)
	}
	if at, err := watermark(ctx, conn, false); err != nil || at != nil {
		t.Errorf("with a session that hides itself: %v, %v", at, err)
	}
}
