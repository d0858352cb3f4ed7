package ledger

import (
	"testing"

	"guarda/shared/fault"
)

// TestEveryKindAndStatusHasItsPortuguese: kinds and statuses are said in
// warnings and in the API, and no call writes them out.
func TestEveryKindAndStatusHasItsPortuguese(t *testing.T) {
	t.Parallel()
	words := []string{kindTableRows, kindMatviewRows, kindSequenceValue, kindLargeData, kindComment, kindLabel, kindGrants, kindSetting, kindDatabase, kindCatalog}
	for _, s := range Statuses() {
		words = append(words, string(s))
	}
	kinds := 0
	for class := range uint32(firstNormal) {
		for _, letter := range []string{"", "r", "p", "i", "I", "S", "v", "m", "c", "x", "t", "f", "b", "d", "e", "R", "A", "a", "w", "n", "u", "s"} {
			if kind, ok := kindOf(class, letter); ok && kind != "" {
				words = append(words, kind)
				kinds++
			}
		}
	}
	if kinds < 50 {
		t.Errorf("only %d kinds were looked at", kinds)
	}
	for _, w := range words {
		if fault.Term(w).In(fault.Portuguese) == w {
			t.Errorf("no Portuguese for %q in pt-BR.d/terms.json", w)
		}
	}
}
