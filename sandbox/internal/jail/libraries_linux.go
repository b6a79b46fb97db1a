package jail

import (
	"context"
	"os/exec"
	"slices"
	"strings"
)

// Libraries are the shared libraries of a program and their loader, as the loader itself finds them: ld.so(8).
func Libraries(ctx context.Context, program string) ([]string, error) {
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = []string{"LD_TRACE_LOADED_OBJECTS=1"}
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var paths []string
	// A line is "libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)" or "/lib64/ld-linux-x86-64.so.2 (0x…)".
	for line := range strings.Lines(string(out)) {
		for _, field := range strings.Fields(line) {
			if strings.HasPrefix(field, "/") && !slices.Contains(paths, field) {
				paths = append(paths, field)
			}
		}
	}
	return paths, nil
}
