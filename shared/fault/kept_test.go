package fault_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"guarda/shared/fault"
)

func kept[T any](t *testing.T, v T) (back T) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return back
}

func TestWhatIsKeptIsShownInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	why := fault.Join(" ", fault.Say("backup %s", "b1"), fault.Say("is %d transactions old, more than can be told apart", uint64(1)<<33))
	w := kept(t, fault.Warn("full_instead", "", "the backup was asked for as %s and copies everything: %s", "incremental", why))
	for l, want := range map[fault.Language]string{
		fault.English:    "the backup was asked for as incremental and copies everything: backup b1 is 8589934592 transactions old, more than can be told apart",
		fault.Portuguese: "o backup foi pedido como incremental e copia tudo: o backup b1 tem 8589934592 transações de idade, mais do que se consegue distinguir",
	} {
		if got := w.In(l); got.Message != want || got.Code != "full_instead" || !got.Text.IsZero() {
			t.Errorf("%s: %+v", l, got)
		}
	}
	if !strings.HasPrefix(w.Message, "the backup was asked for") {
		t.Errorf("what is kept has the English beside it, got %q", w.Message)
	}
}

// What older versions kept has a sentence and nothing else.
func TestAWarningWithoutATextIsShownAsItIs(t *testing.T) {
	t.Parallel()
	var w fault.Warning
	if err := json.Unmarshal([]byte(`{"code": "standby", "message": "100% from before", "object": "o"}`), &w); err != nil {
		t.Fatal(err)
	}
	if got := w.In(fault.Portuguese); got.Message != "100% from before" || got.Object != "o" {
		t.Errorf("%+v", got)
	}
	raw, err := json.Marshal(w)
	if err != nil || strings.Contains(string(raw), "text") {
		t.Errorf("%s %v", raw, err)
	}
	if got := fault.WarningsIn(fault.Portuguese, nil); got == nil || len(got) != 0 {
		t.Errorf("%#v", got)
	}
}

func TestAFailureKeepsMessageAndHintAndNoCause(t *testing.T) {
	t.Parallel()
	defect := fault.New(fault.Internal, "the export failed by a defect of this program")
	inner := fault.New(fault.Exhausted, "x").Hint("choose a lesser role")
	f := kept(t, fault.FailureOf(fault.New(fault.Unavailable, "the role %q may do more than you may", "r").Because(errors.Join(errors.New("secret"), inner)), defect))
	if got := f.In(fault.Portuguese); got != (fault.FailureView{Code: fault.Unavailable, Message: `o papel "r" pode mais do que você`, Hint: "escolha um papel menor"}) {
		t.Errorf("%+v", got)
	}
	if got := f.Err(); got.Code != fault.Unavailable || got.Error() != `the role "r" may do more than you may` {
		t.Errorf("%v", got)
	}
	if got := kept(t, fault.FailureOf(errors.New("secret"), defect)); got.Code != fault.Internal || strings.Contains(got.Message.String(), "secret") || !got.Hint.IsZero() {
		t.Errorf("%+v", got)
	}
}

// Names may have percent signs.
func TestATermIsNoFormat(t *testing.T) {
	t.Parallel()
	if got := fault.Say("missing: %s", fault.Term("GRANT SELECT ON %d TO r;")).In(fault.Portuguese); got != "falta: GRANT SELECT ON %d TO r;" {
		t.Error(got)
	}
	if got := fault.Join("%", fault.Term("table"), fault.Term("x")).In(fault.Portuguese); got != "tabela%x" {
		t.Error(got)
	}
}
