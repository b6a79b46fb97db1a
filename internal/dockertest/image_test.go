//go:build docker

package dockertest

import (
	"archive/tar"
	"errors"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What docker-compose.yml gives the server, as options of docker run; a test leaves some out.
var (
	asRoot       = []string{"--user", "0:0"}
	capabilities = []string{"--cap-drop", "ALL", "--cap-add", "SETUID", "--cap-add", "SETGID", "--cap-add", "SETFCAP"}
	noAppArmor   = []string{"--security-opt", "apparmor=unconfined"}
)

func profile(t *testing.T) []string {
	t.Helper()
	file, err := filepath.Abs("../../docs/deploy/seccomp.json")
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--security-opt", "seccomp=" + file}
}

func TestServerNamesThePrivilegeThatIsMissing(t *testing.T) {
	for name, test := range map[string]struct {
		options []string
		want    string
	}{
		"nothing given": {nil, "docs/deploy/seccomp.json"},
		"no profile":    {slices.Concat(asRoot, capabilities, noAppArmor), "docs/deploy/seccomp.json"},
		"no capabilities": {
			slices.Concat(asRoot, []string{"--cap-drop", "ALL"}, noAppArmor, profile(t)), "SETUID, SETGID and SETFCAP",
		},
		"not root":          {slices.Concat(noAppArmor, profile(t)), "run as root"},
		"a read-only mount": {slices.Concat(asRoot, capabilities, noAppArmor, without(t, "mount")), "mounting is refused"},
	} {
		run := []string{"run", "--rm", "--network", "none", "-e", "STORAGE=inmemory"}
		out, err := docker(slices.Concat(run, test.options, []string{"functions"})...)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "docs/") {
			t.Errorf("%s: %s, %v, want %q", name, out, err, test.want)
		}
	}
}

func TestWithoutIsolationNoPrivilegeIsNeeded(t *testing.T) {
	id, err := docker("run", "--detach", "--network", "none", "--cap-drop", "ALL", "--read-only", "--tmpfs", "/tmp",
		"--env", "ISOLATION=none", "--env", "STORAGE=inmemory", "functions")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := docker("rm", "--force", id); err != nil {
			t.Error(err)
		}
	}()
	for {
		if out, err := docker("exec", id, "functions", "health"); err == nil {
			if out != `{"status":"ok"}` {
				t.Errorf("health says %q", out)
			}
			return
		}
		if running, err := docker("inspect", "--format", "{{.State.Running}}", id); err != nil || running != "true" {
			logs, _ := docker("logs", id)
			t.Fatalf("it ended: %s", logs)
		}
	}
}

// The image has neither tools to attack with nor any to build with.
func TestImageHoldsNoTools(t *testing.T) {
	id, err := docker("create", "functions")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := docker("rm", id); err != nil {
			t.Error(err)
		}
	}()
	program := fields("DOCKER", "docker")
	cmd := exec.CommandContext(t.Context(), program[0], append(program[1:], "export", id)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	programs := executables(t, out)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"functions", "node", "node"}; !slices.Equal(programs, want) {
		t.Errorf("the image holds the programs %q, want %q", programs, want)
	}
}

// executables lists the programs in a tar file: what may be executed and is neither a library, a script of a module nor
// one of the empty files over which Docker mounts its own.
func executables(t *testing.T, r io.Reader) []string {
	t.Helper()
	var names []string
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		name := path.Base(header.Name)
		script := strings.Contains(header.Name, "runner-js/") && name != "node"
		runs := header.Typeflag == tar.TypeReg && header.Mode&0o111 != 0 && header.Size > 0
		if runs && !script && !strings.Contains(name, ".so") {
			names = append(names, name)
		}
	}
}

func TestImageIsSmallAndOrdinary(t *testing.T) {
	const most = 225 << 20 // Node.js 24 is 121 MB
	const format = `{{.Size}} {{.Config.User}} {{index .Config.Labels "org.opencontainers.image.licenses"}} ` +
		`{{.Config.StopSignal}}`
	out, err := docker("image", "inspect", "--format", format, "functions")
	if err != nil {
		t.Fatal(err)
	}
	size, rest, _ := strings.Cut(out, " ")
	if bytes, err := strconv.Atoi(size); err != nil || bytes > most {
		t.Errorf("the image has %s bytes, at most %d are well spent", size, most)
	}
	if rest != "10001:10001 MIT SIGTERM" {
		t.Errorf("user, licence and stop signal are %q", rest)
	}
}
