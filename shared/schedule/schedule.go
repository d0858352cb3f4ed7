package schedule

import (
	"math"
	"time"

	"guarda/shared/fault"
)

// Schedule is a schedule as it is kept.
type Schedule struct {
	ID            string
	Name          string
	Cron          string
	BackupType    string
	SourceID      *string // nil: the default source
	SourceName    *string // of the source it will run on; nil when there is none
	Configuration Configuration
	Active        bool
	LastTick      *time.Time // the last one that found it due; nil: none
	NextRun       *time.Time // the earliest run not started yet; nil when inactive or not computed yet
	Version       int64
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Configuration is the configuration column: what the specification names,
// and what was added.
type Configuration struct {
	Compression   *bool        `json:"compression,omitempty"` // nil is true
	CloudUpload   *bool        `json:"cloud_upload,omitempty"`
	Timezone      string       `json:"timezone,omitempty"` // "" is the deployment's default
	Tables        []string     `json:"tables,omitempty"`
	Exclude       []string     `json:"exclude,omitempty"`
	Retention     *Retention   `json:"retention,omitempty"`
	RetentionDays *int         `json:"retention_days,omitempty"`
	Encryption    *bool        `json:"encryption,omitempty"` // nil is true
	Incremental   *Incremental `json:"incremental,omitempty"`
	Overlap       Overlap      `json:"overlap,omitempty"`        // "" is skip
	CatchUpHours  *int         `json:"catch_up_hours,omitempty"` // how old a missed run may be to be started late; nil: however old
}

// Retention is what to keep; nothing given keeps everything.
type Retention struct {
	KeepLast       *int `json:"keep_last,omitempty"`
	KeepHourly     *int `json:"keep_hourly,omitempty"`
	KeepDaily      *int `json:"keep_daily,omitempty"`
	KeepWeekly     *int `json:"keep_weekly,omitempty"`
	KeepMonthly    *int `json:"keep_monthly,omitempty"`
	KeepYearly     *int `json:"keep_yearly,omitempty"`
	KeepWithinDays *int `json:"keep_within_days,omitempty"`
}

// Incremental says how an incremental backup finds what changed.
type Incremental struct {
	Strategy string            `json:"strategy,omitempty"` // "auto" or "timestamp"; "" is auto
	Columns  map[string]string `json:"columns,omitempty"`  // of strategy timestamp: the column by table
}

// The strategies.
const (
	auto      = "auto"
	timestamp = "timestamp"
)

// Timestamps returns the column by table that changes are followed by; nil
// when every table is compared.
func (i *Incremental) Timestamps() map[string]string {
	if i == nil || i.Strategy != timestamp {
		return nil
	}
	return i.Columns
}

// Check reports the fields that are wrong, each under the given prefix
// ("configuration.incremental.").
func (i *Incremental) Check(prefix string) []fault.Field {
	if i == nil {
		return nil
	}
	bad := fault.New(fault.Invalid, "some fields of the schedule are not valid")
	switch {
	case i.Strategy != "" && i.Strategy != auto && i.Strategy != timestamp:
		bad = bad.Field(prefix+"strategy", "unknown", "it must be one of: %s", auto+", "+timestamp)
	case i.Strategy == timestamp && len(i.Columns) == 0:
		bad = bad.Field(prefix+"columns", "required", "the strategy timestamp needs a column for each table that is followed by it")
	case i.Strategy != timestamp && len(i.Columns) > 0:
		bad = bad.Field(prefix+"columns", "contradiction", "only the strategy timestamp takes columns")
	}
	for table, column := range i.Columns {
		if table == "" || column == "" {
			bad = bad.Field(prefix+"columns", "invalid", "neither a table nor a column may be empty")
			break
		}
	}
	return bad.Fields
}

// Overlap says what happens when a run is due while the one before still goes.
type Overlap string

// The policies. Queue starts one run when the one before ends, however many
// were due meanwhile.
const (
	Skip  Overlap = "skip"
	Queue Overlap = "queue"
)

// MaxCatchUpHours is a year.
const MaxCatchUpHours = 366 * 24

// onTime is how late a run may start and still not be a missed one: ticks may
// be delayed, or fail once.
const onTime = 5 * time.Minute

// CatchUp is how late a run may be started at a moment. A run that ticks keep
// waiting for the one before is not late.
func (s *Schedule) CatchUp(now time.Time) time.Duration {
	hours := s.Configuration.CatchUpHours
	waits := s.Configuration.Overlap == Queue && s.LastTick != nil && s.NextRun != nil && !s.LastTick.Before(*s.NextRun) && now.Sub(*s.LastTick) <= onTime
	if hours == nil || waits {
		return math.MaxInt64
	}
	return max(onTime, time.Duration(*hours)*time.Hour)
}

// CronIn reads the schedule's expression in its zone, or in the given one.
func (s *Schedule) CronIn(defaultZone string) (*Cron, error) {
	zone := s.Configuration.Timezone
	if zone == "" {
		zone = defaultZone
	}
	return Parse(s.Cron, zone)
}

// CompressionName is what a run of this schedule is asked for; "" leaves the
// choice to the source.
func (c Configuration) CompressionName() string {
	if c.Compression != nil && !*c.Compression {
		return "none"
	}
	return ""
}

// Encrypted says whether runs are encrypted.
func (c Configuration) Encrypted() bool { return c.Encryption == nil || *c.Encryption }

// Check reports the fields of a configuration that are wrong, each under the
// given prefix ("configuration.").
func (c Configuration) Check(prefix string) []fault.Field {
	bad := fault.New(fault.Invalid, "some fields of the schedule are not valid")
	if c.RetentionDays != nil && *c.RetentionDays < 1 {
		bad = bad.Field(prefix+"retention_days", "out_of_range", "it must be at least 1")
	}
	if r := c.Retention; r != nil {
		if r.KeepLast != nil && *r.KeepLast < 1 {
			bad = bad.Field(prefix+"retention.keep_last", "out_of_range", "it must be at least 1")
		}
		for name, n := range map[string]*int{"keep_hourly": r.KeepHourly, "keep_daily": r.KeepDaily, "keep_weekly": r.KeepWeekly,
			"keep_monthly": r.KeepMonthly, "keep_yearly": r.KeepYearly, "keep_within_days": r.KeepWithinDays} {
			if n != nil && *n < 0 {
				bad = bad.Field(prefix+"retention."+name, "out_of_range", "it must not be negative")
			}
		}
	}
	bad.Fields = append(bad.Fields, c.Incremental.Check(prefix+"incremental.")...)
	if c.CatchUpHours != nil && (*c.CatchUpHours < 0 || *c.CatchUpHours > MaxCatchUpHours) {
		bad = bad.Field(prefix+"catch_up_hours", "out_of_range", "it must be from 0 to %d", MaxCatchUpHours)
	}
	if c.Overlap != "" && c.Overlap != Skip && c.Overlap != Queue {
		bad = bad.Field(prefix+"overlap", "unknown", "it must be one of: %s", "skip, queue")
	}
	return bad.Fields
}
