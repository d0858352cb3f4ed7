package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/postgres"
)

type searchCase struct {
	name  string
	query string // of GET /api/logs/search
	plain string // condition of the specification's query
	deep  int    // pages before the one that is measured
}

func cases() []searchCase {
	term := func(t string) string {
		return "to_tsvector('portuguese', message) @@ plainto_tsquery('portuguese', '" + t + "')"
	}
	return []searchCase{
		{"absent word", "search_term=inexistente", term("inexistente"), 0},
		{"13 hits", "search_term=zebra", term("zebra"), 0},
		{"10 k hits", "search_term=girafa", term("girafa"), 0},
		{"200 k hits", "search_term=baleia", term("baleia"), 0},
		{"1 M hits", "search_term=conex%C3%A3o", term("conexão"), 0},
		{"only in the oldest day", "search_term=dinossauro", term("dinossauro"), 0},
		{"two frequent words", "search_term=conex%C3%A3o+servidor", term("conexão servidor"), 0},
		{"filters", "level=critical&source=service-7", "level = 'critical' and source = 'service-7'", 0},
		{"filters, nothing", "level=critical&source=service-none", "level = 'critical' and source = 'service-none'", 0},
		{"a source with 200 entries", "source=rare", "source = 'rare'", 0},
		{"a level and a source that hardly meet", "level=critical&source=rare", "level = 'critical' and source = 'rare'", 0},
		{"a user", "user_id=00000000-0000-4000-8000-000000000007", "user_id = '00000000-0000-4000-8000-000000000007'", 0},
		{"a session", "session_id=s7", "session_id = 's7'", 0},
		{"filters and a word", "level=error&source=service-9&search_term=girafa", "level = 'error' and source = 'service-9' and " + term("girafa"), 0},
		{"filters and a frequent word", "level=error&search_term=conex%C3%A3o", "level = 'error' and " + term("conexão"), 0},
		{"metadata", "metadata.host=ip-7&metadata.status=500", "metadata->>'host' = 'ip-7' and metadata->>'status' = '500'", 0},
		{"all", "", "true", 0},
		{"deep cursor page", "search_term=conex%C3%A3o", term("conexão"), 100},
	}
}

type page struct {
	TotalCount int64   `json:"total_count"`
	Relation   string  `json:"total_count_relation"`
	NextCursor *string `json:"next_cursor"`
	BackTo     *string `json:"searched_back_to"`
}

// searches measures GET /api/logs/search through the function, warm.
func (b *bench) searches() error {
	if b.rounds == 0 {
		return nil
	}
	f, err := b.start("logs-search", b.url)
	if err != nil {
		return err
	}
	defer f.stop()
	fmt.Printf("\n| search, 50 hits | hits | p50 ms | p95 ms | max ms | CPU ms | plain query ms | ratio to p95 |\n|---|---|---|---|---|---|---|---|\n")
	var slowest, slowestPlain, ratioThere float64
	for _, c := range cases() {
		query, err := url.ParseQuery(c.query)
		if err != nil {
			return err
		}
		var p page
		read := func() (time.Duration, error) {
			a, took, err := b.call(f, event(http.MethodGet, "/api/logs/search", query, nil))
			if err == nil {
				p = page{}
				err = json.Unmarshal([]byte(a.Body), &p)
			}
			if err == nil && p.BackTo != nil {
				err = errors.New("the time was up")
			}
			return took, err
		}
		for range c.deep {
			if _, err := read(); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			query.Set("cursor", *p.NextCursor)
		}
		before := b.spent(f)
		p50, p95, most, err := b.times(read)
		cpu := ms(b.spent(f)-before) / float64(b.rounds+warm)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		hits := fmt.Sprint(p.TotalCount)
		if p.Relation == "gte" {
			hits = "> " + hits
		}
		plain, ratio := "", ""
		if b.plain {
			d, whole, err := b.plainTime(c)
			if err != nil {
				return err
			}
			plain, ratio = fmt.Sprintf("%.0f", ms(d)), fmt.Sprintf("%.1f", ms(d)/p95)
			if !whole {
				plain, ratio = "> "+plain, "> "+ratio
			}
			if ms(d) > slowestPlain {
				slowestPlain, ratioThere = ms(d), ms(d)/p95
			}
		}
		slowest = max(slowest, p95)
		fmt.Printf("| %s | %s | %.1f | %.1f | %.1f | %.1f | %s | %s |\n", c.name, hits, p50, p95, most, cpu, plain, ratio)
	}
	fmt.Printf("\nthe slowest p95 is %.1f ms", slowest)
	if b.plain {
		fmt.Printf("; the plain query's worst case takes %.0f ms, %.0f times as long as the same search here and %.0f times as long as the slowest one here", slowestPlain, ratioThere, slowestPlain/slowest)
	}
	fmt.Print("\n\n")
	if err := b.bounded(f); err != nil {
		return err
	}
	return b.counts(f)
}

// bounded shows how the modes that look at every entry end when there is
// nothing to find: after their time, saying how far they got.
func (b *bench) bounded(f *function) error {
	for _, query := range []string{"mode=substring&search_term=inexistente", "mode=regex&search_term=(a%2B)%2B%24x", "mode=substring&search_term=servidor"} {
		values, err := url.ParseQuery(query)
		if err != nil {
			return err
		}
		a, took, err := b.call(f, event(http.MethodGet, "/api/logs/search", values, nil))
		if err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
		var p page
		if err := json.Unmarshal([]byte(a.Body), &p); err != nil {
			return err
		}
		back := "everything"
		if p.BackTo != nil {
			back = "back to " + *p.BackTo
		}
		fmt.Printf("%s: %.0f ms, looked at %s, total %s %d\n", values.Encode(), ms(took), back, p.Relation, p.TotalCount)
	}
	fmt.Println()
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// warm is how many requests come before those that count.
const warm = 5

// times calls f some times and returns the median, the 95th percentile and the
// longest.
func (b *bench) times(f func() (time.Duration, error)) (p50, p95, most float64, err error) {
	var list []float64
	for i := range b.rounds + warm {
		took, err := f()
		if err != nil {
			return 0, 0, 0, err
		}
		if i >= warm {
			list = append(list, ms(took))
		}
	}
	slices.Sort(list)
	return list[len(list)/2], list[(len(list)*95+99)/100-1], list[len(list)-1], nil
}

// longest is how long a plain query may take before it is given up.
const longest = 3 * time.Minute

// plainTime runs what one would write for the specification's table: a page and
// the number of all hits.
func (b *bench) plainTime(c searchCase) (d time.Duration, whole bool, err error) {
	begin := b.clock.Now()
	err = postgres.Tx(b.ctx, b.db, postgres.TxOptions{StatementTimeout: longest}, func(tx pgx.Tx) error {
		for _, sql := range []string{
			fmt.Sprintf("select * from public.advanced_logs where %s order by created_at desc limit 50 offset %d", c.plain, c.deep*50),
			"select count(*) from public.advanced_logs where " + c.plain,
		} {
			if _, err := tx.Exec(b.ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
	d = b.clock.Now().Sub(begin)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "57014" {
		return d, false, nil
	}
	return d, true, err
}

// counts measures histogram and facets, and compares them with the rows.
func (b *bench) counts(f *function) error {
	day := func(n int) string { return b.first.AddDate(0, 0, n).Format(time.DateOnly) }
	for _, c := range []struct{ name, path, query, where string }{
		{"histogram, all days", "/api/logs/histogram", "start_date=" + day(0) + "&end_date=" + day(b.days), "true"},
		{"histogram, crooked range, a level", "/api/logs/histogram", "level=error&start_date=" + day(1) + "T03:17:11.123Z&end_date=" + day(b.days-1) + "T10:41:33Z", "level = 'error'"},
		{"histogram of an hour", "/api/logs/histogram", "start_date=" + day(b.days-1) + "T10:00:00Z&end_date=" + day(b.days-1) + "T11:00:00Z", "true"},
		{"facets, all days", "/api/logs/facets", "start_date=" + day(0) + "&end_date=" + day(b.days), "true"},
	} {
		query, err := url.ParseQuery(c.query)
		if err != nil {
			return err
		}
		var got struct {
			Total      int64
			Exact      bool
			Start, End time.Time
		}
		p50, p95, most, err := b.times(func() (time.Duration, error) {
			a, took, err := b.call(f, event(http.MethodGet, c.path, query, nil))
			if err == nil {
				err = json.Unmarshal([]byte(a.Body), &got)
			}
			return took, err
		})
		if err != nil {
			return err
		}
		var rows int64
		begin := b.clock.Now()
		if err := b.db.QueryRow(b.ctx, `select coalesce(sum(n), 0)::bigint from (select count(*) as n from guarda.advanced_logs where created_at >= $1::timestamptz and created_at < $2::timestamptz and `+c.where+
			` group by date_trunc('hour', created_at), level) g`, got.Start, got.End).Scan(&rows); err != nil {
			return err
		}
		fmt.Printf("%s: p50 %.1f ms, p95 %.1f ms, max %.1f ms; grouping the rows %.0f ms; %d counted, %d rows\n", c.name, p50, p95, most, ms(b.clock.Now().Sub(begin)), got.Total, rows)
		if got.Total != rows || !got.Exact {
			return fmt.Errorf("%s: counted %d, there are %d rows", c.name, got.Total, rows)
		}
	}
	fmt.Println()
	return nil
}
