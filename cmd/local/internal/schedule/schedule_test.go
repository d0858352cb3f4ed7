package schedule_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"guarda/cmd/local/internal/schedule"
	"guarda/shared/clock"
)

func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expr, zone, after, want string }{
		{"rate(1 minute)", "", "2026-11-24T10:00:30Z", "2026-11-24T10:01:00Z"},
		{"rate(1 minute)", "", "2026-11-24T10:01:00Z", "2026-11-24T10:02:00Z"},
		{"rate(15 minutes)", "", "2026-11-24T10:01:00Z", "2026-11-24T10:15:00Z"},
		{"rate(6 hours)", "", "2026-11-24T23:59:59Z", "2026-11-25T00:00:00Z"},
		{"rate(1 day)", "", "2026-11-24T10:00:00Z", "2026-11-25T00:00:00Z"},
		{"at(2026-12-01T08:00:00)", "America/Sao_Paulo", "2026-11-24T10:00:00Z", "2026-12-01T11:00:00Z"},
		{"at(2026-12-01T08:00:00)", "", "2026-12-01T08:00:00Z", ""},
		{"cron(0 2 * * ? *)", "", "2026-11-24T02:00:00Z", "2026-11-25T02:00:00Z"},
		{"cron(0 2 * * ? *)", "America/Sao_Paulo", "2026-11-24T00:00:00Z", "2026-11-24T05:00:00Z"},
		{"cron(0/15 * * * ? *)", "", "2026-11-24T10:16:00Z", "2026-11-24T10:30:00Z"},
		{"cron(5,35 8-10 * * ? *)", "", "2026-11-24T10:35:00Z", "2026-11-25T08:05:00Z"},
		{"cron(0 12 ? * MON-FRI *)", "", "2026-11-27T12:00:00Z", "2026-11-30T12:00:00Z"},
		{"cron(0 12 ? * FRI-MON *)", "", "2026-11-23T12:00:00Z", "2026-11-27T12:00:00Z"},
		{"cron(0 12 ? * 1 *)", "", "2026-11-24T00:00:00Z", "2026-11-29T12:00:00Z"}, // 1 is Sunday
		{"cron(0 12 ? * 2#1 *)", "", "2026-11-24T00:00:00Z", "2026-12-07T12:00:00Z"},
		{"cron(0 12 ? * 6L *)", "", "2026-11-24T00:00:00Z", "2026-11-27T12:00:00Z"},
		{"cron(0 12 L * ? *)", "", "2027-02-01T00:00:00Z", "2027-02-28T12:00:00Z"},
		{"cron(0 12 LW * ? *)", "", "2027-02-01T00:00:00Z", "2027-02-26T12:00:00Z"},
		{"cron(0 12 1W * ? *)", "", "2026-07-31T13:00:00Z", "2026-08-03T12:00:00Z"},
		{"cron(0 12 15W * ? *)", "", "2026-11-01T00:00:00Z", "2026-11-16T12:00:00Z"},
		{"cron(0 0 29 2 ? *)", "", "2026-11-24T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"cron(0 0 1 JAN ? 2030)", "", "2026-11-24T00:00:00Z", "2030-01-01T00:00:00Z"},
		{"cron(0 0 1 1 ? 2020)", "", "2026-11-24T00:00:00Z", ""},
		{"cron(0 0 31 2 ? *)", "", "2026-11-24T00:00:00Z", ""},
		// New York jumps from 2:00 to 3:00 on 2027-03-14: 2:30 does not come.
		{"cron(30 2 * * ? *)", "America/New_York", "2027-03-13T12:00:00Z", "2027-03-15T06:30:00Z"},
		// and repeats 1:00 to 2:00 on 2027-11-07: 1:30 fires once.
		{"cron(30 1 * * ? *)", "America/New_York", "2027-11-06T12:00:00Z", "2027-11-07T05:30:00Z"},
		{"cron(30 1 * * ? *)", "America/New_York", "2027-11-07T05:30:00Z", "2027-11-08T06:30:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		e, err := schedule.Parse(c.expr, zone)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		after, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if next := e.Next(after); !next.IsZero() {
			got = next.Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s %s after %s: %q, want %q", c.expr, c.zone, c.after, got, c.want)
		}
	}
}

func TestMalformedExpressionsAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "* * * * *", "rate(1 minutes)", "rate(2 minute)", "rate(0 minutes)", "rate(1 week)", "rate(1)", "cron(* * * * *)", "cron(0 2 * * * *)",
		"cron(0 2 ? * ? *)", "cron(60 * * * ? *)", "cron(0 24 * * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 * 13 ? *)", "cron(0 0 ? * 8 *)", "cron(0 0 ? * 2#6 *)",
		"cron(0/0 * * * ? *)", "cron(a * * * ? *)", "cron(0 0 0W * ? *)", "at(2026-13-01T00:00:00)", "every(1 minute)", "rate(1 minute",
	} {
		if _, err := schedule.Parse(s, nil); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"rate(1 minute)", "cron(0/15 8-17 ? JAN-MAR MON#2 2026-2030)", "cron(0 0 LW * ? *)", "at(2026-12-01T08:00:00)", "cron(0 0 ? * 5L *)"} {
		f.Add(s)
	}
	begin := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		e, err := schedule.Parse(s, nil)
		if err != nil {
			return
		}
		if next := e.Next(begin); !next.IsZero() && !next.After(begin) {
			t.Errorf("%q: %s is not after %s", s, next, begin)
		}
	})
}

func TestTheSchedulersAttributesAreFilledIn(t *testing.T) {
	t.Parallel()
	var got []string
	r := schedule.Runner{Region: "r", AccountID: "a", Enqueue: func(_ string, p []byte) (string, error) { got = append(got, string(p)); return "", nil }}
	due := time.Date(2026, 11, 24, 10, 1, 0, 0, time.UTC)
	r.Fire(schedule.Entry{ARN: "arn:x", Scheduler: true, Input: `{"at":"<aws.scheduler.scheduled-time>","arn":"<aws.scheduler.schedule-arn>","id":"<aws.scheduler.execution-id>"}`}, due)
	r.Fire(schedule.Entry{ARN: "arn:x", Input: `{"at":"<aws.scheduler.scheduled-time>"}`}, due)
	r.Fire(schedule.Entry{ARN: "arn:x"}, due)
	if !strings.Contains(got[0], `"at":"2026-11-24T10:01:00Z","arn":"arn:x"`) || strings.Contains(got[0], "<") {
		t.Errorf("filled in: %s", got[0])
	}
	if !strings.Contains(got[1], "<aws.scheduler") {
		t.Errorf("a rule's input is changed: %s", got[1])
	}
	var event struct {
		Source string
		Time   time.Time
	}
	if err := json.Unmarshal([]byte(got[2]), &event); err != nil || event.Source != "aws.events" || !event.Time.Equal(due) {
		t.Errorf("default event: %s (%v)", got[2], err)
	}
}

func TestTheRunnerFiresOnceForWhatIsDue(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 24, 10, 0, 30, 0, time.UTC)
	now := clock.At(begin)
	var mu sync.Mutex
	var fired []string
	expr, err := schedule.Parse("rate(1 minute)", nil)
	if err != nil {
		t.Fatal(err)
	}
	r := schedule.Runner{Clock: now, Enqueue: func(_ string, p []byte) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		fired = append(fired, string(p))
		return "", nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx, []schedule.Entry{{Function: "f", Expression: expr, Scheduler: true, Input: `"<aws.scheduler.scheduled-time>"`}})
	}()
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(fired)
	}
	waitFor := func(n int) {
		t.Helper()
		for end := time.Now().Add(time.Minute); count() < n; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("fired %d times, want %d", count(), n)
			}
		}
	}
	time.Sleep(300 * time.Millisecond)
	if count() != 0 {
		t.Error("it fired before the next boundary")
	}
	now.Set(begin.Add(30 * time.Second))
	waitFor(1)
	now.Set(begin.Add(time.Hour)) // the machine slept
	waitFor(2)
	time.Sleep(300 * time.Millisecond)
	cancel()
	<-done
	if len(fired) != 2 || fired[0] != `"2026-11-24T10:01:00Z"` || fired[1] != `"2026-11-24T11:00:00Z"` {
		t.Errorf("fired %v", fired)
	}
}
