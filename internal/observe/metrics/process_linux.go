package metrics

import "golang.org/x/sys/unix"

// cpuTimes is the processor time that this process has used, in seconds.
func cpuTimes() (user, system float64) {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0, 0 // never, for this process
	}
	seconds := func(t unix.Timeval) float64 { return float64(t.Nano()) / 1e9 }
	return seconds(usage.Utime), seconds(usage.Stime)
}
