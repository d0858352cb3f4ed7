package fidelity_test

import (
	"bytes"
	"context"
	"testing"

	"guarda/shared/export"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
)

// script is the backup as export writes it for psql.
func (k kept) script(t testing.TB, o export.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := export.Plain(context.Background(), export.Deps{Store: k.store}, o, k.at, &out); err != nil {
		t.Fatalf("export: %v (%s)", err, fault.HintOf(err))
	}
	return out.Bytes()
}

// TestPsqlRunsTheMuseumsExport: stock psql, stopping at the first error, makes
// the same database of the script.
func TestPsqlRunsTheMuseumsExport(t *testing.T) {
	t.Parallel()
	onEachMuseum(t, func(t *testing.T, s pgtest.Server, text string) {
		source, target := newDatabase(t, s), newDatabase(t, s)
		pgtest.Exec(t, source.url, text)
		k := source.backUp(t)
		target.psql(t, k.script(t, export.Options{}), true)
		same(t, "pg_dump", source.dump(t), target.dump(t))
		k.sameRows(t, target)
	})
}
