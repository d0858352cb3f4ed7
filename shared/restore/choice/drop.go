package choice

import "slices"

// Drops returns the entries of what was asked for that have a statement which
// drops them, in the order in which they can be dropped. Indexes of partitions
// that are attached to the index of the whole table are not dropped alone.
func (c *Choice) Drops() []*Entry {
	byID := make(map[int]*Entry, len(c.Entries))
	attached := map[int]bool{}
	for i := range c.Entries {
		e := &c.Entries[i]
		byID[e.ID] = e
		if e.Kind != "INDEX ATTACH" {
			continue
		}
		for _, id := range e.DependsOn {
			if d := byID[id]; d != nil && d.Table == e.Table && d.Kind != "TABLE ATTACH" {
				attached[id] = true
			}
		}
	}
	var drops []*Entry
	for i := range slices.Backward(c.Entries) {
		if e := &c.Entries[i]; e.DropSQL != "" && !attached[e.ID] && c.Asked(e) {
			drops = append(drops, e)
		}
	}
	return drops
}
