package manifest

import (
	"slices"
	"strings"
)

// Reference is what a backup needs of another folder of the store.
type Reference struct {
	Folder   string // ends in '/'
	BackupID string // the backup, or unfinished run, that stored the objects
	Objects  []string
	Bytes    int64 // stored
}

// References returns what the backup needs of other folders than its own, by
// folder: whoever removes or copies backups must keep these objects with it.
func (m *Manifest) References() []Reference {
	byFolder := map[string]*Reference{}
	for i := range m.Tables {
		for _, c := range m.Tables[i].Stored() {
			folder, ok := FolderOf(c.Object)
			if !ok || folder == m.Folder {
				continue
			}
			r := byFolder[folder]
			if r == nil {
				_, _, id, _ := ParseFolder(folder)
				r = &Reference{Folder: folder, BackupID: id}
				byFolder[folder] = r
			}
			r.Objects = append(r.Objects, c.Object)
			r.Bytes += c.StoredBytes
		}
	}
	references := make([]Reference, 0, len(byFolder))
	for _, r := range byFolder {
		slices.Sort(r.Objects)
		references = append(references, *r)
	}
	slices.SortFunc(references, func(a, b Reference) int { return strings.Compare(a.Folder, b.Folder) })
	return references
}

// Objects returns the keys of all objects that the backup is made of, those of
// other folders too, but for the manifest and the header.
func (m *Manifest) Objects() []string {
	var keys []string
	for i := range m.Tables {
		for _, c := range m.Tables[i].Stored() {
			keys = append(keys, c.Object)
		}
	}
	if m.LargeObjects != nil {
		for _, c := range m.LargeObjects.Chunks {
			keys = append(keys, c.Object)
		}
	}
	for _, f := range m.Files {
		keys = append(keys, f.Key)
	}
	return append(keys, m.Folder+RestoreName)
}

// Stored returns the chunks that have an object, those of layers too.
func (t *Table) Stored() []*Chunk {
	var chunks []*Chunk
	for i := range t.Chunks {
		if t.Chunks[i].Object != "" {
			chunks = append(chunks, &t.Chunks[i])
		}
	}
	for i := range t.Layers {
		if t.Layers[i].Chunk.Object != "" {
			chunks = append(chunks, &t.Layers[i].Chunk)
		}
	}
	return chunks
}

// FolderOf returns the backup's folder that an object lies in.
func FolderOf(key string) (folder string, ok bool) {
	parts := strings.SplitAfterN(key, "/", 3)
	if len(parts) < 3 {
		return "", false
	}
	folder = parts[0] + parts[1]
	_, _, _, ok = ParseFolder(folder)
	return folder, ok
}
