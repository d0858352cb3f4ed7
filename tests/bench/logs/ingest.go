package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ingestion measures POST /api/logs in batches against COPY of the same rows
// into the same partition, in turns: by the clock, and by the processors' time
// of client and server, which other work on the machine does not change.
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
	copier, err := pgx.Connect(b.ctx, b.url)
	if err != nil {
		return err
	}
	defer copier.Close(b.ctx)
	const batch, rounds = 5000, 4
	var through, plain rates
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
		backend := int(copier.PgConn().PID())
		begin, cpu := b.clock.Now(), ownTime()+timeOf(backend)
		for _, r := range rows {
			_, err := copier.CopyFrom(b.ctx, pgx.Identifier{"guarda", "advanced_logs_" + b.clock.Now().Format("20060102")},
				[]string{"level", "source", "message", "metadata", "created_at"}, pgx.CopyFromRows(r))
			if err != nil {
				return err
			}
		}
		plain.add(len(rows)*batch, b.clock.Now().Sub(begin), ownTime()+timeOf(backend)-cpu)
		if round == 0 { // the process starts and connects
			if _, _, err := b.call(f, event(http.MethodPost, "/api/logs", nil, []byte(`{"level":"info","source":"bench","message":"begin"}`))); err != nil {
				return err
			}
		}
		pids, err := b.backends("guarda logs-ingest")
		if err != nil {
			return err
		}
		pids = append(pids, f.cmd.Process.Pid)
		begin, cpu = b.clock.Now(), timeOf(pids...)
		for _, body := range bodies {
			if _, _, err := b.call(f, event(http.MethodPost, "/api/logs", nil, body)); err != nil {
				return err
			}
		}
		through.add(len(bodies)*batch, b.clock.Now().Sub(begin), timeOf(pids...)-cpu)
	}
	t, p := median(through.clock), median(plain.clock)
	fmt.Printf("ingestion in batches of %d: %.0f rows/s through the function, %.0f rows/s by COPY, ratio %.2f (medians of %d rounds: %.0f and %.0f)\n", batch, t, p, t/p, rounds, through.clock, plain.clock)
	t, p = median(through.cpu), median(plain.cpu)
	fmt.Printf("by a second of the processors: %.0f rows through the function, %.0f by COPY, ratio %.2f (%.0f and %.0f)\n", t, p, t/p, through.cpu, plain.cpu)
	return nil
}

// rates are rows a second, of rounds.
type rates struct{ clock, cpu []float64 }

func (r *rates) add(rows int, took, cpu time.Duration) {
	r.clock, r.cpu = append(r.clock, float64(rows)/took.Seconds()), append(r.cpu, float64(rows)/cpu.Seconds())
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// ownTime is the processors' time of this process.
func ownTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// timeOf is that of other processes, in hundredths of a second (proc(5), stat).
func timeOf(pids ...int) (sum time.Duration) {
	for _, pid := range pids {
		raw, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		_, rest, _ := strings.Cut(string(raw), ") ")
		if fields := strings.Fields(rest); len(fields) > 12 {
			for _, f := range fields[11:13] {
				ticks, _ := strconv.Atoi(f)
				sum += time.Duration(ticks) * 10 * time.Millisecond
			}
		}
	}
	return sum
}

// backends are the processes of the server that serve an application.
func (b *bench) backends(application string) ([]int, error) {
	rows, err := b.db.Query(b.ctx, `select pid from pg_stat_activity where application_name = $1::text`, application)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int])
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
