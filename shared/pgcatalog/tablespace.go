package pgcatalog

import "strings"

const tablespaceSuffix = "SET default_tablespace = '';\n"

func tablespacePrefix(space string) string {
	return "SET default_tablespace = " + quoteIdent(space) + ";\n"
}

// InDefaultTablespace returns the entry as it is for a server that lacks its
// tablespace, as pg_restore --no-tablespaces has it.
//
// Tablespaces belong to a server, not to a database: a backup names those that
// its tables and indexes are in, and does not make them.
func (e Entry) InDefaultTablespace() Entry {
	if e.Tablespace == "" {
		return e
	}
	e.SQL = strings.TrimSuffix(strings.TrimPrefix(e.SQL, tablespacePrefix(e.Tablespace)), tablespaceSuffix)
	e.Tablespace = ""
	return e
}
