package sandbox

import (
	"strings"
	"testing"
)

func TestRuntimesHaveNamesAndBinaries(t *testing.T) {
	node := Runtime{Name: "node8", Node: "/usr/bin/node"}
	for name, row := range map[string]struct {
		runtimes []Runtime
		want     string
	}{
		"none":       {nil, ""},
		"one":        {[]Runtime{node}, ""},
		"no name":    {[]Runtime{node, {Node: "/usr/bin/node"}}, "Runtimes[1] has no Name"},
		"no binary":  {[]Runtime{{Name: "node8"}}, "Runtimes[0] has no Name or no Node"},
		"named once": {[]Runtime{node, node}, "Runtimes[1] has the Name of another, node8"},
	} {
		cfg := DefaultConfig()
		cfg.Runtimes = row.runtimes
		if err := cfg.Validate(); row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}
