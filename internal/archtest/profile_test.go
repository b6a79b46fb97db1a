package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// profile is that of short calls, by which the compiler optimizes the server.
const profile = "cmd/functions/calls.pgo"

func TestServersAreBuiltByTheProfile(t *testing.T) {
	const root, most = "../..", 500_000
	info, err := os.Stat(filepath.Join(root, profile))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() == 0 || info.Size() > most {
		t.Errorf("%s has %d bytes, and may have %d", profile, info.Size(), most)
	}
	for file, flag := range map[string]string{"Makefile": "build $(by_profile)", "Dockerfile": "-pgo=" + profile} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "-pgo="+profile) || !strings.Contains(string(text), flag) {
			t.Errorf("%s does not build with it", file)
		}
	}
}
