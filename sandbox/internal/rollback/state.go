//go:build linux && amd64

package rollback

import (
	"bytes"
	"slices"
	"strings"
)

// stateFields are the fields of /proc/PID/status, proc(5), that no call may change.
var stateFields = []string{
	"Name", "Umask", "Uid", "Gid", "Groups", "Threads", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh",
	"CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp",
}

// state is what the kernel has of the process beside memory and descriptors: users, signals, limits, timers. Compare
// compares it, for nothing that may change it goes by the listener unseen.
func (p *proc) state() (string, error) {
	var all strings.Builder
	text, err := p.read("status")
	if err != nil {
		return "", err
	}
	for line := range bytes.Lines(text) {
		if name, _, _ := bytes.Cut(line, []byte(":")); slices.Contains(stateFields, string(name)) {
			all.Write(line)
		}
	}
	for _, name := range []string{"limits", "timers"} {
		if text, err = p.read(name); err != nil {
			return "", err
		}
		all.Write(text)
	}
	return all.String(), nil
}

// firstDifference is the first line of a text that is not the one of another.
func firstDifference(now, then string) string {
	before := slices.Collect(strings.Lines(then))
	i := 0
	for line := range strings.Lines(now) {
		if i >= len(before) || before[i] != line {
			return strings.TrimSpace(line)
		}
		i++
	}
	return "a line is gone"
}
