package choice

import (
	"slices"
	"strings"
	"testing"

	"guarda/shared/fault"
)

// TestEveryFeatureHasItsPortuguese: what a server of an older version cannot
// have is said in warnings and errors, and no call writes it out. What is
// written as SQL is the same in every language.
func TestEveryFeatureHasItsPortuguese(t *testing.T) {
	t.Parallel()
	same := []string{"NULLS NOT DISTINCT", "security_invoker", "GROUP BY DISTINCT", "MERGE", "SYSTEM_USER"}
	for _, f := range features() {
		if !slices.Contains(same, f.what) && fault.Term(f.what).In(fault.Portuguese) == f.what {
			t.Errorf("no Portuguese for %q in pt-BR.d/terms.json", f.what)
		}
	}
	m := Missing{Object: "index s.i", What: "an ICU locale", Since: 15, Whole: true}
	if got := m.Text().In(fault.Portuguese); !strings.Contains(got, "um locale ICU exige a versão 15") {
		t.Error(got)
	}
}
