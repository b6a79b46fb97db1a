package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Go's runtime has a thread, the monitor (sysmon in runtime/proc.go), that takes processors back from system calls that
// take long. While there are any, it looks every 20 µs, and each time it takes a processor from what serves calls: a
// tenth of the server's CPU time under load. How long it sleeps cannot be set, but how late the kernel may wake it can:
// its thread's timer slack (prctl(2), PR_SET_TIMERSLACK). The price: so much longer a goroutine may wait while the
// processor that it would run on is in a system call.
const monitorSlack = 500 * time.Microsecond

// monitorTidying is how often threads are looked for that the monitor has started since. They inherit its slack, and
// would be late themselves.
const monitorTidying = time.Second

// monitor is the thread and those that it may start.
type monitor struct {
	ordinary []byte              // the slack of the other threads, as the kernel writes it
	seen     map[string]struct{} // threads that have been looked at
}

// relaxMonitor has the monitor look less often, until ctx ends. Where that is refused (it takes CAP_SYS_NICE over this
// process), all stays as it was.
func relaxMonitor(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(monitorTidying)
	defer tick.Stop()
	m, err := newMonitor()
	for ; err == nil; err = m.tidy() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	log.Debug("Go's monitor looks as often as it likes", "error", err)
}

// newMonitor relaxes the monitor.
func newMonitor() (*monitor, error) {
	ordinary, err := os.ReadFile("/proc/self/timerslack_ns")
	if err != nil {
		return nil, err
	}
	all, err := threads()
	if err != nil {
		return nil, err
	}
	if len(all) < 2 {
		return nil, errors.New("there is no such thread")
	}
	m := &monitor{ordinary: bytes.TrimSpace(ordinary), seen: map[string]struct{}{all[0]: {}, all[1]: {}}}
	if slack, err := strconv.ParseInt(string(m.ordinary), 10, 64); err != nil || slack >= int64(monitorSlack) {
		return nil, fmt.Errorf("its slack is %s ns: %w", m.ordinary, errors.Join(err, errors.ErrUnsupported))
	}
	if err := setSlack(all[1], strconv.AppendInt(nil, int64(monitorSlack), 10)); err != nil {
		return nil, err
	}
	return m, m.tidy()
}

// tidy gives threads that are new the ordinary slack. Those that have ended it forgets: others may get their numbers.
func (m *monitor) tidy() error {
	all, err := threads()
	if err != nil {
		return err
	}
	seen := make(map[string]struct{}, len(all))
	for _, thread := range all {
		if _, known := m.seen[thread]; !known {
			if err := setSlack(thread, m.ordinary); err != nil && !ended(err) {
				return err
			}
		}
		seen[thread] = struct{}{}
	}
	m.seen = seen
	return nil
}

// threads are those of this process, in the order in which they were started: the first is main's, the second the
// monitor, which the runtime starts before anything else.
func threads() ([]string, error) {
	dir, err := os.Open("/proc/self/task")
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	return dir.Readdirnames(-1)
}

// setSlack sets the timer slack of a thread, in nanoseconds. /proc has a directory for each thread, which it does not
// list.
func setSlack(thread string, slack []byte) error {
	file, err := os.OpenFile("/proc/"+thread+"/timerslack_ns", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(slack)
	return errors.Join(err, file.Close())
}

// ended says whether err is that of a thread that is no longer there.
func ended(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }
