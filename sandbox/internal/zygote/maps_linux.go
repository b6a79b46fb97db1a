package zygote

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// mappings are the private mappings of a process: proc(5), /proc/PID/maps.
func mappings(pid int) ([]Range, error) {
	maps, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/maps")
	if err != nil {
		return nil, fmt.Errorf("zygote: %w", err)
	}
	var ranges []Range
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasSuffix(fields[1], "p") || strings.HasSuffix(line, "[vsyscall]\n") {
			continue
		}
		first, last, _ := strings.Cut(fields[0], "-")
		start, err1 := strconv.ParseUint(first, 16, 64)
		end, err2 := strconv.ParseUint(last, 16, 64)
		if err1 != nil || err2 != nil || end <= start {
			return nil, fmt.Errorf("zygote: unreadable mapping %q", line)
		}
		ranges = append(ranges, Range{Start: start, Length: end - start})
	}
	return ranges, nil
}
