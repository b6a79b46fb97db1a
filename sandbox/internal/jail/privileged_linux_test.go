package jail

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A program with the set-group-ID bit has rights that its caller has not, and its environment is the caller's.
func TestAProgramWithMoreRightsThanItsCallerEntersNoJail(t *testing.T) {
	const nobody = 65534
	program := setGroupID(t)
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Args = []string{childName, "-test.run", "^$", "-test.v"}
	cmd.Env = []string{specVariable + `={"Path":"/bin/sh"}`}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "jail:") {
		t.Errorf("%v: %s", err, out)
	}
}

// setGroupID is a copy of this test binary that runs with root's group.
func setGroupID(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		t.Fatal(err)
	}
	if stat.Flags&unix.ST_NOSUID != 0 {
		t.Skipf("%s is mounted nosuid: set TMPDIR to a folder that is not", dir)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, text, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o711, dir: 0o711, program: 0o755 | os.ModeSetgid} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return program
}
