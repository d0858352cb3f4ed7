package fidelity_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// TestTheMuseumMovesToAnOlderVersion: the preflight names what the older server
// cannot have and makes nothing; asked to, the restore leaves that out and brings
// back all the rest.
func TestTheMuseumMovesToAnOlderVersion(t *testing.T) {
	t.Parallel()
	servers := pgtest.Servers(t)
	if len(servers) == 1 {
		t.Skip("there is only one major version here")
	}
	newest := servers[len(servers)-1]
	for name, text := range museumOn(t, newest) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := newDatabase(t, newest)
			pgtest.Exec(t, source.url, text)
			k := source.backUp(t)
			for _, to := range servers[:len(servers)-1] {
				t.Run(fmt.Sprint(to.Major), func(t *testing.T) {
					museumOn(t, to) // its roles
					target := newDatabase(t, to)
					d := restore.Deps{Connect: connector(target.url), Store: k.store}
					_, err := restore.Run(context.Background(), d, restore.Options{}, k.at)
					if err != nil && (fault.CodeOf(err) != fault.Conflict || !strings.Contains(fault.HintOf(err), "--without-unsupported")) {
						t.Fatalf("%v (%s)\n%s", err, fault.HintOf(err), k.context(err))
					}
					if err == nil {
						return // nothing of it is newer
					}
					r, err := restore.Run(context.Background(), d, restore.Options{WithoutUnsupported: true}, k.at)
					if err != nil {
						t.Fatalf("%v (%s)\n%s", err, fault.HintOf(err), k.context(err))
					}
					for _, w := range r.Warnings {
						t.Logf("%s: %s", w.Code, w.Message)
					}
					if r.Objects < len(k.m.Entries)/2 {
						t.Errorf("only %d of %d objects came back", r.Objects, len(k.m.Entries))
					}
				})
			}
		})
	}
}
