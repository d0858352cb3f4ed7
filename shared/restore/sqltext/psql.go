package sqltext

import (
	"strings"

	"guarda/shared/fault"
)

// ForPsql returns SQL text so that psql reads it as the server does. psql runs
// what begins with a backslash outside strings and comments as a command of its
// own, and replaces :name, :'name' and :"name" by its variables. No statement
// of PostgreSQL has such a backslash, so text that has one is refused: whoever
// wrote it means psql. A colon before a name (an array's bounds, [1:n]) gets
// a space after it.
func ForPsql(text string) (string, error) {
	if !strings.ContainsAny(text, `\:`) {
		return text, nil
	}
	tokens, err := Tokens(text)
	if err != nil {
		return "", err
	}
	for i, t := range tokens {
		if t.Kind != Punct {
			continue
		}
		switch t.Text {
		case `\`:
			return "", fault.New(fault.Corrupt, "a statement of the backup holds a backslash where psql would take it for a command").
				Hint("do not run this backup with psql: somebody changed it")
		case ":":
			if i+1 == len(tokens) || i > 0 && tokens[i-1].Text == ":" {
				continue // "::" is a cast
			}
			switch next := tokens[i+1]; {
			case next.Kind == Word, next.Kind == Quoted, next.Kind == String, next.Text == "{":
				tokens[i].Text = ": "
			}
		}
	}
	return Join(tokens), nil
}
