package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block matches a fenced block of a guide: its language and its text.
var block = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// TestGuidesWorkAsTheySay runs the shell blocks of each guide, one after the other, in a folder of its own. A block of
// text after one is what it prints; … in it stands for anything.
func TestGuidesWorkAsTheySay(t *testing.T) {
	guides, err := filepath.Glob("../../docs/guides/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	s := startServer(t, "RUN_PORT=0", runtimesVariable(t, "node8", "node24"))
	here := strings.NewReplacer(
		"http://localhost:8100", s.url,
		"http://localhost:8102", "http://127.0.0.1:"+s.logs.said(t, `listening for runs alone on port (\d+)`),
	)
	for _, guide := range guides {
		t.Run(strings.TrimSuffix(filepath.Base(guide), ".md"), func(t *testing.T) {
			text, err := os.ReadFile(guide)
			if err != nil {
				t.Fatal(err)
			}
			dir, printed := t.TempDir(), ""
			for _, part := range block.FindAllStringSubmatch(string(text), -1) {
				switch part[1] {
				case "sh":
					printed = shell(t, dir, here.Replace(part[2]))
				case "text":
					wantPrinted(t, printed, part[2])
				}
			}
		})
	}
}

// shell runs a script, which must succeed, and returns what it prints.
func shell(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	printed, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, printed, script)
	}
	return string(printed)
}

func wantPrinted(t *testing.T, printed, want string) {
	t.Helper()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", ".*")
	if !regexp.MustCompile("^(?s:" + pattern + ")$").MatchString(strings.TrimSpace(printed)) {
		t.Errorf("printed\n%s\nwant\n%s", printed, want)
	}
}
