package backup

import (
	"bytes"
	"context"

	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

// maxUnfinished is how many unfinished runs are looked at. One is the usual
// number; more than some tell of runs that fail again and again.
const maxUnfinished = 5

// found is what is in the store before the source is asked for anything.
type found struct {
	backup *stored // the backup to compare with; nil if there is none
	id     string  // of that backup
	of     *manifest.Manifest
	why    fault.Text // why there is none, of what was asked for
	runs   []*stored
	key    *seal.DataKey // what all of it is encrypted with; nil if it is not, or there is nothing
	wraps  []string      // the folders that the run may refer to
}

// find looks for the backup that the run is to be compared with, and for runs
// of the source that did not finish. Objects are encrypted with the key of
// their backup, so a run takes over the key of what it refers to, and refers
// to nothing that has another; key is that of a run taken up again, else nil.
func (x *execution) find(ctx context.Context, key *seal.DataKey) error {
	f := &x.found
	f.key = key
	var unfinished []string
	var base *manifest.Listed
	for d, err := range manifest.Newest(ctx, x.Store, x.spec.Source) {
		switch {
		case err != nil:
			return err
		case d.Folder == x.folder:
			continue
		case !d.Finished:
			young := x.started.Sub(d.Header.StartedAt) < LongestRun/2 // the older may be removed any moment, see Garbage
			if x.spec.Keep && young && len(unfinished) < maxUnfinished {
				unfinished = append(unfinished, d.Folder)
			}
			continue
		case d.Problem != nil, x.spec.RequestedType == Differential && d.Header.Type != string(Full):
			continue
		}
		base = &d.Listed
		break // what did not finish before that is of no use any more
	}
	if x.spec.RequestedType != Full {
		if err := x.findBackup(ctx, base); err != nil {
			return err
		}
	}
	for _, folder := range unfinished {
		s, key, err := x.findRun(ctx, folder)
		if err != nil {
			return err
		}
		if s == nil || !f.takes(key) {
			continue
		}
		f.runs, f.key, f.wraps = append(f.runs, s), key, append(f.wraps, folder)
	}
	return nil
}

func (x *execution) findBackup(ctx context.Context, base *manifest.Listed) error {
	f := &x.found
	switch {
	case base == nil && x.spec.RequestedType == Differential:
		f.why = fault.Say("there is no full backup yet")
		return nil
	case base == nil:
		f.why = fault.Say("there is no backup yet")
		return nil
	case base.Header.Encrypted && x.Keys == nil:
		f.why = fault.Say("backup %s is encrypted, and this one is not to be", base.Header.BackupID)
		return nil
	case !base.Header.Encrypted && x.Keys != nil:
		f.why = fault.Say("backup %s is not encrypted, and this one is to be", base.Header.BackupID)
		return nil
	}
	m, key, err := manifest.Open(ctx, x.Store, *base, x.Keys)
	if err != nil {
		if code := fault.CodeOf(err); code == fault.Unavailable || ctx.Err() != nil {
			return err
		}
		x.Log.WarnContext(ctx, "the backup to compare with cannot be read", "backup_id", base.Header.BackupID, "error", err.Error())
		f.why = fault.Say("backup %s cannot be read: %s", base.Header.BackupID, fault.MessageOf(err))
		return nil
	}
	if !f.takes(key) {
		f.why = fault.Say("backup %s has another key than this run began with", m.BackupID)
		return nil
	}
	f.backup, f.of, f.id, f.key, f.wraps = storedByManifest(m), m, m.BackupID, key, append(f.wraps, m.Folder)
	for _, r := range m.References() {
		f.wraps = append(f.wraps, r.Folder)
	}
	return nil
}

// takes says whether objects under key can be part of what was found so far.
func (f *found) takes(key *seal.DataKey) bool {
	if f.backup == nil && len(f.runs) == 0 && f.key == nil {
		return true
	}
	if key == nil || f.key == nil {
		return key == nil && f.key == nil
	}
	return bytes.Equal(key.Bytes(), f.key.Bytes())
}

// choose decides, now that the source's identity is known, what type of backup
// the run makes, what it may refer to, and which tables it takes only the
// later rows of.
func (x *execution) choose(ctx context.Context, p *picture, s *state) error {
	f, c := &x.found, s.Catalog
	followed, err := x.followTables(ctx, p.conn, c)
	if err != nil {
		return err
	}
	s.Type = Full
	var sources []*stored
	if f.backup != nil {
		if why := incomparable(f.backup.server, p.server, f.backup.database, c.Database); !why.IsZero() {
			f.why = fault.Join(" ", fault.Say("backup %s", f.id), why)
		} else {
			s.Type, s.BaseID = x.spec.RequestedType, f.id
			sources = append(sources, f.backup)
		}
	}
	if x.spec.RequestedType != Full && s.Type == Full {
		x.warnings = append(x.warnings, fault.Warn("full_instead", "", "the backup was asked for as %s and copies everything: %s", string(x.spec.RequestedType), f.why))
	}
	runs, err := x.earlier(ctx)
	if err != nil {
		return err
	}
	for _, r := range append(runs, f.runs...) {
		if incomparable(r.server, p.server, r.database, c.Database).IsZero() {
			sources = append(sources, r)
		}
	}
	if len(sources) == 0 {
		return nil
	}
	volatile, err := volatileTables(ctx, p.conn)
	if err != nil {
		return err
	}
	there := &listing{store: x.Store}
	if s.Type != Full {
		if err := there.readAll(ctx, f.of); err != nil {
			return err
		}
		s.Deltas = x.narrow(f.of, followed, volatile, there.has, s.Ledger)
	}
	s.Base = &Base{Tables: map[uint32]*BaseTable{}}
	for _, old := range sources {
		old.keepOnly(f.wraps, x.folder)
		if err := there.read(ctx, old); err != nil {
			return err
		}
		s.Base.add(old, c.Tables, volatile, there.has)
	}
	return nil
}

// earlier are the pictures that this run had before and lost.
func (x *execution) earlier(ctx context.Context) ([]*stored, error) {
	if x.Relay == nil {
		return nil, nil
	}
	var runs []*stored
	for _, e := range x.Relay.Earlier {
		s, err := x.getState(ctx, e.StateKey)
		if fault.CodeOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		runs = append(runs, storedByRun(s, e.Results))
	}
	return runs, nil
}
