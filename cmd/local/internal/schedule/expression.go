// Package schedule says when the schedules of a template fire, and fires them.
//
// Source: "Schedule types in EventBridge Scheduler" and "Using cron and rate
// expressions" in the EventBridge user guides.
package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Expression is a parsed rate(…), cron(…) or at(…).
type Expression struct {
	every time.Duration // rate
	once  time.Time     // at
	cron  *cron
	zone  *time.Location
}

// Parse reads an expression. zone is where its times are meant; nil is UTC.
func Parse(s string, zone *time.Location) (*Expression, error) {
	if zone == nil {
		zone = time.UTC
	}
	kind, rest, ok := strings.Cut(s, "(")
	inside, end := strings.CutSuffix(rest, ")")
	if !ok || !end {
		return nil, fmt.Errorf("schedule %q must be rate(…), cron(…) or at(…)", s)
	}
	e := &Expression{zone: zone}
	var err error
	switch kind {
	case "rate":
		e.every, err = parseRate(inside)
	case "cron":
		e.cron, err = parseCron(inside)
	case "at":
		e.once, err = time.ParseInLocation("2006-01-02T15:04:05", inside, zone)
	default:
		err = fmt.Errorf("unknown kind %q", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", s, err)
	}
	return e, nil
}

func parseRate(s string) (time.Duration, error) {
	fields := strings.Fields(s)
	if len(fields) != 2 {
		return 0, fmt.Errorf("a rate is a number and a unit")
	}
	n, err := strconv.Atoi(fields[0])
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, fmt.Errorf("%q is no whole number from 1", fields[0])
	}
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[strings.TrimSuffix(fields[1], "s")]
	if unit == 0 || (n == 1) == strings.HasSuffix(fields[1], "s") {
		return 0, fmt.Errorf("the unit is minute, hour or day, with an s exactly when the number is not 1")
	}
	return time.Duration(n) * unit, nil
}

// Next returns the first time after t that the expression names, in UTC; the
// zero time when there is none. Rates are counted from the Unix epoch, so that
// they fall on whole minutes, hours and days.
func (e *Expression) Next(t time.Time) time.Time {
	switch {
	case e.every > 0:
		return t.UTC().Truncate(time.Second).Add(-time.Duration(t.Unix()%int64(e.every/time.Second)) * time.Second).Add(e.every)
	case e.cron != nil:
		return e.cron.next(t, e.zone)
	case e.once.After(t):
		return e.once.UTC()
	}
	return time.Time{}
}

// cron is AWS's six fields: minutes, hours, day of month, month, day of week,
// year; one of the two days is "?".
type cron struct {
	minutes, hours, months, years []bool
	day                           func(time.Time) bool
}

const firstYear, lastYear = 1970, 2199

var monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
var dayNames = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

func parseCron(s string) (*cron, error) {
	f := strings.Fields(s)
	if len(f) != 6 {
		return nil, fmt.Errorf("cron has six fields (minutes hours day-of-month month day-of-week year), not %d", len(f))
	}
	c := &cron{}
	var err error
	if c.minutes, err = parseField("minutes", f[0], 0, 59, nil); err != nil {
		return nil, err
	}
	if c.hours, err = parseField("hours", f[1], 0, 23, nil); err != nil {
		return nil, err
	}
	if c.months, err = parseField("month", f[3], 1, 12, monthNames); err != nil {
		return nil, err
	}
	if c.years, err = parseField("year", f[5], firstYear, lastYear, nil); err != nil {
		return nil, err
	}
	if (f[2] == "?") == (f[4] == "?") {
		return nil, fmt.Errorf("exactly one of day-of-month and day-of-week is ?")
	}
	if f[4] == "?" {
		c.day, err = parseMonthDay(f[2])
	} else {
		c.day, err = parseWeekDay(f[4])
	}
	return c, err
}

// parseField reads numbers, ranges, lists and steps into a table from 0 to high.
func parseField(name, s string, low, high int, names []string) ([]bool, error) {
	set := make([]bool, high+1)
	number := func(s string) (int, error) {
		if i := slices.Index(names, strings.ToUpper(s)); i >= 0 {
			return i + low, nil
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("%s: %q must be from %d to %d", name, s, low, high)
		}
		return n, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			n, err := strconv.Atoi(stepText)
			if err != nil || n < 1 || n > high {
				return nil, fmt.Errorf("%s: %q is no step", name, stepText)
			}
			step = n
		}
		from, to := low, high
		if span != "*" {
			first, last, ranged := strings.Cut(span, "-")
			var err error
			if from, err = number(first); err != nil {
				return nil, err
			}
			switch {
			case ranged:
				if to, err = number(last); err != nil {
					return nil, err
				}
			case !stepped:
				to = from
			}
		}
		if from > to { // FRI-MON, 22-2: around the end
			for n := from; n <= high; n += step {
				set[n] = true
			}
			from = low
		}
		for n := from; n <= to; n += step {
			set[n] = true
		}
	}
	return set, nil
}

func lastDay(t time.Time) int { return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }

func parseMonthDay(s string) (func(time.Time) bool, error) {
	switch {
	case s == "L":
		return func(t time.Time) bool { return t.Day() == lastDay(t) }, nil
	case s == "LW":
		return func(t time.Time) bool { return t.Day() == nearestWeekday(t, lastDay(t)) }, nil
	case strings.HasSuffix(s, "W"):
		n, err := strconv.Atoi(strings.TrimSuffix(s, "W"))
		if err != nil || n < 1 || n > 31 {
			return nil, fmt.Errorf("day-of-month: %q is no weekday near a day", s)
		}
		return func(t time.Time) bool { return n <= lastDay(t) && t.Day() == nearestWeekday(t, n) }, nil
	}
	set, err := parseField("day-of-month", s, 1, 31, nil)
	return func(t time.Time) bool { return set[t.Day()] }, err
}

// nearestWeekday is the day from Monday to Friday that is nearest to a day of
// t's month, within that month.
func nearestWeekday(t time.Time, day int) int {
	switch time.Date(t.Year(), t.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == lastDay(t) {
			return day - 2
		}
		return day + 1
	}
	return day
}

func parseWeekDay(s string) (func(time.Time) bool, error) {
	one := func(s string) (time.Weekday, error) {
		set, err := parseField("day-of-week", s, 1, 7, dayNames)
		return time.Weekday(slices.Index(set, true) - 1), err
	}
	if s == "L" {
		return func(t time.Time) bool { return t.Weekday() == time.Saturday }, nil
	}
	if name, ok := strings.CutSuffix(s, "L"); ok {
		day, err := one(name)
		return func(t time.Time) bool { return t.Weekday() == day && t.Day()+7 > lastDay(t) }, err
	}
	if name, nth, ok := strings.Cut(s, "#"); ok {
		n, err := strconv.Atoi(nth)
		if err != nil || n < 1 || n > 5 {
			return nil, fmt.Errorf("day-of-week: %q is none of the first to fifth", nth)
		}
		day, err := one(name)
		return func(t time.Time) bool { return t.Weekday() == day && (t.Day()-1)/7+1 == n }, err
	}
	set, err := parseField("day-of-week", s, 1, 7, dayNames)
	return func(t time.Time) bool { return set[int(t.Weekday())+1] }, err
}

// next walks the days, then the minutes of a day. A time that the clock of the
// zone jumps over does not come; one that comes twice fires the first time.
func (c *cron) next(after time.Time, zone *time.Location) time.Time {
	local := after.In(zone)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	for ; day.Year() <= lastYear; day = day.AddDate(0, 0, 1) {
		if !c.years[day.Year()] {
			day = time.Date(day.Year(), 12, 31, 0, 0, 0, 0, time.UTC)
			continue
		}
		if !c.months[day.Month()] {
			day = time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC)
			continue
		}
		if !c.day(day) {
			continue
		}
		for hour, on := range c.hours {
			if !on {
				continue
			}
			for minute, on := range c.minutes {
				if !on {
					continue
				}
				t := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, zone)
				if t.Hour() == hour && t.Minute() == minute && t.After(after) {
					return t.UTC()
				}
			}
		}
	}
	return time.Time{}
}
