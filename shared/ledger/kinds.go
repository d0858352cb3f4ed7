package ledger

// Address names a row of a system catalog as pg_depend does.
type Address struct {
	Class, OID uint32
	Sub        int32
}

// Catalogs by OID: fixed since their creation.
const (
	classClass        = 1259
	classType         = 1247
	classProc         = 1255
	classAttrdef      = 2604
	classConstraint   = 2606
	classRewrite      = 2618
	classTrigger      = 2620
	classNamespace    = 2615
	classExtension    = 3079
	classEnum         = 3501
	classAmop         = 2602
	classAmproc       = 2603
	classOperator     = 2617
	classUserMapping  = 1418
	classPolicy       = 3256
	classPubRel       = 6106
	classPubNamespace = 6237
	classSubscription = 6100
	classDefaultACL   = 826
	classLargeObject  = 2613
	classDatabase     = 1262
	classLOMetadata   = 2995 // large objects are addressed as of pg_largeobject
)

// facet says which side of a catalog's row an object is.
type facet uint8

const (
	definition facet = iota
	content          // a table's rows, a sequence's value, a large object's data
	comment
	label
	grants
	setting
)

// What the kinds that are not rows of a catalog are called.
const (
	kindTableRows     = "table rows"
	kindMatviewRows   = "materialized view rows"
	kindSequenceValue = "sequence value"
	kindLargeData     = "large object data"
	kindComment       = "comment"
	kindLabel         = "security label"
	kindGrants        = "grants"
	kindSetting       = "database setting"
	kindDatabase      = "database"
	kindCatalog       = "system catalog" // that may not be read
)

// kindOf names the kind of a catalog's row; letter is the catalog's own
// distinction (relkind, typtype, prokind, contype). The second result is false
// for a catalog that is not known: then the catalog's name is the kind.
func kindOf(class uint32, letter string) (string, bool) {
	switch class {
	case classClass:
		return map[string]string{
			"r": "table", "p": "partitioned table", "i": "index", "I": "partitioned index", "S": "sequence", "v": "view",
			"m": "materialized view", "c": "composite type columns", "x": "index", "t": "toast table", "f": "foreign table",
		}[letter], true
	case classType:
		return map[string]string{
			"b": "type", "c": "composite type", "d": "domain", "e": "enum type", "r": "range type", "m": "multirange type", "p": "shell type",
			"R": "row type", "A": "array type",
		}[letter], true
	case classProc:
		return map[string]string{"f": "function", "p": "procedure", "a": "aggregate", "w": "window function"}[letter], true
	case classConstraint:
		return map[string]string{
			"c": "check constraint", "f": "foreign key", "n": "not-null constraint", "p": "primary key", "u": "unique constraint",
			"x": "exclusion constraint", "t": "constraint trigger",
		}[letter], true
	case classOperator:
		if letter == "s" {
			return "shell operator", true
		}
	}
	kind, ok := map[uint32]string{
		classAttrdef: "column default", classRewrite: "rule", classTrigger: "trigger", classNamespace: "schema", classExtension: "extension",
		classEnum: "enum label", classAmop: "operator of family", classAmproc: "function of family", classUserMapping: "user mapping",
		classPolicy: "policy", classPubRel: "publication table", classPubNamespace: "publication schema", classSubscription: "subscription",
		classDefaultACL: "default privileges", classLargeObject: "large object", classDatabase: kindDatabase,
		2601: "access method", 2605: "cast", 2607: "conversion", 3456: "collation", 2612: "language", classOperator: "operator", 2616: "operator class",
		2753: "operator family", 3602: "text search configuration", 3600: "text search dictionary", 3601: "text search parser",
		3764: "text search template", 2328: "foreign data wrapper", 1417: "foreign server", 3466: "event trigger", 6104: "publication",
		3576: "transform", 3381: "extended statistics",
	}[class]
	return kind, ok
}

// withoutOID are the catalogs of a database whose rows are parts of objects
// that others hold: a catalog that is not here is not known.
func withoutOID(catalog string) bool {
	switch catalog {
	case "pg_aggregate", "pg_attribute", "pg_depend", "pg_description", "pg_foreign_table", "pg_index", "pg_inherits", "pg_init_privs",
		"pg_largeobject", "pg_partitioned_table", "pg_range", "pg_seclabel", "pg_sequence", "pg_statistic", "pg_statistic_ext_data",
		"pg_subscription_rel", "pg_ts_config_map":
		return true
	}
	return false
}

// identifiable says that pg_identify_object knows the catalog.
func identifiable(class uint32) bool {
	_, known := kindOf(class, "")
	return known && class != classEnum
}
