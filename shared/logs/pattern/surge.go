package pattern

import (
	"math"
	"slices"
)

// A Surge says how a pattern's entries of an hour compare with those of the
// same hour on earlier days.
type Surge struct {
	Usual     float64 // the median of the earlier days
	Deviation float64 // the median of the absolute deviations from it
	Score     float64 // deviations above the median
	Surging   bool
	Known     bool // there were enough days to compare with
}

// What makes a surge.
const (
	surgeDays  = 3  // at least so many days to compare with
	surgeCount = 10 // at least so many entries
	surgeScore = 6
	surgeTimes = 2 // times the median
)

// Judge compares an hour's entries with those of the same hour on earlier days,
// of which a day without any is a zero. Median and median absolute deviation
// bear that up to half of the days were surges themselves. The deviation counts
// as at least what chance alone makes of independent events (the square root of
// their number), so that a pattern that never varied does not surge for one
// entry more.
func Judge(recent int64, earlier []int64) Surge {
	if len(earlier) < surgeDays {
		return Surge{}
	}
	values := make([]float64, len(earlier))
	for i, n := range earlier {
		values[i] = float64(n)
	}
	s := Surge{Usual: median(values), Known: true}
	for i, v := range values {
		values[i] = math.Abs(v - s.Usual)
	}
	s.Deviation = median(values)
	const normal = 1.4826 // makes it the standard deviation of what is normally distributed
	s.Score = (float64(recent) - s.Usual) / max(normal*s.Deviation, math.Sqrt(s.Usual), 1)
	s.Surging = recent >= surgeCount && s.Score >= surgeScore && float64(recent) >= surgeTimes*s.Usual
	return s
}

// median sorts values.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
