package main

import (
	"testing"
	"time"

	"guarda/functions/internal/backuptest"
	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/schedule"
	"guarda/tests/contract"
)

func TestATickThatIsDeliveredTwiceMakesOneBackup(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	var e event
	contract.Event(t, "scheduled-backup", &e)
	due, err := time.Parse(time.RFC3339, e.ScheduledTime)
	if err != nil {
		t.Fatal(err)
	}
	id, err := w.Store.CreateSchedule(t.Context(), &schedule.Schedule{Name: "n", Cron: "* * * * *", BackupType: "full", Active: true, NextRun: &due})
	if err != nil {
		t.Fatal(err)
	}
	tick := newHandler(&execution.Ticker{Store: w.Store, Invoker: w, DefaultZone: "UTC", Log: w.Log}, clock.At(due.Add(20*time.Second)))
	for range 2 {
		if _, err := tick(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		w.Wait()
	}
	runs, err := w.Store.List(t.Context(), execution.Filter{ScheduleID: id}, execution.Position{}, 10)
	if err != nil || len(runs) != 1 || runs[0].Status != execution.Completed || runs[0].Trigger != execution.Schedule {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}

func TestATickOfAnotherTimeIsRefused(t *testing.T) {
	t.Parallel()
	tick := newHandler(nil, clock.At(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)))
	for _, at := range []string{"<aws.scheduler.scheduled-time>", "2026-11-24T12:05:00Z"} {
		if _, err := tick(t.Context(), event{ScheduledTime: at}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", at, err)
		}
	}
}
