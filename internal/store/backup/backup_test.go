package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var discard = slog.New(slog.DiscardHandler)

// source is a Source with a fixed text, of which the length that it tells may be another.
type source struct {
	text   string
	length int64
	err    error
}

func (s source) Copy(context.Context) (io.ReadCloser, int64, error) {
	return io.NopCloser(strings.NewReader(s.text)), s.length, s.err
}

func serveIn(t *testing.T, dir string, s source) (stop func() error) {
	t.Helper()
	stop, err := Serve(dir, s, discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop() }) // most tests have done so
	return stop
}

func TestACopyIsFetched(t *testing.T) {
	for name, dir := range map[string]string{
		"short path": t.TempDir(),
		"long path":  filepath.Join(t.TempDir(), strings.Repeat("d", 200)),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second server replaces what the first one has left
				stop := serveIn(t, dir, source{text: "copy", length: 4})
				if info, err := os.Stat(filepath.Join(dir, socketName)); err != nil || info.Mode() != os.ModeSocket|0o600 {
					t.Errorf("the socket is %v, %v", info, err)
				}
				var out bytes.Buffer
				if err := Fetch(t.Context(), dir, &out); err != nil || out.String() != "copy" {
					t.Errorf("got %q, %v", out.String(), err)
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
				if err := Fetch(t.Context(), dir, &out); !errors.Is(err, ErrNoServer) {
					t.Errorf("a server that has ended: %v", err)
				}
			}
			if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
				t.Errorf("left are %v, %v", files, err)
			}
		})
	}
}

func TestASocketThatWasLeftBehindIsReplaced(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, socketName))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Fetch(t.Context(), dir, io.Discard); !errors.Is(err, ErrNoServer) {
		t.Errorf("nobody listens: %v", err)
	}
	serveIn(t, dir, source{text: "copy", length: 4})
	if err := Fetch(t.Context(), dir, io.Discard); err != nil {
		t.Error(err)
	}
}

func TestAFileInTheWayIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, socketName)
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if stop, err := Serve(dir, source{}, discard); err == nil {
		_ = stop()
		t.Error("it was replaced")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("it is %q now, %v", text, err)
	}
}

func TestACopyThatIsNotCompleteIsAnError(t *testing.T) {
	for name, s := range map[string]source{
		"cut":    {text: "copy", length: 5},
		"failed": {err: errors.New("no space left")},
	} {
		dir := t.TempDir()
		serveIn(t, dir, s)
		if err := Fetch(t.Context(), dir, io.Discard); err == nil || errors.Is(err, ErrNoServer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// childDir names the directory that the child of the next test asks for.
const childDir = "BACKUP_TEST_DIR"

// Whoever gets past the mode of the socket is another user all the same.
func TestOtherUsersGetNoCopy(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		var out bytes.Buffer
		err := Fetch(t.Context(), dir, &out)
		t.Logf("got %q, %v", out.String(), err)
		if err == nil || out.Len() > 0 {
			t.Error("another user has a copy")
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Fatal("needs root, to be another user for a moment")
	}
	dir, err := os.MkdirTemp("", "backup")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	serveIn(t, dir, source{text: "copy", length: 4})
	for _, path := range []string{dir, filepath.Join(dir, socketName)} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "child.test")
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), program, "-test.run=^TestOtherUsersGetNoCopy$", "-test.v")
	child.Dir, child.Env = dir, []string{childDir + "=" + dir}
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 10001, Gid: 10001}}
	if said, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	if err := Fetch(t.Context(), dir, io.Discard); err != nil {
		t.Errorf("the server's own user: %v", err)
	}
}
