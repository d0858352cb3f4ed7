package fault

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Text is a message in its untranslated form: an English format string and
// the values for its verbs. A value may be a Text of its own, which is shown in
// the same language. The zero Text is empty.
//
// In JSON it is {"format": …, "args": […]}, so that what is stored can be shown
// in the language of whoever reads it. Text and JSON are values: nothing of
// them changes once they are made.
type Text struct {
	Format string
	Args   []any
}

// Say returns a text that is no error's.
func Say(format string, args ...any) Text { return Text{format, args} }

// Term returns the text of a word that is not written out where it is said (the
// kind of an object) or that is the same in every language (a statement). The
// catalogue has the former in a file of their own.
func Term(word string) Text { return Text{Format: word} }

// Join puts texts in a row. The separator is the same in every language.
func Join(separator string, texts ...Text) Text {
	t := Text{Args: make([]any, len(texts))}
	verbs := make([]string, len(texts))
	for i := range texts {
		verbs[i], t.Args[i] = "%s", texts[i]
	}
	t.Format = strings.Join(verbs, strings.ReplaceAll(separator, "%", "%%"))
	return t
}

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool { return t.Format == "" }

// String renders the English text.
func (t Text) String() string { return t.In(English) }

// In renders the text in a language; where there is no translation it is
// English.
func (t Text) In(l Language) string {
	format := t.Format
	if l == Portuguese {
		if f, ok := portuguese()[t.Format]; ok {
			format = f
		}
	}
	if len(t.Args) == 0 {
		return format
	}
	args := slices.Clone(t.Args)
	for i, a := range args {
		if inner, ok := a.(Text); ok {
			args[i] = inner.In(l)
		}
	}
	return fmt.Sprintf(format, args...)
}

type keptText struct {
	Format string `json:"format"`
	Args   []any  `json:"args,omitempty"`
}

// MarshalJSON keeps format and arguments apart.
func (t Text) MarshalJSON() ([]byte, error) { return json.Marshal(keptText{t.Format, keep(t.Args)}) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Text) UnmarshalJSON(raw []byte) error {
	var k keptText
	if err := json.Unmarshal(raw, &k); err != nil {
		return err
	}
	*t = Text{k.Format, restore(k.Args)}
	return nil
}

// keep makes arguments that JSON can hold and that print as before: numbers
// stay numbers, texts stay texts, anything else that prints itself becomes what
// it prints.
func keep(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case Text:
			out[i] = v
			continue
		case fmt.Stringer, error:
			out[i] = fmt.Sprint(v)
			continue
		case []byte:
			out[i] = string(v)
			continue
		}
		switch v := reflect.ValueOf(a); v.Kind() {
		case reflect.Bool:
			out[i] = v.Bool()
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			out[i] = v.Int()
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			out[i] = v.Uint()
		case reflect.Float32, reflect.Float64:
			out[i] = v.Float()
		case reflect.String:
			out[i] = v.String()
		default:
			out[i] = fmt.Sprint(a)
		}
	}
	return out
}

// restore undoes what JSON does to whole numbers and to texts. A floating-point
// argument that happens to be whole becomes a whole number too; messages print
// floats with %v or as text, so nobody sees it.
func restore(args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case float64:
			if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
				args[i] = int64(v)
			}
		case map[string]any:
			format, _ := v["format"].(string)
			inner, _ := v["args"].([]any)
			args[i] = Text{format, restore(inner)}
		}
	}
	return args
}
