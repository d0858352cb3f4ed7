package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"guarda/shared/fault"
)

func TestErrorTellsMessageFieldsAndCause(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("start: %w", fault.New(fault.Invalid, "object key %q must have 1 to 900 bytes", "k").
		Field("a.b", "required", "is required").Because(fs.ErrNotExist))
	const want = `start: object key "k" must have 1 to 900 bytes: a.b: is required: file does not exist`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is not in the chain")
	}
	if fault.CodeOf(err) != fault.Invalid {
		t.Errorf("code = %q", fault.CodeOf(err))
	}
	if fault.CodeOf(errors.New("x")) != fault.Internal || fault.CodeOf(nil) != "" {
		t.Error("an error without a code is internal, nil has none")
	}
}

func TestTextIsShownInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	text := fault.New(fault.Invalid, "object key %q must have 1 to 900 bytes", "k").Message
	if got := text.In(fault.Portuguese); got != `a chave de objeto "k" deve ter de 1 a 900 bytes` {
		t.Errorf("pt-BR: %s", got)
	}
	if got := text.In(fault.English); got != `object key "k" must have 1 to 900 bytes` {
		t.Errorf("en: %s", got)
	}
	if got := (fault.Text{Format: "100% unknown"}).In(fault.Portuguese); got != "100% unknown" {
		t.Errorf("a text without values is shown as it is, got %s", got)
	}
}

func TestLanguageOfFollowsTheReadersPreference(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]fault.Language{
		"":                               fault.English,
		"pt-BR,pt;q=0.9,en-US;q=0.8":     fault.Portuguese,
		"en-US,en;q=0.9,pt;q=0.8":        fault.English,
		"fr, pt;q=0.3, en;q=0.7":         fault.English,
		"de":                             fault.English,
		"PT":                             fault.Portuguese,
		"pt;q=x, en;q=0.1":               fault.English,
		"en;q=0.5, pt-PT;q=0.9, *;q=0.1": fault.Portuguese,
	} {
		if got := fault.LanguageOf(header); got != want {
			t.Errorf("LanguageOf(%q) = %s, want %s", header, got, want)
		}
	}
}
