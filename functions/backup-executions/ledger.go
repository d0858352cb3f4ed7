package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/ledger"
)

const ledgerKind = "ledger"

// ledgerItem shows what an item leaves out of its own JSON when it is empty.
type ledgerItem struct {
	ledger.Item
	KindLabel string `json:"kind_label"`
	Schema    string `json:"schema"`
	Carried   bool   `json:"carried"`
	Lost      bool   `json:"lost"`

	no int // position among all items
}

// ledgerGroup has its kind in the reader's language too.
type ledgerGroup struct {
	ledger.Group
	KindLabel string `json:"kind_label"`
}

type ledgerView struct {
	Summary ledger.Summary `json:"summary"`
	Groups  []ledgerGroup  `json:"groups"`
	httpapi.Page[ledgerItem]
	Truncated bool `json:"truncated"`
}

// ledgerFilter narrows groups and items; what is empty does not narrow.
type ledgerFilter struct {
	statuses, kinds, schemas []string
	lost                     bool
}

func (f ledgerFilter) group(kind, schema string) bool {
	return (len(f.kinds) == 0 || slices.Contains(f.kinds, kind)) && (len(f.schemas) == 0 || slices.Contains(f.schemas, schema))
}

func (f ledgerFilter) item(i ledger.Item) bool {
	return f.group(i.Kind, i.Schema) && (len(f.statuses) == 0 || slices.Contains(f.statuses, string(i.Status))) && (!f.lost || i.Lost)
}

func (h *handler) ledger(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	limit, after := q.Limit(50), -1
	q.Cursor(ledgerKind, &after)
	var statuses []string
	for _, s := range ledger.Statuses() {
		statuses = append(statuses, string(s))
	}
	filter := ledgerFilter{statuses: q.Each("status", statuses...), kinds: q.Texts("kind", 50, 63), schemas: q.Texts("schema", 50, 63)}
	if lost := q.Bool("lost"); lost != nil {
		filter.lost = *lost
	}
	if err := q.Err(); err != nil {
		return err
	}
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	e, err := h.store.Peek(r.Context(), id)
	if err != nil {
		return err
	}
	if e.Status != execution.Completed {
		return fault.New(fault.Conflict, "only a completed backup has a coverage ledger; this run is %s", string(e.Status)).
			Hint("wait for its end, or choose a run whose status is completed")
	}
	document, err := h.store.Ledger(r.Context(), id)
	if err != nil {
		return err
	}
	var kept ledger.Kept
	if err := json.Unmarshal(document, &kept); err != nil {
		return fmt.Errorf("read the ledger of run %s: %w", id, err)
	}
	v := ledgerView{Summary: kept.Summary, Groups: []ledgerGroup{}, Truncated: kept.Truncated}
	l := httpapi.Language(r)
	for _, g := range kept.Groups {
		if filter.group(g.Kind, g.Schema) {
			v.Groups = append(v.Groups, ledgerGroup{g, fault.Term(g.Kind).In(l)})
		}
	}
	items := []ledgerItem{}
	for i := max(0, after+1); i < len(kept.Items) && len(items) <= limit; i++ {
		if it := kept.Items[i]; filter.item(it) {
			items = append(items, ledgerItem{it.In(l), fault.Term(it.Kind).In(l), it.Schema, it.Carried, it.Lost, i})
		}
	}
	v.Page = httpapi.NewPage(items, limit, ledgerKind, func(i ledgerItem) int { return i.no })
	return httpapi.JSON(w, http.StatusOK, v)
}
