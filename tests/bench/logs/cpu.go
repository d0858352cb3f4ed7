package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// spent is the processor time that the server's processes and a function have
// used so far: what a request costs, however busy the machine is. Zero where
// the kernel does not say.
func (b *bench) spent(f *function) time.Duration {
	raw, err := os.ReadFile(filepath.Join(b.work, "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	master, _, _ := strings.Cut(string(raw), "\n")
	var sum time.Duration
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		pid := filepath.Base(p)
		if pid != strconv.Itoa(f.cmd.Process.Pid) && parent(p) != master {
			continue
		}
		threads, _ := filepath.Glob(p + "/task/*/schedstat")
		for _, t := range threads {
			stat, err := os.ReadFile(t)
			if err != nil { // it has ended
				continue
			}
			run, _, _ := strings.Cut(string(stat), " ")
			ns, _ := strconv.ParseInt(run, 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}

func parent(process string) string {
	stat, err := os.ReadFile(process + "/stat")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return ""
	}
	return fields[1]
}
