// Package schedule says when backups are due: cron expressions in a time
// zone, the runs they name, and what each minute's tick has to start.
package schedule

import (
	"math/bits"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // Lambda's base image has no time zones

	"github.com/robfig/cron/v3"

	"guarda/shared/fault"
)

// MaxExpression is the longest expression, in bytes: the column's width.
const MaxExpression = 100

// horizon bounds the search for a next run, in days. 29 February comes after
// eight years at most (1896 to 1904), so nothing later exists.
const horizon = 9 * 366

// Cron is a cron expression of five fields (minute, hour, day of month,
// month, day of week) in a time zone. When both day fields are restricted a
// day that matches either is a match, as in every cron since Version 7.
//
// Around changes of the clock it does what people mean, which is what Vixie
// cron does: an expression that names hours runs once for each time it names,
// at the end of the gap when the clock jumps over it and at the first of two
// when the clock goes back; an expression for every hour follows real time.
//
// A Cron is immutable and safe for concurrent use.
type Cron struct {
	expression string
	zone       *time.Location
	spec       *cron.SpecSchedule // sets of bits; its own Next is not used
	everyHour  bool
}

// fieldRanges are part of messages in every language.
var fieldRanges = [5]string{"0-59", "0-23", "1-31", "1-12, jan-dec", "0-6, sun-sat"}

// element is one element of a field's list. It is stricter than the parser,
// which reads "*-5" as "*".
var element = regexp.MustCompile(`^(?i:([*?])|([0-9]{1,2}|[a-z]{3})(-([0-9]{1,2}|[a-z]{3}))?)(/[0-9]{1,2})?$`)

var fieldParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// descriptors are the nicknames of other crons, and what to write instead.
var descriptors = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

// Parse reads an expression. zone is an IANA name, "" is UTC. Errors are
// fault.Invalid and say which field is wrong and what it may hold; an
// expression that no day ever matches is an error too.
func Parse(expression, zone string) (*Cron, error) {
	loc, err := Zone(zone)
	if err != nil {
		return nil, err
	}
	if len(expression) > MaxExpression {
		return nil, fault.New(fault.Invalid, "the schedule has %d characters, and may have %d", len(expression), MaxExpression)
	}
	fields := strings.Fields(expression)
	if err := checkShape(expression, fields); err != nil {
		return nil, err
	}
	for i, f := range fields {
		if err := checkField(i, f); err != nil {
			return nil, err
		}
	}
	parsed, err := fieldParser.Parse(strings.Join(fields, " "))
	spec, ok := parsed.(*cron.SpecSchedule)
	if err != nil || !ok {
		return nil, fault.New(fault.Invalid, "the schedule %q cannot be read", expression).Because(err)
	}
	c := &Cron{expression: strings.Join(fields, " "), zone: loc, spec: spec}
	c.everyHour = bits.OnesCount64(spec.Hour<<40) == 24
	// 1 January 2000 begins the densest stretch of leap years there is.
	if c.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fault.New(fault.Invalid, "the schedule %q never runs: no month named in it has the day %s", expression, fields[2]).
			Hint("choose a day of month that the month has")
	}
	return c, nil
}

func checkShape(expression string, fields []string) error {
	switch {
	case len(fields) == 0:
		return fiveFields(fault.New(fault.Invalid, "the schedule is empty"))
	case strings.HasPrefix(fields[0], "@"):
		if instead, ok := descriptors[strings.ToLower(fields[0])]; ok && len(fields) == 1 {
			return fault.New(fault.Invalid, "the schedule %q is a nickname, and those are not supported", expression).
				Hint("write %q, which means the same", instead)
		}
		return fiveFields(fault.New(fault.Invalid, "the schedule %q is a nickname, and those are not supported", expression))
	case strings.ContainsAny(expression, "()"):
		return fault.New(fault.Invalid, "the schedule %q is written as AWS writes it", expression).
			Hint("leave cron(…) or rate(…) away and write five fields, without the year")
	case strings.Contains(expression, "="):
		return fault.New(fault.Invalid, "the schedule %q has a setting in it", expression).
			Hint("give the time zone as timezone, not inside of the schedule")
	case len(fields) == 6:
		return fault.New(fault.Invalid, "the schedule %q has 6 fields, and must have 5", expression).
			Hint("an AWS expression has the year as its last field: drop it; a Quartz expression has seconds as its first: drop those")
	case len(fields) != 5:
		return fiveFields(fault.New(fault.Invalid, "the schedule %q must have 5 fields, and has %d", expression, len(fields)))
	}
	return nil
}

func fiveFields(err *fault.Error) error {
	return err.Hint("write five fields: minute hour day-of-month month day-of-week, like \"0 2 * * *\" for every day at 02:00")
}

// checkField looks at one field. The parser does not say which field it
// stumbled over, so each is tried among stars.
func checkField(i int, field string) error {
	for part := range strings.SplitSeq(field, ",") {
		if element.MatchString(part) {
			continue
		}
		err := fault.New(fault.Invalid, "field %d of the schedule, %q, cannot be read", i+1, field)
		if strings.ContainsAny(strings.ToUpper(part), "LW#") && i != 3 {
			return err.Hint("the marks L, W and # of other crons are not supported")
		}
		return err.Hint("the fields are minute, hour, day of month, month, day of week (0 is Sunday); this one takes numbers (%s), lists (1,2), ranges (1-5), steps (*/5) and *", fieldRanges[i])
	}
	all := []string{"*", "*", "*", "*", "*"}
	all[i] = field
	if _, err := fieldParser.Parse(strings.Join(all, " ")); err != nil {
		return fault.New(fault.Invalid, "field %d of the schedule, %q, is out of range", i+1, field).
			Hint("the fields are minute, hour, day of month, month, day of week (0 is Sunday); this one takes numbers (%s), lists (1,2), ranges (1-5), steps (*/5) and *", fieldRanges[i]).Because(err)
	}
	return nil
}

// Zone reads an IANA time zone name; "" is UTC.
func Zone(name string) (*time.Location, error) {
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fault.New(fault.Invalid, "the time zone %q is not known", name).
			Hint("use a name of the IANA list, like America/Sao_Paulo or UTC")
	}
	return loc, nil
}

// String returns the expression, its fields separated by single spaces.
func (c *Cron) String() string { return c.expression }

// Next returns the first run after t, in UTC; zero when there is none.
func (c *Cron) Next(t time.Time) time.Time {
	if c.everyHour {
		return c.nextReal(t)
	}
	year, month, day := t.In(c.zone).Date()
	// A run of the day before can lie after t: at the end of a gap at midnight.
	for d := -1; d < horizon; d++ {
		noon := time.Date(year, month, day+d, 12, 0, 0, 0, time.UTC)
		if !c.dayMatches(noon) {
			continue
		}
		for hour := range 24 {
			if c.spec.Hour&(1<<hour) == 0 {
				continue
			}
			for minute := range 60 {
				if c.spec.Minute&(1<<minute) == 0 {
					continue
				}
				if at := c.instant(noon.Year(), noon.Month(), noon.Day(), hour, minute); at.After(t) {
					return at
				}
			}
		}
	}
	return time.Time{}
}

// nextReal is Next for expressions of every hour: minute by minute of real
// time, days that do not match at one stride.
func (c *Cron) nextReal(t time.Time) time.Time {
	at := t.Truncate(time.Minute).Add(time.Minute).In(c.zone)
	for days := 0; days < horizon; {
		if !c.dayMatches(at) {
			days++
			start := c.instant(at.Year(), at.Month(), at.Day()+1, 0, 0).In(c.zone)
			if !start.After(at) { // the clock went back over midnight
				start = at.Add(time.Minute)
			}
			at = start
			continue
		}
		if c.spec.Minute&(1<<at.Minute()) != 0 {
			return at.UTC()
		}
		at = at.Add(time.Minute)
	}
	return time.Time{}
}

// NextN returns the first n runs after t, or fewer when there are not so many.
func (c *Cron) NextN(t time.Time, n int) []time.Time {
	runs := make([]time.Time, 0, n)
	for range n {
		if t = c.Next(t); t.IsZero() {
			break
		}
		runs = append(runs, t)
	}
	return runs
}

const star = 1 << 63 // set by the parser in a field that is * or ?

func (c *Cron) dayMatches(t time.Time) bool {
	if c.spec.Month&(1<<uint(t.Month())) == 0 {
		return false
	}
	dom := c.spec.Dom&(1<<uint(t.Day())) != 0
	dow := c.spec.Dow&(1<<uint(t.Weekday())) != 0
	if c.spec.Dom&star != 0 || c.spec.Dow&star != 0 {
		return dom && dow
	}
	return dom || dow
}

// instant returns when the zone's clock shows a time: the first of two, or,
// for a time that the clock jumps over, the end of the jump.
func (c *Cron) instant(year int, month time.Month, day, hour, minute int) time.Time {
	wall := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	// The offsets on either side of a change that may be near. The one before
	// a change back is the larger one, so it gives the first of two.
	var first time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(c.zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		if _, o := at.In(c.zone).Zone(); o == offset {
			return at
		}
		if first.IsZero() {
			first = at
		}
	}
	jump, _ := first.In(c.zone).ZoneBounds()
	return jump.UTC()
}
