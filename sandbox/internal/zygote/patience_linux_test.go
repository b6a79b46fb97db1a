package zygote

import (
	"os/exec"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestPatienceIsForThoseWhoGetNoProcessor(t *testing.T) {
	for name, row := range map[string]struct {
		states string // at the end of one Patience after the other; the last one stays
		after  int    // so many of them hung is called
	}{
		"stopped":                     {"T", 1},
		"dead":                        {"Z", 1},
		"gone":                        {" ", 1},
		"asleep":                      {"S", 2},
		"asleep for a moment":         {"SRSRSS", 6},
		"without a processor":         {"R", mostPatience},
		"without a disk":              {"D", mostPatience},
		"stopped after it had no one": {"RRT", 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				state := func() string {
					s := row.states[min(asked, len(row.states)-1)]
					asked++
					if s == ' ' {
						return ""
					}
					return string(s)
				}
				start := time.Now()
				hung := make(chan time.Time, 1)
				watch(state, func() { hung <- time.Now() })
				if after := (<-hung).Sub(start); after != time.Duration(row.after)*Patience {
					t.Errorf("called after %v, want %d times %v", after, row.after, Patience)
				}
				time.Sleep(time.Hour)
				if len(hung) > 0 {
					t.Error("called again")
				}
			})
		})
	}
}

func TestWhoeverIsDoneIsNotHung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := watch(func() string { return "R" }, func() { t.Error("called") })
		time.Sleep(3*Patience + time.Second)
		done()
		time.Sleep(time.Hour)
	})
}

func TestStateIsThatOfTheProcess(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil); err != nil || stateOf(pid) != "T" {
		t.Errorf("state %q, %v", stateOf(pid), err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if state := stateOf(pid); state != "" {
		t.Errorf("state %q of a process that is gone", state)
	}
}
