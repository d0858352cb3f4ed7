package backup_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
)

// TestABaseThatIsRemovedWhileItIsReferredToIsNoticed before the backup exists.
func TestABaseThatIsRemovedWhileItIsReferredToIsNoticed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newSeries(t, wide)
	base := s.manifest(t, s.take(t, backup.Full).BackupID)
	run := newRun()
	run.Type, run.ChunkBytes = backup.Incremental, 1
	remove := func(_ context.Context, p backup.Progress) error {
		if p.Phase == backup.PhaseFinish {
			return s.store.Delete(ctx, base.Tables[0].Chunks[1].Object)
		}
		return nil
	}
	_, err := backup.Execute(ctx, backup.Deps{Connect: connector(s.dsn), Store: s.store, Keys: s.keys, Report: remove}, run)
	if fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), base.Tables[0].Chunks[1].Object) || fault.HintOf(err) == "" {
		t.Fatalf("%v", err)
	}
	for _, key := range objects(t, s.store) {
		if strings.Contains(key, run.ID) {
			t.Errorf("%s is left", key)
		}
	}
	r := s.take(t, backup.Incremental)
	if copied, _ := s.copied(t, r.BackupID, "t"); copied != 1 {
		t.Errorf("%d chunks were copied", copied)
	}
	s.same(t, r)
}

// TestLargeObjectsThatAreRemovedMeanwhileAreNoticed, as rows are.
func TestLargeObjectsThatAreRemovedMeanwhileAreNoticed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newSeries(t, `select lo_from_bytea(0, 'x')`)
	_, err := backup.Execute(ctx, backup.Deps{Connect: connector(s.dsn), Store: s.store, Keys: s.keys, Report: func(_ context.Context, p backup.Progress) error {
		if p.Phase == backup.PhaseFinish {
			for _, key := range objects(t, s.store) {
				if strings.Contains(key, "/data/") {
					return s.store.Delete(ctx, key)
				}
			}
		}
		return nil
	}}, newRun())
	if fault.CodeOf(err) != fault.Conflict {
		t.Errorf("%v", err)
	}
}

// TestBackupsOfOneSourceAtTheSameTime each are whole, whatever the others have
// in the store meanwhile.
func TestBackupsOfOneSourceAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := newSeries(t, wide)
	s.take(t, backup.Full)
	pgtest.Exec(t, s.dsn, `update t set s = 'x' where id % 100 = 0`)
	var all sync.WaitGroup
	results := make([]*backup.Result, 4)
	for i := range results {
		all.Go(func() {
			run := newRun()
			run.Type, run.ChunkBytes, run.Keep = []backup.Type{backup.Incremental, backup.Differential, backup.Full}[i%3], 1, true
			var err error
			if results[i], err = backup.Execute(context.Background(), backup.Deps{Connect: connector(s.dsn), Store: s.store, Keys: s.keys}, run); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for _, r := range results {
		s.same(t, r)
	}
}

// TestADifferentialNeedsNothingButTheFullOne and itself, also when a run that
// did not finish has referred to an incremental one.
func TestADifferentialNeedsNothingButTheFullOne(t *testing.T) {
	t.Parallel()
	s := newSeries(t, wide)
	full := s.take(t, backup.Full)
	pgtest.Exec(t, s.dsn, `update t set s = 'x' where id < 700`)
	incremental := s.take(t, backup.Incremental)
	pgtest.Exec(t, s.dsn, `update other set s = 'y'`)
	s.cutOff(t, backup.Incremental)
	s.keep = true
	r := s.take(t, backup.Differential)
	took := false
	for _, ref := range s.manifest(t, r.BackupID).References() {
		if ref.BackupID == incremental.BackupID {
			t.Errorf("the differential refers to %d objects of the incremental", len(ref.Objects))
		}
		took = took || ref.BackupID != full.BackupID
	}
	if !took {
		t.Error("nothing of the run that was cut off is used: the test proves little")
	}
	s.same(t, r)
}

// cutOff begins a backup that ends when everything is stored and noted.
func (s *series) cutOff(t *testing.T, kind backup.Type) {
	t.Helper()
	run := newRun()
	run.Type, run.ChunkBytes, run.Keep = kind, 1, true
	reached := false
	_, err := backup.Execute(context.Background(), backup.Deps{Connect: connector(s.dsn), Store: s.store, Keys: s.keys, Report: func(_ context.Context, p backup.Progress) error {
		if p.Phase == backup.PhaseFinish {
			reached = true
			return fault.New(fault.Unavailable, "cut off")
		}
		return nil
	}}, run)
	if err == nil || !reached {
		t.Fatalf("the run was not cut off where it should be: %v", err)
	}
}

// TestWhatIsUnderAnotherKeyIsNotReferredTo: a full backup has a key of its own,
// also one that was cut off.
func TestWhatIsUnderAnotherKeyIsNotReferredTo(t *testing.T) {
	t.Parallel()
	s := newSeries(t, wide)
	s.take(t, backup.Full)
	pgtest.Exec(t, s.dsn, `update t set s = 'x' where id < 10`)
	s.cutOff(t, backup.Full)
	s.keep = true
	r := s.take(t, backup.Incremental)
	if copied, reused := s.copied(t, r.BackupID, "t"); copied == 0 || (reused == 0) == ranges(t) {
		t.Errorf("%s: %d copied, %d reused: %+v", r.Type, copied, reused, r.Warnings)
	}
	s.same(t, r)
}

// TestARunThatFailedAfterItsManifestIsABackup: what later ones refer to is not
// taken away; without a manifest nothing stays.
func TestARunThatFailedAfterItsManifestIsABackup(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newSeries(t, wide)
	full := s.take(t, backup.Full)
	r := s.take(t, backup.Incremental)
	if err := backup.Discard(ctx, s.store, backup.Baton{Folder: full.StorePath}); err != nil {
		t.Fatal(err)
	}
	s.same(t, r)
	if err := s.store.Delete(ctx, manifest.Key(full.StorePath, true)); err != nil {
		t.Fatal(err)
	}
	if err := backup.Discard(ctx, s.store, backup.Baton{Folder: full.StorePath}); err != nil {
		t.Fatal(err)
	}
	for _, key := range objects(t, s.store) {
		if strings.HasPrefix(key, full.StorePath) {
			t.Errorf("%s is left", key)
		}
	}
}
