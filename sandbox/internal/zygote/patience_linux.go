package zygote

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Patience is how long a zygote may take to fork a worker, or to tell that one has died. Both are a matter of
// milliseconds of its processor time: on a machine where it gets none, it is given more time.
const Patience = 5 * time.Second

// mostPatience is the number of times that Patience is granted to a zygote which waits for a processor.
const mostPatience = 12

// Watch calls hung when done has not been called within Patience and process pid could have answered meanwhile.
func Watch(pid int, hung func()) (done func()) {
	return watch(func() string { return stateOf(pid) }, hung)
}

// watch is Watch with a way to learn the state of the process.
func watch(state func() string, hung func()) (done func()) {
	var mu sync.Mutex // guards the variables below
	var timer *time.Timer
	over, asleep, grants := false, false, 0
	check := func() {
		mu.Lock()
		defer mu.Unlock()
		if over {
			return
		}
		grants++
		switch state() {
		case "R", "D": // it waits for a processor or a disk
			asleep = false
		case "S": // perhaps it has answered, and it is us who have had no processor
			if asleep {
				grants = mostPatience
			}
			asleep = true
		default: // stopped or dead
			grants = mostPatience
		}
		if grants < mostPatience {
			timer.Reset(Patience)
			return
		}
		over = true
		hung()
	}
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(Patience, check)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		timer.Stop()
	}
}

// stateOf is the state in /proc/PID/stat (proc(5)), which is that of the first thread; empty for a process that is
// gone.
func stateOf(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(text), ") ")
	state, _, _ := strings.Cut(after, " ")
	return state
}
