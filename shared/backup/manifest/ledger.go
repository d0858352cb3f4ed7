package manifest

import (
	"guarda/shared/ledger"
)

// Had returns a function that says whether the backup has what an item of a
// later backup's ledger is about. It goes by names, so that it also holds for a
// database that was restored in between. Such an item's ledger must have been
// made by this process (see ledger.Item.Entry).
func (m *Manifest) Had() func(ledger.Item) bool {
	type missed struct{ kind, name string }
	missing := map[missed]bool{}
	if m.Ledger != nil {
		for _, it := range m.Ledger.Items {
			missing[missed{it.Kind, it.Name}] = true
		}
	}
	names := make(map[ledger.EntryName]bool, len(m.Entries)+len(m.Tables))
	for _, e := range m.Entries {
		names[ledger.EntryName{Kind: e.Kind, Schema: e.Schema, Name: e.Name}] = true
	}
	for _, t := range m.Tables {
		names[ledger.EntryName{Kind: "TABLE DATA", Schema: t.Schema, Name: t.Name}] = true
	}
	return func(it ledger.Item) bool {
		e := it.Entry()
		if e.Kind == "SEQUENCE" && it.IsContent() {
			e.Kind = "SEQUENCE SET"
		}
		return !missing[missed{it.Kind, it.Name}] && names[e]
	}
}
