package fault

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
)

// Language is a language that messages can be shown in.
type Language string

// The languages.
const (
	English    Language = "en"
	Portuguese Language = "pt-BR"
)

// The catalogue maps English format strings to Portuguese ones, in a file per
// area. A test reads every call of New, Hint, Field, Say and Warn in the tree
// and fails when one of them is missing here, or when the verbs of the two
// differ.
//
//go:embed pt-BR.d/*.json
var portugueseFiles embed.FS

var portuguese = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	files, err := portugueseFiles.ReadDir("pt-BR.d")
	if err != nil {
		panic("fault: " + err.Error())
	}
	for _, f := range files {
		raw, err := portugueseFiles.ReadFile("pt-BR.d/" + f.Name())
		if err != nil {
			panic("fault: " + err.Error())
		}
		part := map[string]string{}
		if err := json.Unmarshal(raw, &part); err != nil {
			panic("fault: pt-BR.d/" + f.Name() + ": " + err.Error())
		}
		maps.Copy(all, part)
	}
	return all
})

// LanguageOf picks the language from an Accept-Language header: the first of
// Portuguese and English by order of preference (RFC 9110 §12.5.4); English
// when neither is named.
func LanguageOf(acceptLanguage string) Language {
	best, bestQ := English, -1.0
	for part := range strings.SplitSeq(acceptLanguage, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			if _, err := fmt.Sscanf(v, "%f", &q); err != nil {
				continue
			}
		}
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		switch {
		case q <= bestQ:
		case primary == "pt":
			best, bestQ = Portuguese, q
		case primary == "en":
			best, bestQ = English, q
		}
	}
	return best
}
