package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestContainerLimitsAreRead(t *testing.T) {
	if memory := usableMemory(); memory < 1<<20 {
		t.Errorf("this machine has %d bytes of memory", memory)
	}
	path := filepath.Join(t.TempDir(), "memory.max")
	for text, want := range map[string]int64{"1073741824\n": 1 << 30, "max\n": 0, "0": 0, "-1": 0, "": 0} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		limit, ok := readLimit(path)
		if ok != (want > 0) || ok && limit != want {
			t.Errorf("%q is read as %d, %v", text, limit, ok)
		}
	}
	if _, ok := readLimit(path + ".none"); ok {
		t.Error("a file that is not there has a limit")
	}
}
