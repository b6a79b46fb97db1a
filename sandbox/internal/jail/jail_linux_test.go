package jail

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The test binary is the jail's first stage, before this is reached, and its program too: with a name that no test run has it says what it
// finds inside.
func TestMain(m *testing.M) {
	if os.Args[0] == "look" {
		look()
		return
	}
	os.Exit(m.Run())
}

// look is the program inside.
func look() {
	found := func(path string) {
		if _, err := os.Stat(path); err == nil {
			println("found", path)
		}
	}
	for _, path := range []string{"/etc", "/proc", "/sys", "/tmp", "/home"} {
		found(path)
	}
	for fd := range 64 {
		var stat unix.Stat_t
		if unix.Fstat(fd, &stat) == nil && stat.Mode&unix.S_IFMT != unix.S_IFIFO && stat.Mode&unix.S_IFMT != 0 {
			println("open", fd)
		}
	}
	if err := os.WriteFile("/x", nil, 0o600); err == nil {
		println("wrote")
	}
	for _, variable := range os.Environ() {
		println("variable", variable)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil || data[0].Effective|data[0].Permitted|data[0].Inheritable != 0 {
		println("capabilities", data[0].Effective)
	}
	name, _ := os.Hostname()
	println("host", name, "user", os.Getuid())
}

// inside is a jail around this test binary.
func inside(t *testing.T) Spec {
	t.Helper()
	scratch := t.TempDir()
	if err := os.Chmod(filepath.Dir(scratch), 0o711); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{
		Path: "/program", Args: []string{"look"}, Scratch: scratch, Hostname: "inside", UID: 7,
		Mounts: []Mount{{Source: self, Target: "/program"}, {Source: "/dev/null", Target: "/dev/null", Device: true}},
		Limits: map[int]uint64{unix.RLIMIT_CORE: 0},
	}
	for _, line := range libraries(t, self) {
		spec.Mounts = append(spec.Mounts, Mount{Source: line, Target: line})
	}
	return spec
}

// libraries are the shared ones of a program, if it has any.
func libraries(t *testing.T, program string) []string {
	t.Helper()
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		return nil // it is static
	}
	var paths []string
	for _, field := range strings.Fields(string(out)) {
		if strings.HasPrefix(field, "/") {
			paths = append(paths, field)
		}
	}
	return paths
}

// runJail runs the jail and returns what came out on stderr.
func runJail(t *testing.T, spec Spec) string {
	t.Helper()
	cmd := new(exec.Cmd)
	stderr := new(bytes.Buffer)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(""), io.Discard, stderr
	release, err := Command(cmd, spec, Users{FirstUID: 0x71000000, FirstGID: 0x71000000, Count: 0x100})
	if err != nil {
		return err.Error()
	}
	defer release()
	err = cmd.Run()
	text := new(strings.Builder)
	for line := range strings.Lines(stderr.String()) {
		if !strings.HasPrefix(line, "==") { // the race detector misses /proc
			text.WriteString(line)
		}
	}
	if err != nil {
		text.WriteString(err.Error())
	}
	return text.String()
}

func TestInsideIsNothingButWhatWasGiven(t *testing.T) {
	if got := runJail(t, inside(t)); got != "host inside user 7\n" {
		t.Errorf("inside it says %q", got)
	}
}

func TestAStepThatFailsIsNamed(t *testing.T) {
	for want, change := range map[string]func(*Spec){
		"jail: root:":                      func(s *Spec) { s.Scratch = "/nowhere" },
		"jail: mounts:":                    func(s *Spec) { s.Mounts = append(s.Mounts, Mount{Source: "/dev/null", Target: "/program/file"}) },
		"jail: hostname:":                  func(s *Spec) { s.Hostname = strings.Repeat("x", 65) },
		"jail: resource limits: 99:":       func(s *Spec) { s.Limits = map[int]uint64{99: 1} },
		"jail: user:":                      func(s *Spec) { s.UID = 0x1000 },
		"jail: exec /nothing:":             func(s *Spec) { s.Path = "/nothing" },
		"jail: clone mount /nowhere/file:": func(s *Spec) { s.Mounts = append(s.Mounts, Mount{Source: "/nowhere/file", Target: "/file"}) },
	} {
		spec := inside(t)
		change(&spec)
		if got := runJail(t, spec); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNoDescriptorStaysOpenHere(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	runJail(t, inside(t)) // opens what Go keeps for later
	before := count()
	for range 5 {
		runJail(t, inside(t))
	}
	if after := count(); after > before {
		t.Errorf("%d descriptors are open, before %d", after, before)
	}
}
