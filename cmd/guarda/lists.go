package main

import "strings"

// patternList is a flag of patterns, given again or separated by commas. What
// stands in double quotes is part of a name, and the quotes belong to it.
type patternList []string

func (l *patternList) Set(value string) error {
	quoted, from := false, 0
	for i := range len(value) {
		switch {
		case value[i] == '"':
			quoted = !quoted
		case value[i] == ',' && !quoted:
			*l = append(*l, value[from:i])
			from = i + 1
		}
	}
	*l = append(*l, value[from:])
	return nil
}

func (l *patternList) String() string { return strings.Join(*l, ",") }
func (l *patternList) Type() string   { return "strings" }

// nameList is a flag of names as they are, given again or separated by commas:
// quotes are letters like others.
type nameList []string

func (l *nameList) Set(value string) error {
	*l = append(*l, strings.Split(value, ",")...)
	return nil
}

func (l *nameList) String() string { return strings.Join(*l, ",") }
func (l *nameList) Type() string   { return "strings" }
