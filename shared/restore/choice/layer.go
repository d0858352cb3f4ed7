package choice

import (
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
)

// A layer's rows take the place of those with the same key (see manifest.Layer).
// There is no index on the key yet, nor a rule that says which of two equal rows
// is meant, so the old ones are deleted in one pass over the table.

const layerTable = "pg_temp.guarda_layer"

// BeforeLayer makes the temporary table that the rows of a layer are copied
// into with CopyLayer.
func BeforeLayer(t *manifest.Table) string {
	return "CREATE TEMP TABLE guarda_layer AS SELECT " + columns(t, "") + " FROM ONLY " + pgx.Identifier{t.Schema, t.Name}.Sanitize() + " WITH NO DATA;\n"
}

// CopyLayer is the COPY of a layer's rows, without a semicolon.
func CopyLayer(t *manifest.Table) string {
	return "COPY " + layerTable + " (" + columns(t, "") + ") FROM stdin"
}

// AfterLayer puts the rows where they belong. The keys' types may have their
// own equality, in any schema, so all that have one are searched meanwhile.
func AfterLayer(t *manifest.Table, l *manifest.Layer) string {
	name := pgx.Identifier{t.Schema, t.Name}.Sanitize()
	var same []string
	for _, k := range l.Key {
		same = append(same, "t."+quote(k)+" = l."+quote(k))
	}
	return `SELECT pg_catalog.set_config('search_path', (SELECT coalesce(pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(n.nspname), ', '), '')
    FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE o.oprname = '=' AND n.nspname <> 'pg_catalog'), false);
DELETE FROM ONLY ` + name + " t USING " + layerTable + " l WHERE " + strings.Join(same, " AND ") + `;
SELECT pg_catalog.set_config('search_path', '', false);
INSERT INTO ` + name + " (" + columns(t, "") + ") OVERRIDING SYSTEM VALUE SELECT " + columns(t, "l.") + " FROM " + layerTable + ` l;
DROP TABLE ` + layerTable + ";\n"
}

func columns(t *manifest.Table, prefix string) string {
	quoted := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		quoted[i] = prefix + quote(c)
	}
	return strings.Join(quoted, ", ")
}
