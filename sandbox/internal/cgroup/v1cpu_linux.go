package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// unlimited, as a quota, leaves a group the CPU time of the one above it.
const unlimited = -1

// cpuAllowed is the smallest CPU limit of group dir and of those above it, up to the root of the hierarchy, in
// processors; 0 is none. Version 1 of the interface refuses a group more than the one above it has, with EINVAL:
// sched_rt and CFS bandwidth control (Documentation/scheduler/sched-bwc.rst, "Hierarchical considerations").
func cpuAllowed(dir string) (float64, error) {
	allowed := 0.0
	for ; ; dir = filepath.Dir(dir) {
		quota, err := readNumber(filepath.Join(dir, "cpu.cfs_quota_us"))
		if os.IsNotExist(err) { // above the root, which may have none itself
			return allowed, nil
		}
		if err != nil {
			return 0, err
		}
		period, err := readNumber(filepath.Join(dir, "cpu.cfs_period_us"))
		if err != nil {
			return 0, err
		}
		if quota > 0 && period > 0 && (allowed == 0 || quota/period < allowed) {
			allowed = quota / period
		}
	}
}

func readNumber(path string) (float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	number, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return number, nil
}
