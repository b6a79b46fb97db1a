package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	app "github.com/backstage/functions/internal/server"
)

// block matches a fenced block of a guide: its language and its text.
var block = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// ofItsOwn matches a start command whose server the other guides cannot share.
var ofItsOwn = regexp.MustCompile(`^(AUTH|EGRESS_ALLOW|SECRETS_DIR|TLS_CERT_FILE)=`)

// guideFolder is where some guides have their commands run, below a clone. They say so with a block that ends in cd.
const guideFolder = "data/guide"

// TestGuidesWorkAsTheySay runs the shell blocks of each guide, one after the other, in a folder of its own. A block of
// text after one is what it prints; … in it stands for anything. All share one server, which is in protected mode as
// after make run; some guides need one of their own.
func TestGuidesWorkAsTheySay(t *testing.T) {
	guides, err := filepath.Glob("../../docs/guides/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	s := startServer(t, append(outsideVariables(), "HOST=", "RUN_PORT=0", "WEBSOCKET_CONNECTIONS=100",
		runtimesVariable(t, "node8", "node24"), "NPM_REGISTRY="+npmRegistry(t))...)
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
			clone, printed, scripts, here := t.TempDir(), "", 0, here
			dir := clone
			for _, part := range block.FindAllStringSubmatch(string(text), -1) {
				switch part[1] {
				case "bash":
					if ofItsOwn.MatchString(part[2]) {
						here = startOfGuide(t, clone, part[2])
					}
					if strings.HasSuffix(part[2], "cd "+guideFolder+"\n") {
						dir = filepath.Join(clone, guideFolder)
						if err := os.MkdirAll(dir, 0o700); err != nil {
							t.Fatal(err)
						}
					}
				case "sh":
					printed = shell(t, dir, here.Replace(part[2]))
					scripts++
				case "text":
					if scripts == 0 {
						t.Errorf("no script comes before what it prints:\n%s", part[2])
					}
					wantPrinted(t, printed, part[2])
				}
			}
			if scripts == 0 {
				t.Error("the guide has no script")
			}
		})
	}
}

// startOfGuide starts a server by the variables of a command that ends with "make run", in clone. It returns
// what puts the address of that server into scripts.
func startOfGuide(t *testing.T, clone, command string) *strings.Replacer {
	t.Helper()
	vars, ok := strings.CutSuffix(strings.TrimSpace(command), " make run")
	if !ok {
		t.Fatalf("%q does not end with make run", command)
	}
	environ := append(strings.Fields(strings.ReplaceAll(vars, "$PWD", clone)),
		"HOST=", "DATA_DIR="+filepath.Join(clone, "data"))
	keyset := app.SecretsOptions{Environ: append(os.Environ(), environ...), Out: io.Discard, IfMissing: true}
	if err := app.MakeKeyset(keyset); err != nil { // as make run does
		t.Fatal(err)
	}
	s := startServer(t, environ...)
	address := strings.TrimPrefix(s.url, "http://")
	return strings.NewReplacer("https://localhost:8100", "https://"+address, "http://localhost:8100", s.url)
}

// shell runs a script, which must succeed and leave nothing that still prints, and returns what it prints. What fails
// is ended with all that it has started.
func shell(t *testing.T, dir, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	kill := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Dir, cmd.Cancel, cmd.WaitDelay = dir, kill, waitDelay
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	printed, err := cmd.CombinedOutput()
	if err != nil {
		if cmd.Process != nil {
			_ = kill()
		}
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
