package execution

import (
	"encoding/json"
	"time"
)

const (
	// Silence is how long a running run may give no sign of life: its process
	// gives one every two seconds, so after this long it is dead, or cut off
	// from Guarda's database, and another one may take the run up.
	Silence = 30 * time.Second
	// MaxResumes is how often a run is taken up again after it was cut off.
	MaxResumes = 10
	// MaxRunning is how many runs go at the same time. Each needs two of the
	// coordinator's concurrency while it passes from one process to the next.
	MaxRunning = 10
)

// Turn is one process's time with a run. Whatever a process writes names its
// leg, so that one which has lost the run, and does not know it, changes nothing.
type Turn struct {
	Leg     int // from 1
	Picture int
	Resumes int             // how often the run was taken up again, this time included
	Baton   json.RawMessage // what the process before left; nil when there is none
}

// Sign is what a process learns when it gives a sign of life.
type Sign int

// The signs.
const (
	Going   Sign = iota
	Stopped      // the run was canceled or has ended
	Passed       // another process has the run
)

// Standing is how a run stands, for the processes that work on it.
type Standing struct {
	Going    bool // running, and not told to stop
	Leg      int
	Picture  int
	Snapshot string // that the picture is seen through now; "" while nobody holds it
}

// Backoff is how long an interrupted run waits before it is taken up for the
// n-th time, from 1.
func Backoff(n int) time.Duration {
	const first, longest = 5 * time.Second, 10 * time.Minute
	return min(longest, first<<min(n-1, 10))
}

// Place is what the helping workers did that took turns in one place.
type Place struct {
	Name     string `json:"name"`
	Active   bool   `json:"active"`
	Starts   int    `json:"starts"` // processes that had the place
	Chunks   int    `json:"chunks"`
	Rows     int64  `json:"rows"`
	RawBytes int64  `json:"raw_bytes"`
}
