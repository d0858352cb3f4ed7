package cold

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"guarda/shared/blob"
	"guarda/shared/blob/blobfault"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/logs"
)

func TestAQueryNeedsItsWords(t *testing.T) {
	t.Parallel()
	there := map[string]bool{"a": true, "b c": true, "o'x": true, `q\`: true}
	for query, want := range map[string]bool{
		`'a'`: true, `'z'`: false, `'a' & 'z'`: false, `'a' | 'z'`: true, `'z' | 'y'`: false, `!'a'`: true, `'a' & !'z'`: true, `'z' & !'a'`: false,
		`'a' <-> 'z'`: false, `'a' <3> 'b c'`: true, `( 'a' | 'z' ) & 'b c'`: true, `( 'z' | 'y' ) & 'a'`: false, `!( 'z' & 'y' )`: true,
		`'o''x'`: true, `'o''y'`: false, `'q\\'`: true, `'a' & 'z' | 'b c'`: true,
		// What cannot be read is left to Postgres.
		``: true, `'z':*`: true, `'z`: true, `z`: true, `'z' 'y'`: true, `( 'z'`: true, `'z' <x> 'y'`: true, strings.Repeat("(", 1000): true,
	} {
		if got := needs(query, func(w string) bool { return there[w] }); got != want {
			t.Errorf("%s: %v", query, got)
		}
	}
}

func FuzzNeeds(f *testing.F) {
	for _, s := range []string{`'a' & !'b' | ( 'c' <2> 'd' )`, `'o''x' <-> 'q\\'`, `!!'a'`, `((`, `'`, `<`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		// With every word there, nothing may be skipped.
		if !needs(query, func(string) bool { return true }) {
			t.Errorf("%q", query)
		}
		needs(query, func(string) bool { return false })
	})
}

func FuzzIndex(f *testing.F) {
	x := index{indexHeader: indexHeader{Format: 1, Words: logs.TextSearch{Config: "simple"}}}
	x.add(group{Rows: 2, Low: 1, High: 5, Offset: 4, Length: 10, Levels: []logs.Level{"info"}}, filterOf(map[string]struct{}{"a": {}}), filterOf(nil))
	whole, header, err := x.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[:header], int64(len(whole)))
	f.Add([]byte(indexMagic), int64(8))
	f.Fuzz(func(t *testing.T, raw []byte, size int64) {
		h, err := decodeHeader(raw, size, 100)
		if err != nil {
			return
		}
		body := make([]byte, max(0, min(size-int64(len(raw)), 1<<20)))
		for _, spans := range [][]span{spansOf(h, true), spansOf(h, false)} {
			_, _ = filtersOf(spans, 0, body)
		}
	})
}

func spansOf(h *indexHeader, words bool) []span {
	out := make([]span, len(h.Groups))
	for i, g := range h.Groups {
		if out[i] = g.Key; words {
			out[i] = g.Word
		}
	}
	return out
}

// segments writes rows as segments, a few row groups each.
func segments(t *testing.T, blobs blob.Store, r *rand.Rand, n int) (segs []*logs.Segment, all []logs.Archived) {
	t.Helper()
	lexer := func(_ context.Context, _ logs.TextSearch, messages []string) ([]string, error) {
		return strings.Fields(strings.Join(messages, " ")), nil
	}
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for range n {
		seg := &logs.Segment{ID: uuid.New(), Day: day, Words: logs.TextSearch{Config: "simple"}}
		seg.Path = pathOf(day, seg.ID)
		rows := make([]logs.Archived, 50+r.IntN(300))
		for i := range rows {
			a := &rows[i]
			a.At, a.ID = day.UnixMicro()+r.Int64N(200)*1_000_000, uuid.New()
			a.Level, a.Source, a.Message = logs.Levels()[r.IntN(5)], string('a'+rune(r.IntN(3))), fmt.Sprintf("w%d x", r.IntN(50))
			if r.IntN(3) == 0 {
				a.Metadata = fmt.Appendf(nil, `{"n": %d, "s": "t"}`, r.IntN(20))
				a.User = uuid.NullUUID{UUID: uuid.UUID{byte(r.IntN(9))}, Valid: true}
				s := fmt.Sprint("s", r.IntN(4))
				a.Session = &s
			}
		}
		slices.SortFunc(rows, func(a, b logs.Archived) int { return a.Compare(&b) })
		w := newWriter(t.Context(), blobs, lexer, seg)
		for chunk := range slices.Chunk(rows, 40) {
			if err := w.add(t.Context(), chunk); err != nil {
				t.Fatal(err)
			}
			if err := w.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.close(t.Context()); err != nil {
			t.Fatal(err)
		}
		segs, all = append(segs, seg), append(all, rows...)
	}
	return segs, all
}

// Every walk hands on just the rows that are asked for, in order, whatever
// overlaps, and each batch completes the stretch that it says.
func TestAWalkHandsOnWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 1))
		blobs := memory.New()
		segs, all := segments(t, blobs, r, 4)
		reader := &Reader{Open: func(context.Context) (blob.Store, error) { return blobs, nil }}
		for n := range 40 {
			low := time.UnixMicro(all[r.IntN(len(all))].At).UTC()
			w := &logs.Wanted{Low: low, High: low.Add(time.Duration(r.IntN(150)) * time.Second), OldestTop: n%2 == 0}
			word := ""
			switch n % 5 {
			case 0:
				w.Levels, w.Sources = []logs.Level{logs.Error}, []string{"b"}
			case 1:
				w.User = uuid.NullUUID{UUID: uuid.UUID{3}, Valid: true}
			case 2:
				w.Session = "s2"
			case 3:
				word = fmt.Sprintf("w%d", r.IntN(60))
				w.Words, w.Search = "'"+word+"'", logs.TextSearch{Config: "simple"}
			case 4:
				w.Members = [][]string{{logs.Member("\x00n", []byte("null")), logs.MemberNames([]byte(`{"n":7.0}`))[0]}}
			}
			match := func(a *logs.Archived) bool {
				return w.Takes(a) && (word == "" || strings.HasPrefix(a.Message, word+" ")) && (w.Members == nil || strings.Contains(string(a.Metadata), `"n": 7,`))
			}
			var want, got []logs.Archived
			for i := range all {
				if match(&all[i]) {
					want = append(want, all[i])
				}
			}
			slices.SortFunc(want, func(a, b logs.Archived) int {
				if w.OldestTop {
					return a.Compare(&b)
				}
				return b.Compare(&a)
			})
			at := w.High
			if w.OldestTop {
				at = w.Low
			}
			err := reader.Walk(t.Context(), segs, w, func(rows []logs.Archived, to time.Time) (bool, error) {
				for i := range rows {
					a := rows[i].CreatedAt()
					if w.OldestTop && (a.Before(at) || !a.Before(to)) || !w.OldestTop && (a.Before(to) || !a.Before(at)) {
						t.Errorf("a row of %v in the stretch from %v to %v", a, at, to)
					}
					if match(&rows[i]) {
						got = append(got, rows[i])
					}
				}
				at = to
				return true, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) || !slices.EqualFunc(got, want, func(a, b logs.Archived) bool { return a.ID == b.ID && a.Fingerprint() == b.Fingerprint() }) {
				t.Fatalf("seed %d, %d: %d rows instead of %d", seed, n, len(got), len(want))
			}
			if end := map[bool]time.Time{true: w.High, false: w.Low}[w.OldestTop]; !at.Equal(end) {
				t.Errorf("it ended at %v", at)
			}
		}
	}
}

// A bit that the store flips is noticed, wherever it is; nothing panics.
func TestDamageIsNoticed(t *testing.T) {
	t.Parallel()
	blobs := memory.New()
	segs, _ := segments(t, blobs, rand.New(rand.NewPCG(3, 3)), 1)
	seg := segs[0]
	w := &logs.Wanted{Low: seg.Low, High: seg.High.Add(1), Words: "'w1'", Search: seg.Words, Session: "s1"}
	walk := func(blobs blob.Store) (n int, err error) {
		reader := &Reader{Open: func(context.Context) (blob.Store, error) { return blobs, nil }}
		err = reader.Walk(t.Context(), segs, w, func(rows []logs.Archived, _ time.Time) (bool, error) {
			n += len(rows)
			return true, nil
		})
		return n, err
	}
	clean, err := walk(blobs)
	if err != nil || clean == 0 {
		t.Fatal(clean, err)
	}
	for _, part := range []string{".index", ".parquet"} {
		for skip := range 3 {
			for at := int64(0); at < 600; at += 13 {
				broken := blobfault.New(noTest{t}, blobs, blobfault.Fault{On: blobfault.Get, Key: part, Skip: skip, AfterBytes: at, Flip: true})
				n, err := walk(broken)
				if err == nil && n != clean || err != nil && fault.CodeOf(err) != fault.Corrupt && fault.CodeOf(err) != fault.Invalid {
					t.Errorf("%s, read %d, byte %d: %d rows, %v", part, skip, at, n, err)
				}
			}
		}
	}
}

// noTest does not fail for faults that did not happen: not every read has so
// many bytes.
type noTest struct{ *testing.T }

func (noTest) Cleanup(func()) {}

// What a filter of keys may be asked for is in it: members of objects and of
// lists, and numbers however they are written.
func TestMembersOfMetadataHaveNames(t *testing.T) {
	t.Parallel()
	got := logs.MemberNames([]byte(`{"a": {"b": [1.50, {"c": null}], "d": true}, "e": "1", "f": -0}`))
	slices.Sort(got)
	want := []string{"\x00a\x00b\x00\x00#1.5", "\x00a\x00b\x00c\x00\x00null", "\x00a\x00d\x00\x00true", "\x00e\x00\x00\"1", "\x00f\x00\x00#0"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
