package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// ingestion measures POST /api/logs in batches against COPY of the same rows
// into the same partition, in turns.
func (b *bench) ingestion() error {
	if b.ingest == 0 {
		return nil
	}
	if err := b.exec(`update guarda.log_settings set key_limit = 1000000000`); err != nil {
		return err
	}
	f, err := b.start("logs-ingest", b.url)
	if err != nil {
		return err
	}
	defer f.stop()
	const batch, rounds = 5000, 4
	var through, plain []float64
	for round := range rounds {
		var bodies [][]byte
		var rows [][][]any
		for at := 0; at < b.ingest/rounds; at += batch {
			body, r, err := b.batch(batch, round*b.ingest+at)
			if err != nil {
				return err
			}
			bodies, rows = append(bodies, body), append(rows, r)
		}
		begin := b.clock.Now()
		for _, r := range rows {
			_, err := b.db.CopyFrom(b.ctx, pgx.Identifier{"guarda", "advanced_logs_" + b.clock.Now().Format("20060102")},
				[]string{"level", "source", "message", "metadata", "created_at"}, pgx.CopyFromRows(r))
			if err != nil {
				return err
			}
		}
		plain = append(plain, float64(len(rows)*batch)/b.clock.Now().Sub(begin).Seconds())
		begin = b.clock.Now()
		for _, body := range bodies {
			if _, _, err := b.call(f, event(http.MethodPost, "/api/logs", nil, body)); err != nil {
				return err
			}
		}
		through = append(through, float64(len(bodies)*batch)/b.clock.Now().Sub(begin).Seconds())
	}
	slices.Sort(plain)
	slices.Sort(through)
	p, t := plain[len(plain)/2], through[len(through)/2]
	fmt.Printf("ingestion in batches of %d: %.0f rows/s through the function, %.0f rows/s by COPY, ratio %.2f (medians of %d rounds: %.0f and %.0f)\n", batch, t, p, t/p, rounds, through, plain)
	return nil
}

func (b *bench) batch(n, from int) ([]byte, [][]any, error) {
	now := b.clock.Now()
	entries := make([]map[string]any, n)
	rows := make([][]any, n)
	for i := range n {
		k := from + i
		message := fmt.Sprintf("Requisição recebida em %dms chave %x de 10.0.%d.%d caminho /api/v1/recurso/%d", k*31%997, k*2654435761, k%250, k*7%250, k*13%5000)
		metadata := map[string]any{"request_id": fmt.Sprintf("%016x", k*40503), "status": 200 + k%4*100, "duration_ms": k * 31 % 997, "host": fmt.Sprintf("ip-%d", k%20)}
		source := fmt.Sprintf("service-%d", k%40)
		entries[i] = map[string]any{"level": "info", "source": source, "message": message, "metadata": metadata}
		rows[i] = []any{"info", source, message, metadata, now.Add(time.Duration(i) * time.Microsecond)}
	}
	raw, err := json.Marshal(entries)
	return raw, rows, err
}
