package config

import (
	"strings"
	"testing"
)

func FuzzVariablesAreReadOrTheirFaultTold(f *testing.F) {
	for i, v := range variables {
		f.Add(i, v.Default)
	}
	for i, text := range []string{"x", "-1", "1e9", "1mb", "{}", "a=b", "10m", "::1", "\xff", "*.example:80", "redis://:secret@h"} {
		f.Add(i*5, text)
	}
	f.Fuzz(func(t *testing.T, which int, text string) {
		if which < 0 || text == "" {
			return
		}
		name := variables[which%len(variables)].Name
		c, err := load(func(asked string) (string, bool) {
			if asked != name {
				return "", false
			}
			return text, true
		}, nil, machine{cpus: 4, memory: 8 << 30})
		if (c == nil) != (err != nil) {
			t.Fatalf("%s=%q: %v, %v", name, text, c, err)
		}
		if err != nil && !strings.Contains(err.Error(), name) && !strings.Contains(err.Error(), "POOL_") && !strings.Contains(err.Error(), "SSL_") {
			t.Errorf("%s=%q: the fault does not name it: %v", name, text, err)
		}
	})
}
