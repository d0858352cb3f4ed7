package backup

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/blob"
	"guarda/shared/fault"
	"guarda/shared/ledger"
	"guarda/shared/pgcatalog"
	"guarda/shared/seal"
)

// A run goes through three stages: start, which ends with a picture and a
// plan; copy; finish. What a stage knows of those before it is in its state,
// which can be stored, so that another process goes on where one stopped.

// state is what a run knows once it has a plan. It belongs to one picture.
type state struct {
	Started    time.Time          `json:"started"`
	SnapshotAt time.Time          `json:"snapshot_at"`
	Server     manifest.Server    `json:"server"`
	Catalog    *pgcatalog.Catalog `json:"catalog"`
	Ledger     *ledger.Ledger     `json:"ledger"`
	Chunks     []Chunk            `json:"chunks"`
	Files      []manifest.Object  `json:"files"` // the schema scripts
	Warnings   []fault.Warning    `json:"warnings"`
	Extra      int64              `json:"extra"` // bytes stored besides the chunks
	Type       Type               `json:"type"`  // of the backup that it becomes
	BaseID     string             `json:"base_id,omitempty"`
	Base       *Base              `json:"base,omitempty"`   // what may be referred to instead of copied
	Deltas     map[uint32]*Delta  `json:"deltas,omitempty"` // tables of which only the later rows are copied

	LargeObjects []largeObject `json:"large_objects,omitempty"`
}

// tables returns the tables to copy by OID.
func (s *state) tables() map[uint32]*pgcatalog.Table {
	tables := make(map[uint32]*pgcatalog.Table, len(s.Catalog.Tables))
	for i := range s.Catalog.Tables {
		tables[s.Catalog.Tables[i].OID] = &s.Catalog.Tables[i]
	}
	tables[manifest.LargeObjectClass] = largeObjectTable()
	return tables
}

// start takes the picture, reads what there is to copy, and plans it. The
// caller closes the picture.
func (x *execution) start(ctx context.Context) (_ *picture, _ *state, err error) {
	if err := x.tracker.phase(ctx, PhaseConnect); err != nil {
		return nil, nil, err
	}
	if err := x.begin(ctx); err != nil {
		return nil, nil, err
	}
	p, err := takePicture(ctx, x.Deps, x.spec)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			pgsession.Close(ctx, p.conn)
		}
	}()
	if err := x.tracker.phase(ctx, PhaseCatalog); err != nil {
		return nil, nil, err
	}
	catalog, account, err := x.readCatalog(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	if err := checkText(catalog); err != nil {
		return nil, nil, err
	}
	x.warn(p)
	s := &state{Started: x.started, SnapshotAt: p.at, Server: p.server, Catalog: catalog, Ledger: account}
	if err := x.choose(ctx, p, s); err != nil {
		return nil, nil, err
	}
	s.Chunks = plan(catalog.Tables, p.server.VersionNum, x.chunkLimit(catalog.Tables), s.Base)
	if err := s.planLarge(ctx, p, x.pace.chunkBytes()); err != nil {
		return nil, nil, err
	}
	if err := x.Queue.Add(ctx, s.Chunks); err != nil {
		return nil, nil, err
	}
	if s.Files, err = x.putSchema(ctx, catalog); err != nil {
		return nil, nil, err
	}
	s.Warnings, s.Extra = x.warnings, x.extra
	if err := x.save(ctx, p, s); err != nil {
		return nil, nil, err
	}
	return p, s, x.keep(ctx)
}

// proceed copies and finishes.
func (x *execution) proceed(ctx context.Context, p *picture, s *state) (*Result, error) {
	defer func() { pgsession.Close(ctx, p.conn) }()
	x.tracker.planned(s.Chunks, len(s.Catalog.Tables))
	if err := x.tracker.phase(ctx, PhaseCopy); err != nil {
		return nil, err
	}
	if err := x.copy(ctx, p, s); err != nil {
		return nil, err
	}
	if err := x.tracker.update(ctx); err != nil {
		return nil, err
	}
	if err := x.tracker.phase(ctx, PhaseFinish); err != nil {
		return nil, err
	}
	// Only a picture that lasted until here is one picture.
	if err := pgsession.Exec(ctx, p.conn, "commit"); err != nil {
		return nil, pgsession.Explain(err, "keep the snapshot")
	}
	if err := x.copied(ctx); err != nil {
		return nil, err
	}
	return x.finish(ctx, s, nil)
}

// stateName is the name of the object that keeps a picture's state, below the
// backup's folder. Every picture has its own: what an earlier one stored is
// judged by its own state.
func stateName(picture int) string { return fmt.Sprintf("%s-%d.json", manifest.PlanName, picture) }

// StateKey is the key of the object that keeps the state of a run's picture.
func StateKey(folder string, picture int, encrypted bool) string {
	return folder + stateName(picture) + manifest.Suffix(string(seal.Zstd), encrypted)
}

func (x *execution) putState(ctx context.Context, s *state, picture int) (manifest.Object, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return manifest.Object{}, fmt.Errorf("encode the run's state: %w", err)
	}
	return manifest.Put(ctx, x.Store, x.folder, stateName(picture), plain, x.key)
}

func (x *execution) getState(ctx context.Context, key string) (*state, error) {
	return readState(ctx, x.Store, key, x.key)
}

func readState(ctx context.Context, store blob.Store, objectKey string, key *seal.DataKey) (*state, error) {
	var s state
	if err := readJSON(ctx, store, objectKey, key, maxPlan, &s); err != nil {
		return nil, err
	}
	if s.Catalog == nil {
		return nil, fault.New(fault.Internal, "the run's state in %s cannot be read", objectKey)
	}
	return &s, nil
}
