package schedule_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"guarda/shared/fault"
	"guarda/shared/schedule"
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func parse(t testing.TB, expression, zone string) *schedule.Cron {
	t.Helper()
	c, err := schedule.Parse(expression, zone)
	if err != nil {
		t.Fatalf("Parse(%q, %q): %v", expression, zone, err)
	}
	return c
}

func TestNextRuns(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, cron, zone, after, want string }{
		{"every day in a zone", "0 2 * * *", "America/Sao_Paulo", "2026-11-24T04:00:00Z", "2026-11-24T05:00:00Z 2026-11-25T05:00:00Z"},
		{"a run is after the moment, not at it", "0 2 * * *", "", "2026-11-24T02:00:00Z", "2026-11-25T02:00:00Z"},
		{"every six hours", "0 */6 * * *", "", "2026-11-24T00:00:01Z", "2026-11-24T06:00:00Z 2026-11-24T12:00:00Z 2026-11-24T18:00:00Z 2026-11-25T00:00:00Z"},
		{"names and lists", "30 9,18 * jan mon-fri", "", "2026-12-31T00:00:00Z", "2027-01-01T09:30:00Z 2027-01-01T18:30:00Z 2027-01-04T09:30:00Z"},
		{"either day field", "0 0 13 * 5", "", "2026-11-01T00:00:00Z", "2026-11-06T00:00:00Z 2026-11-13T00:00:00Z 2026-11-20T00:00:00Z"},
		{"the leap day over a century without one", "0 0 29 2 *", "", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"the clock jumps over the time: at the end of the jump", "30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z 2026-03-09T06:30:00Z"},
		{"several times in one jump are one run", "0,15,30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", "2026-03-08T07:00:00Z 2026-03-09T06:00:00Z"},
		{"the clock shows the time twice: the first of two", "30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z 2026-11-02T06:30:00Z"},
		{"an hourly schedule follows real time when the clock goes back", "30 * * * *", "America/New_York", "2026-11-01T04:45:00Z", "2026-11-01T05:30:00Z 2026-11-01T06:30:00Z 2026-11-01T07:30:00Z"},
		{"an hourly schedule follows real time when the clock jumps", "30 * * * *", "America/New_York", "2026-03-08T06:00:00Z", "2026-03-08T06:30:00Z 2026-03-08T07:30:00Z"},
		{"midnight that does not exist", "0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z"},
		{"the hour before midnight twice", "30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00:00Z", "2018-02-18T01:30:00Z 2018-02-19T02:30:00Z"},
		{"every minute of one weekday when midnight comes twice", "0 * * * 0", "America/Sao_Paulo", "2018-02-18T01:59:00Z", "2018-02-18T03:00:00Z 2018-02-18T04:00:00Z"},
		{"in Lisbon the clock jumps over one o'clock", "30 1 * * *", "Europe/Lisbon", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z"},
		{"in Lisbon one o'clock comes twice", "30 1 * * *", "Europe/Lisbon", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"},
		{"a change of half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z 2026-10-04T15:15:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := strings.Fields(tt.want)
			var got []string
			for _, run := range parse(t, tt.cron, tt.zone).NextN(at(t, tt.after), len(want)) {
				got = append(got, run.Format(time.RFC3339))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s in %s after %s:\n got %s\nwant %s", tt.cron, tt.zone, tt.after, got, want)
			}
		})
	}
}

func TestABadExpressionNamesTheFieldAndTheWayOut(t *testing.T) {
	t.Parallel()
	tests := []struct{ cron, message, hint string }{
		{"", "is empty", "five fields"},
		{"0 2 * *", "has 4", "five fields"},
		{"0 0 2 * * *", "has 6", "Quartz"},
		{"0 2 * * ? *", "has 6", "AWS"},
		{"cron(0 2 * * ? *)", "as AWS writes it", "cron(…)"},
		{"@daily", "nickname", `"0 0 * * *"`},
		{"@every 5m", "nickname", "five fields"},
		{"TZ=UTC 0 2 * * *", "setting", "timezone"},
		{"60 2 * * *", "field 1 ", "0-59"},
		{"0 24 * * *", "field 2 ", "0-23"},
		{"0 2 0 * *", "field 3 ", "1-31"},
		{"0 2 * 13 *", "field 4 ", "1-12"},
		{"0 2 * * 7", "field 5 ", "0 is Sunday"},
		{"0 2 L * *", "field 3 ", "L, W and #"},
		{"0 2 * * 5#2", "field 5 ", "L, W and #"},
		{"x 2 * * *", "field 1 ", "numbers"},
		{"*-5 2 * * *", "field 1 ", "ranges"},
		{"5-1 2 * * *", "field 1 ", "ranges"},
		{", 2 * * *", "field 1 ", "lists"},
		{"1,,2 2 * * *", "field 1 ", "lists"},
		{"*/0 2 * * *", "field 1 ", "steps"},
		{"0 2 30 2 *", "never runs", "day of month"},
		{"0 2 31 4,6,9,11 *", "never runs", "day of month"},
		{strings.Repeat("1,", 60) + "1 2 * * *", "may have 100", ""},
	}
	for _, tt := range tests {
		t.Run(tt.cron, func(t *testing.T) {
			t.Parallel()
			_, err := schedule.Parse(tt.cron, "UTC")
			if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), tt.message) || !strings.Contains(fault.HintOf(err), tt.hint) {
				t.Errorf("Parse(%q) = %v, hint %q; want %q and %q", tt.cron, err, fault.HintOf(err), tt.message, tt.hint)
			}
		})
	}
}

func TestAnUnknownTimeZoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Local", "America/Sao Paulo", "../etc/passwd", "BRT"} {
		if _, err := schedule.Parse("0 2 * * *", zone); fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.HintOf(err), "IANA") {
			t.Errorf("zone %q: %v", zone, err)
		}
	}
}

var zones = []string{"UTC", "America/Sao_Paulo", "America/New_York", "Europe/Lisbon", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Asia/Gaza", "Pacific/Apia"}

func list(low, high int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 2).Draw(t, "star") == 0 {
			return "*"
		}
		set := map[int]bool{}
		var parts []string
		for _, n := range rapid.SliceOfN(rapid.IntRange(low, high), 1, 4).Draw(t, "numbers") {
			if !set[n] {
				set[n] = true
				parts = append(parts, itoa(n))
			}
		}
		return strings.Join(parts, ",")
	})
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return string(rune('0'+n/10)) + string(rune('0'+n%10))
}

// TestNextIsTheFirstMatchingMinute compares with the plain definition, minute
// by minute of the zone's clock, around real changes of the clock.
func TestNextIsTheFirstMatchingMinute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		minute, hour := list(0, 59).Draw(t, "minute"), list(0, 23).Draw(t, "hour")
		c, err := schedule.Parse(minute+" "+hour+" * * *", zone)
		if err != nil {
			t.Fatal(err)
		}
		from := time.Unix(rapid.Int64Range(1_262_304_000, 1_893_456_000).Draw(t, "from"), 0)
		if start, end := from.In(loc).ZoneBounds(); rapid.Bool().Draw(t, "near a change") && !end.IsZero() && !start.IsZero() {
			from = end.Add(time.Duration(rapid.IntRange(-1500, 60).Draw(t, "minutes")) * time.Minute)
		}
		got := c.Next(from)
		if !got.After(from) {
			t.Fatalf("Next(%s) = %s is not after it", from, got)
		}
		if got.Second() != 0 {
			t.Fatalf("Next(%s) = %s is not a whole minute", from, got)
		}
		matches := func(at time.Time) bool {
			at = at.In(loc)
			return in(minute, at.Minute()) && in(hour, at.Hour())
		}
		// A match, or the end of a jump of the clock that leaps over a match.
		if !matches(got) {
			_, before := got.Add(-time.Minute).In(loc).Zone()
			_, after := got.In(loc).Zone()
			if after <= before {
				t.Fatalf("%s %s: %s does not match", minute, hour, got.In(loc))
			}
		}
		// Nothing that matches for the first time lies between.
		for at := from.Truncate(time.Minute).Add(time.Minute); at.Before(got); at = at.Add(time.Minute) {
			if matches(at) && !second(at, loc) {
				t.Fatalf("%s %s: Next(%s) = %s leaves out %s", minute, hour, from.In(loc), got.In(loc), at.In(loc))
			}
		}
	})
}

// second says that the zone's clock showed this time before.
func second(at time.Time, loc *time.Location) bool {
	start, _ := at.In(loc).ZoneBounds()
	if start.IsZero() {
		return false
	}
	_, before := start.Add(-time.Second).In(loc).Zone()
	_, now := at.In(loc).Zone()
	return before > now && at.Sub(start) < time.Duration(before-now)*time.Second
}

func in(field string, n int) bool {
	if field == "*" {
		return true
	}
	for part := range strings.SplitSeq(field, ",") {
		if part == itoa(n) {
			return true
		}
	}
	return false
}

func TestADailyScheduleRunsOnceOnEveryDay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones[:len(zones)-1]).Draw(t, "zone") // Apia left a whole day out
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		hour, minute := rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute")
		c, err := schedule.Parse(itoa(minute)+" "+itoa(hour)+" * * *", zone)
		if err != nil {
			t.Fatal(err)
		}
		year := rapid.IntRange(2010, 2037).Draw(t, "year")
		day := time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC)
		run := time.Date(year-1, 12, 31, 23, 59, 59, 0, loc)
		for ; day.Year() == year; day = day.AddDate(0, 0, 1) {
			run = c.Next(run)
			local := run.In(loc)
			if local.Day() != day.Day() || local.Month() != day.Month() {
				t.Fatalf("%02d:%02d in %s: the run of %s is at %s", hour, minute, zone, day.Format(time.DateOnly), local)
			}
		}
	})
}

func TestDue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, cron, next, now string
		catchUp               time.Duration
		run                   string
		missed                int
		then                  string
	}{
		{"not yet", "0 2 * * *", "2026-11-24T02:00:00Z", "2026-11-24T01:59:00Z", math.MaxInt64, "", 0, "2026-11-24T02:00:00Z"},
		{"on the minute", "0 2 * * *", "2026-11-24T02:00:00Z", "2026-11-24T02:00:00Z", math.MaxInt64, "2026-11-24T02:00:00Z", 0, "2026-11-25T02:00:00Z"},
		{"a tick late", "0 2 * * *", "2026-11-24T02:00:00Z", "2026-11-24T02:07:00Z", math.MaxInt64, "2026-11-24T02:00:00Z", 0, "2026-11-25T02:00:00Z"},
		{"only the latest of those missed", "0 2 * * *", "2026-11-20T02:00:00Z", "2026-11-24T09:00:00Z", math.MaxInt64, "2026-11-24T02:00:00Z", 4, "2026-11-25T02:00:00Z"},
		{"one missed long ago", "0 2 1 1 *", "2026-01-01T02:00:00Z", "2026-11-24T09:00:00Z", math.MaxInt64, "2026-01-01T02:00:00Z", 0, "2027-01-01T02:00:00Z"},
		{"every minute, left for years", "* * * * *", "2020-01-01T00:00:00Z", "2026-11-24T09:00:30Z", math.MaxInt64, "2026-11-24T09:00:00Z", 46079, "2026-11-24T09:01:00Z"},
		{"one missed, and too old", "0 2 1 1 *", "2026-01-01T02:00:00Z", "2026-11-24T09:00:00Z", 24 * time.Hour, "", 1, "2027-01-01T02:00:00Z"},
		{"one missed, and just young enough", "0 2 * * *", "2026-11-23T02:00:00Z", "2026-11-24T09:00:00Z", 7 * time.Hour, "2026-11-24T02:00:00Z", 1, "2026-11-25T02:00:00Z"},
		{"just switched on", "0 2 * * *", "", "2026-11-24T09:00:00Z", math.MaxInt64, "", 0, "2026-11-25T02:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var next, run time.Time
			if tt.next != "" {
				next = at(t, tt.next)
			}
			if tt.run != "" {
				run = at(t, tt.run)
			}
			got := parse(t, tt.cron, "").DueAt(next, at(t, tt.now), tt.catchUp)
			want := schedule.Due{Run: run, Missed: tt.missed, Next: at(t, tt.then)}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestHoweverTicksComeEachRunIsStartedOnceOrPassedOver: late, twice, after a
// gap, in any zone: what ticks start is in order, was due, is not older than
// allowed, and with what they pass over makes up every run there was.
func TestHoweverTicksComeEachRunIsStartedOnceOrPassedOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		c, err := schedule.Parse(list(0, 59).Draw(t, "minute")+" "+list(0, 23).Draw(t, "hour")+" * * *", zone)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Unix(rapid.Int64Range(1_262_304_000, 1_893_456_000).Draw(t, "begin"), 0).UTC().Truncate(time.Minute)
		catchUp := time.Duration(rapid.IntRange(0, 100).Draw(t, "hours")) * time.Hour
		next, now := c.Next(begin), begin
		var last time.Time
		seen := 0
		for range rapid.IntRange(1, 30).Draw(t, "ticks") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 1, 1, 2, 61, 1500, 9000}).Draw(t, "minutes")) * time.Minute)
			due := c.DueAt(next, now, catchUp)
			seen += due.Missed
			if !due.Run.IsZero() {
				seen++
				if due.Run.After(now) || now.Sub(due.Run) > catchUp || !due.Run.After(last) || due.Run.Before(next) {
					t.Fatalf("at %s, after %s, started the run of %s", now, last, due.Run)
				}
				last = due.Run
			}
			if !due.Next.After(now) {
				t.Fatalf("at %s the next run is %s", now, due.Next)
			}
			next = due.Next
		}
		want := 0
		for run := c.Next(begin); !run.After(now); run = c.Next(run) {
			want++
		}
		if seen != want {
			t.Fatalf("%d runs were started or passed over, and there were %d from %s to %s", seen, want, begin, now)
		}
	})
}

// FuzzParse looks for expressions that crash, hang or give times that are not
// whole minutes in the future.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"0 2 * * *", "*/5 * * * *", "0 0 29 2 *", "CRON_TZ= * * * *", "? ? ? ? ?", "1-5/2,7 * 1,15 jan-mar mon", "99999999999999999999 * * * *"} {
		f.Add(s, "America/Sao_Paulo", int64(1_763_942_400))
	}
	f.Fuzz(func(t *testing.T, expression, zone string, unix int64) {
		c, err := schedule.Parse(expression, zone)
		if err != nil {
			if fault.CodeOf(err) != fault.Invalid {
				t.Fatalf("Parse(%q, %q): %v", expression, zone, err)
			}
			return
		}
		from := time.Unix(unix%4_000_000_000, 0)
		for _, run := range c.NextN(from, 3) {
			if !run.After(from) || run.Unix()%60 != 0 && from.Year() > 1975 {
				t.Fatalf("%q in %q: %s after %s", expression, zone, run, from)
			}
			from = run
		}
	})
}
