package execution

import (
	"encoding/json"
	"time"

	"guarda/shared/fault"
)

// View is a run as the API shows it.
type View struct {
	ID              string             `json:"id"`
	ScheduleID      *string            `json:"schedule_id"`
	ScheduleName    *string            `json:"schedule_name"`
	SourceID        *string            `json:"source_id"`
	SourceName      string             `json:"source_name"`
	Status          Status             `json:"status"`
	Type            string             `json:"type"`
	RequestedType   string             `json:"requested_type"`
	Trigger         Trigger            `json:"trigger"`
	StartedAt       time.Time          `json:"started_at"`
	CompletedAt     *time.Time         `json:"completed_at"`
	DurationSeconds *float64           `json:"duration_seconds"`
	SizeBytes       *int64             `json:"size_bytes"`
	RawBytes        *int64             `json:"raw_bytes"`
	Rows            *int64             `json:"rows"`
	Tables          *int               `json:"tables"`
	Chunks          *int               `json:"chunks"`
	ChunksReused    *int               `json:"chunks_reused"`
	BaseID          *string            `json:"base_id"`
	Progress        json.RawMessage    `json:"progress"`
	Warnings        []fault.Warning    `json:"warnings"`
	Error           *fault.FailureView `json:"error"`
	Canceled        bool               `json:"canceled"`
	Compression     string             `json:"compression"`
	Encrypted       bool               `json:"encrypted"`
	StorePath       *string            `json:"store_path"`
	RelayCount      int                `json:"relay_count"`
	ResumeCount     int                `json:"resume_count"`
}

// DetailView is a View with everything that is known.
type DetailView struct {
	View
	Phases        json.RawMessage `json:"phases"`
	TableDetails  json.RawMessage `json:"table_details"`
	Options       OptionsView     `json:"options"`
	ServerVersion *string         `json:"server_version"`
	SnapshotAt    *time.Time      `json:"snapshot_at"`
	Workers       []Place         `json:"workers"`
	Ledger        json.RawMessage `json:"ledger"` // a summary; null until the run has completed
}

// OptionsView is what of the options is not elsewhere in the view.
type OptionsView struct {
	Tables  []string `json:"tables"`
	Exclude []string `json:"exclude"`
	Jobs    int      `json:"jobs"`
}

// BriefView is a run in a strip of runs.
type BriefView struct {
	ID              string    `json:"id"`
	Status          Status    `json:"status"`
	Type            string    `json:"type"`
	StartedAt       time.Time `json:"started_at"`
	DurationSeconds *float64  `json:"duration_seconds"`
	SizeBytes       *int64    `json:"size_bytes"`
	Canceled        bool      `json:"canceled"`
	WarningCount    int       `json:"warning_count"`
}

// In shows the run in a language.
func (e *Execution) In(l fault.Language) View {
	v := View{
		ID: e.ID, ScheduleID: e.ScheduleID, ScheduleName: e.ScheduleName, SourceID: e.SourceID, SourceName: e.SourceName,
		Status: e.Status, Type: e.Type, RequestedType: e.RequestedType, Trigger: e.Trigger,
		StartedAt: e.StartedAt.UTC(), CompletedAt: utc(e.CompletedAt), DurationSeconds: e.seconds(),
		SizeBytes: e.SizeBytes, RawBytes: e.RawBytes, Rows: e.Rows,
		Tables: e.Metadata.Tables, Chunks: e.Metadata.Chunks, ChunksReused: e.Metadata.ChunksReused, BaseID: e.Metadata.BaseID,
		Progress: e.Progress, Warnings: fault.WarningsIn(l, e.Metadata.Warnings), Canceled: e.Canceled,
		Compression: e.Metadata.Compression, Encrypted: e.Metadata.Options.Encryption, StorePath: e.StorePath,
		RelayCount: e.Relays, ResumeCount: e.Resumes,
	}
	if v.Compression == "" {
		v.Compression = e.Metadata.Options.Compression
	}
	if v.Compression == "" {
		v.Compression = "auto"
	}
	if e.Metadata.Encrypted != nil {
		v.Encrypted = *e.Metadata.Encrypted
	}
	if f := e.Metadata.Error; f != nil {
		shown := f.In(l)
		v.Error = &shown
	}
	return v
}

// DetailIn shows everything in a language.
func (e *Execution) DetailIn(l fault.Language) DetailView {
	o := e.Metadata.Options
	d := DetailView{
		View: e.In(l), Phases: e.Metadata.Phases, TableDetails: e.Metadata.TableDetails,
		Options:       OptionsView{nonNil(o.Tables), nonNil(o.Exclude), o.Jobs},
		ServerVersion: e.Metadata.ServerVersion, SnapshotAt: utc(e.Metadata.SnapshotAt), Workers: e.Workers, Ledger: e.Metadata.Ledger,
	}
	if d.Workers == nil {
		d.Workers = []Place{}
	}
	if d.Phases == nil { // while it runs they are in its progress
		var p struct {
			Phases json.RawMessage `json:"phases"`
		}
		if json.Unmarshal(e.Progress, &p) == nil {
			d.Phases = p.Phases
		}
	}
	if d.Phases == nil {
		d.Phases = json.RawMessage("[]")
	}
	if d.TableDetails == nil {
		d.TableDetails = json.RawMessage("[]")
	}
	return d
}

// Brief shows the least.
func (e *Execution) Brief() BriefView {
	return BriefView{e.ID, e.Status, e.Type, e.StartedAt.UTC(), e.seconds(), e.SizeBytes, e.Canceled, len(e.Metadata.Warnings)}
}

func (e *Execution) seconds() *float64 {
	if !e.Status.Ended() {
		return nil
	}
	s := e.Duration(e.StartedAt).Seconds()
	return &s
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
