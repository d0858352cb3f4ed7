package pattern_test

import (
	"testing"

	"guarda/shared/logs/pattern"
)

func TestSurgesStandOutOfTheSameHoursOfEarlierDays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		recent  int64
		earlier []int64
		surging bool
		known   bool
	}{
		"too few days to tell":                   {1000, []int64{1, 2}, false, false},
		"as on other days":                       {100, []int64{90, 110, 100, 95, 105}, false, true},
		"ten times as many":                      {1000, []int64{90, 110, 100, 95, 105}, true, true},
		"one more where none ever varied":        {6, []int64{5, 5, 5, 5, 5}, false, true},
		"few, though there were none":            {9, []int64{0, 0, 0, 0}, false, true},
		"many, where there were none":            {50, []int64{0, 0, 0, 0}, true, true},
		"far off, but not twice as many":         {15000, []int64{10000, 10001, 9999, 10000}, false, true},
		"twice as many, but days differ as much": {200, []int64{100, 20, 300, 90, 150, 10}, false, true},
		"an earlier surge hides none":            {1000, []int64{100, 5000, 95, 105, 4000}, true, true},
		"fewer than usual":                       {0, []int64{100, 100, 100}, false, true},
	} {
		if s := pattern.Judge(c.recent, c.earlier); s.Surging != c.surging || s.Known != c.known {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := pattern.Judge(10, []int64{4, 1, 3, 2}); s.Usual != 2.5 || s.Deviation != 1 {
		t.Errorf("median and deviation: %+v", s)
	}
}
