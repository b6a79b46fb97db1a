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

func TestNewestRuntime(t *testing.T) {
	of := func(versions ...string) (all []Runtime) {
		for _, version := range versions {
			all = append(all, Runtime{Name: "is " + version, Version: version})
		}
		return all
	}
	for _, row := range []struct {
		runtimes []Runtime
		want     string
		major    int
	}{
		{nil, "", 0},
		{of("v8.17.0"), "is v8.17.0", 8},
		{of("v8.17.0", "v24.3.1", "v22.30.0"), "is v24.3.1", 24},
		{of("v24.9.0", "v24.21.0", "v24.10.9"), "is v24.21.0", 24},
		{of("v25.0.0-nightly2025", "v24.1.0"), "is v25.0.0-nightly2025", 25},
		{of("what"), "is what", 0},
		{append(of("v20.1.0"), Runtime{Name: "same", Version: "v20.1.0"}), "is v20.1.0", 20},
	} {
		if newest := Newest(row.runtimes); newest.Name != row.want || newest.Major() != row.major {
			t.Errorf("of %v: %q, major %d, want %q, %d", row.runtimes, newest.Name, newest.Major(), row.want, row.major)
		}
	}
}
