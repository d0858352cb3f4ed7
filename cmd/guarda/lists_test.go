package main

import (
	"slices"
	"testing"
)

func TestQuotesArePartOfAPattern(t *testing.T) {
	t.Parallel()
	var l patternList
	for _, v := range []string{`a,b.*`, `"Ap""p"."with, comma",c`} {
		if err := l.Set(v); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"a", "b.*", `"Ap""p"."with, comma"`, "c"}; !slices.Equal(l, want) {
		t.Errorf("%q", l)
	}
	var n nameList
	if err := n.Set(`Ap"p:New,b:c`); err != nil || !slices.Equal(n, []string{`Ap"p:New`, "b:c"}) {
		t.Errorf("%q, %v", n, err)
	}
}
