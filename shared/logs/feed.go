package logs

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"guarda/shared/fault"
)

// FeedCursor is a place in the order of arrival. Batches are numbered when they
// are written and seen when they are committed, which is not the same order: a
// number that is missing below a later one may still come, so the cursor keeps
// it. Text and ParseFeedCursor make it an event's id.
type FeedCursor struct {
	Done   int64     // every batch up to here was told, but for the gaps
	Gaps   []FeedGap // numbers below Done that were not seen yet
	Part   int64     // a batch that was told in part; 0: none
	Offset int       // how many of its entries
}

// FeedGap is a number that was not seen, and until when it is waited for.
type FeedGap struct {
	Seq   int64
	Until time.Time
}

// gapLife is how long a number is waited for: longer than a batch's transaction
// may take.
const gapLife = time.Minute

// maxGaps bounds a cursor, and MaxFeedCursor its text in bytes.
const (
	maxGaps       = 100
	MaxFeedCursor = 2100
)

// See notes the numbers that were read, in their order, at a moment.
func (c *FeedCursor) See(seqs []int64, now time.Time) {
	for _, seq := range seqs {
		for missing := max(c.Done+1, seq-maxGaps); missing < seq; missing++ {
			c.Gaps = append(c.Gaps, FeedGap{missing, now.Add(gapLife)})
		}
		c.Gaps = slices.DeleteFunc(c.Gaps, func(g FeedGap) bool { return g.Seq == seq || now.After(g.Until) })
		c.Done = max(c.Done, seq)
	}
	if n := len(c.Gaps) - maxGaps; n > 0 {
		c.Gaps = slices.Delete(c.Gaps, 0, n)
	}
}

// Forget moves the cursor past numbers that can no longer be had, up to last.
// It reports whether there were any.
func (c *FeedCursor) Forget(last int64) bool {
	if last <= c.Done {
		return false
	}
	*c = FeedCursor{Done: last}
	return true
}

// Missing returns the numbers that are waited for.
func (c *FeedCursor) Missing() []int64 {
	out := make([]int64, len(c.Gaps))
	for i, g := range c.Gaps {
		out[i] = g.Seq
	}
	return out
}

// Text writes the cursor: "done", with "!gap,gap" and "@part.offset" where it
// has them.
func (c *FeedCursor) Text() string {
	var b strings.Builder
	b.WriteString(strconv.FormatInt(c.Done, 10))
	for i, g := range c.Gaps {
		b.WriteByte("!,"[min(i, 1)])
		b.WriteString(strconv.FormatInt(g.Seq, 10))
	}
	if c.Part > 0 {
		b.WriteString("@" + strconv.FormatInt(c.Part, 10) + "." + strconv.Itoa(c.Offset))
	}
	return b.String()
}

// ParseFeedCursor reads what Text wrote; anything else is fault.Invalid.
func ParseFeedCursor(s string, now time.Time) (FeedCursor, error) {
	c, ok := parseFeedCursor(s, now)
	if !ok {
		return c, fault.New(fault.Invalid, "this is not the id of an event of this stream")
	}
	return c, nil
}

func parseFeedCursor(s string, now time.Time) (c FeedCursor, ok bool) {
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 || s[0] == '+' {
			ok = false
		}
		return n
	}
	ok = len(s) <= MaxFeedCursor
	rest, part, parted := strings.Cut(s, "@")
	done, gaps, gapped := strings.Cut(rest, "!")
	c.Done = number(done)
	if gapped {
		for g := range strings.SplitSeq(gaps, ",") {
			c.Gaps = append(c.Gaps, FeedGap{number(g), now.Add(gapLife)})
		}
	}
	if parted {
		seq, offset, _ := strings.Cut(part, ".")
		c.Part, c.Offset = number(seq), int(number(offset))
	}
	return c, ok && len(c.Gaps) <= maxGaps
}
