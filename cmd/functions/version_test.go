package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestMakeStampsTheVersion(t *testing.T) {
	flags := strings.Fields(makeVariable(t, "version_flags", "VERSION=v9.8.7", "REVISION=0123abc"))
	binary := filepath.Join(t.TempDir(), "functions")
	if out, err := exec.Command("go", "build", "-o", binary, "-ldflags", strings.Join(flags, " "), ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := "functions v9.8.7 (revision 0123abc, " + runtime.Version() + ")\n"
	for _, argument := range []string{"version", "--version", "-v", "--help"} {
		out, err := exec.Command(binary, argument).Output()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s: %v, %s", argument, err, out)
		}
	}
}

// makeVariable is the value of a variable of the Makefile when make is called with arguments.
func makeVariable(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	cmd := exec.Command("make", append([]string{"-s", "-C", "../..", "-f", "Makefile", "-f", "-", "print"}, arguments...)...)
	cmd.Stdin = strings.NewReader("print:\n\t@echo '$(" + name + ")'\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestImageIsStampedAsMakeStamps(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	want := makeVariable(t, "version_flags", "VERSION=$$VERSION", "REVISION=$$REVISION")
	if !bytes.Contains(text, []byte(want)) {
		t.Errorf("the Dockerfile does not link with %s", want)
	}
}

func TestVersionIsInLogAndMetrics(t *testing.T) {
	s := startServer(t)
	b := thisBuild()
	want := `functions_build_info{goversion="` + b.GoVersion + `",revision="` + b.Revision + `",version="` + b.Version + `"} 1`
	if text := s.scrape(t); !strings.Contains(text, want) {
		t.Errorf("no %s in the metrics", want)
	}
	if first := s.logs.seen[0]; !strings.Contains(first, "Functions "+b.String()) {
		t.Errorf("the log begins with %s", first)
	}
}
