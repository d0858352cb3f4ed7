package pattern_test

import (
	"syscall"
	"testing"

	"guarda/shared/logs/pattern"
)

// BenchmarkAdd takes a mix of the logs of all corpora, a line an operation.
func BenchmarkAdd(b *testing.B) {
	var messages [][]byte
	bytes := 0
	for _, file := range corpora(b) {
		for _, l := range corpus(b, file, 5000, 3) {
			messages = append(messages, []byte(l.message))
			bytes += len(l.message)
		}
	}
	m := pattern.New(0)
	b.ReportAllocs()
	b.SetBytes(int64(bytes / len(messages)))
	i := 0
	began := cpuSeconds()
	for b.Loop() {
		m.Add(messages[i%len(messages)])
		i += 7919 // a prime: neighbours are of different logs
	}
	b.ReportMetric(float64(b.N)/(cpuSeconds()-began), "lines/cpu-s")
}

// BenchmarkNew takes only messages that were never seen before, which is the
// slowest that there is: each makes a template.
func BenchmarkNew(b *testing.B) {
	g := generator{newRand(5)}
	messages := make([][]byte, 200_000)
	for i := range messages {
		text := ""
		for range 4 + g.IntN(12) {
			text += g.letters(3+g.IntN(7)) + " "
		}
		messages[i] = []byte(text)
	}
	m := pattern.New(0)
	b.ReportAllocs()
	i := 0
	began := cpuSeconds()
	for b.Loop() {
		m.Add(messages[i%len(messages)])
		i++
	}
	b.ReportMetric(float64(b.N)/(cpuSeconds()-began), "lines/cpu-s")
}

// cpuSeconds is the processor time that the program has used: what one core
// does, whatever else the machine is busy with.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
