package runtimes

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// entry is one of a tarball.
type entry struct {
	header tar.Header
	text   string
}

// node is the binary of a package, here a script.
func node(script string) entry {
	return entry{tar.Header{Name: "package/bin/node", Typeflag: tar.TypeReg, Mode: 0o644}, "#!/bin/sh\n" + script + "\n"}
}

// tgz is a tarball of entries.
func tgz(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	for _, e := range entries {
		if e.header.Size == 0 {
			e.header.Size = int64(len(e.text))
		}
		if err := archive.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(archive, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pinOf is the pin of node24 in a version, whose tarball is text.
func pinOf(version string, text []byte) Pin {
	sum := sha512.Sum512(text)
	return Pin{
		Name: "node24", Version: version, Package: "node",
		Integrity: "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
	}
}

func serving(text []byte) Source {
	return func(context.Context, string, string) (io.ReadCloser, int64, error) {
		return io.NopCloser(bytes.NewReader(text)), int64(len(text)), nil
	}
}

func quiet(int64, int64) {}

// names are those of what is in a directory.
func names(t *testing.T, dir Dir) string {
	t.Helper()
	entries, err := os.ReadDir(string(dir))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestRuntimesAreInstalledReplacedAndRemoved(t *testing.T) {
	dir := In(t.TempDir())
	if all, err := List(dir); err != nil || all != nil {
		t.Fatalf("before the first: %v, %v", all, err)
	}
	if err := dir.Remove("node24"); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("removing what was never there: %v", err)
	}
	licence := entry{tar.Header{Name: "package/LICENSE", Typeflag: tar.TypeReg}, "free"}
	for _, version := range []string{"24.9.0", "24.10.0"} {
		text := tgz(t, licence, node("echo v"+version))
		var done, all int64
		rt, err := dir.Install(t.Context(), pinOf(version, text), serving(text), func(d, a int64) { done, all = d, a })
		if err != nil || rt.Version != version || done != int64(len(text)) || all != done {
			t.Fatalf("%s: %+v, %v, told of %d of %d bytes", version, rt, err, done, all)
		}
		if out, err := exec.Command(rt.Node).Output(); err != nil || string(out) != "v"+version+"\n" {
			t.Errorf("it says %s, %v", out, err)
		}
		if _, err := dir.Install(t.Context(), pinOf(version, text), serving(text), quiet); !errors.Is(err, ErrInstalled) {
			t.Errorf("installed twice: %v", err)
		}
		if got := names(t, dir); got != ".lock node24@"+version {
			t.Errorf("there are %s", got)
		}
		if text, err := os.ReadFile(filepath.Join(filepath.Dir(rt.Node), "..", "LICENSE")); err != nil || string(text) != "free" {
			t.Errorf("its licence: %s, %v", text, err)
		}
		for _, path := range []string{rt.Node, filepath.Dir(rt.Node), filepath.Dir(filepath.Dir(rt.Node)), string(dir)} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
		}
	}
	if err := dir.Remove("node24"); err != nil {
		t.Error(err)
	}
	if err := dir.Remove("node24"); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("removed twice: %v", err)
	}
	if got := names(t, dir); got != ".lock" {
		t.Errorf("%s is left", got)
	}
}

func TestListIsInTheOrderOfVersions(t *testing.T) {
	dir := In(t.TempDir())
	for _, name := range []string{
		"node20@20.20.2", "node8@8.17.0", "node20@20.9.0", "node18@18.1.0", ".part-node24@24.1.0", "node24@24", "other",
	} {
		bin := filepath.Join(string(dir), name, "bin")
		if err := errors.Join(os.MkdirAll(bin, 0o755), os.WriteFile(filepath.Join(bin, "node"), nil, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(string(dir), "node22@22.1.0", "bin", "node"), 0o755); err != nil {
		t.Fatal(err)
	}
	other := Dir(t.TempDir())
	bin := filepath.Join(string(other), "node8@8.16.0", "bin")
	if err := errors.Join(os.MkdirAll(bin, 0o755), os.WriteFile(filepath.Join(bin, "node"), nil, 0o755)); err != nil {
		t.Fatal(err)
	}
	all, err := List(dir, other)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, rt := range all {
		got = append(got, rt.Name+" "+rt.Version)
	}
	if want := []string{"node8 8.17.0", "node18 18.1.0", "node20 20.20.2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWhatIsNotTheRuntimeIsNotInstalled: nothing of it is left, and what was there stays.
func TestWhatIsNotTheRuntimeIsNotInstalled(t *testing.T) {
	good := tgz(t, node("echo v24.2.0"))
	link := entry{tar.Header{Name: "package/bin/node", Typeflag: tar.TypeSymlink, Linkname: "/bin/sh"}, ""}
	outside := entry{tar.Header{Name: "package/../../../bin/node", Typeflag: tar.TypeReg}, "#!/bin/sh\n"}
	large := entry{tar.Header{Name: "package/bin/node", Typeflag: tar.TypeReg, Size: 1}, "x"}
	of := func(entries ...entry) func(*Pin) Source {
		return func(pin *Pin) Source {
			text := tgz(t, entries...)
			*pin = pinOf("24.2.0", text)
			return serving(text)
		}
	}
	for name, row := range map[string]struct {
		source func(*Pin) Source
		want   string
	}{
		"another hash": {func(*Pin) Source { return serving(append(good[:len(good):len(good)], 0)) }, ErrHash.Error()},
		"half of it":   {func(*Pin) Source { return serving(good[:len(good)/2]) }, ErrHash.Error()},
		"no gzip": {func(pin *Pin) Source {
			*pin = pinOf("24.2.0", []byte("hello"))
			return serving([]byte("hello"))
		}, "unpack node: "},
		"the registry fails": {func(*Pin) Source {
			return func(context.Context, string, string) (io.ReadCloser, int64, error) {
				return nil, 0, errors.New("it is down")
			}
		}, "the registry did not deliver node 24.2.0: it is down"},
		"no binary":         {of(), "there is no bin/node in it"},
		"a link":            {of(link), "there is no bin/node in it"},
		"a file outside":    {of(outside), "there is no bin/node in it"},
		"a binary twice":    {of(node("echo v24.2.0"), large), "file exists"},
		"another version":   {of(node("echo v24.2.1")), "its binary is v24.2.1"},
		"it does not run":   {of(node("exit 1")), "does not run on this machine"},
		"it says something": {of(node("echo hello")), "does not run on this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := In(t.TempDir())
			old := tgz(t, node("echo v24.1.0"))
			if _, err := dir.Install(t.Context(), pinOf("24.1.0", old), serving(old), quiet); err != nil {
				t.Fatal(err)
			}
			pin := pinOf("24.2.0", good)
			source := row.source(&pin)
			if _, err := dir.Install(t.Context(), pin, source, quiet); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
			if got := names(t, dir); got != ".lock node24@24.1.0" {
				t.Errorf("there are %s", got)
			}
			if _, err := dir.Install(t.Context(), pinOf("24.2.0", good), serving(good), quiet); err != nil {
				t.Errorf("the next attempt: %v", err)
			}
		})
	}
}

func TestInstallEndsWithItsContext(t *testing.T) {
	dir := In(t.TempDir())
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("stopped by hand")
	hangs := func(ctx context.Context, _, _ string) (io.ReadCloser, int64, error) {
		r, w := io.Pipe()
		context.AfterFunc(ctx, func() { _ = w.CloseWithError(context.Cause(ctx)) })
		go func() {
			_, _ = w.Write([]byte("some"))
			cancel(why)
		}()
		return r, 100, nil
	}
	if _, err := dir.Install(ctx, pinOf("24.1.0", nil), hangs, quiet); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if got := names(t, dir); got != ".lock" {
		t.Errorf("there are %s", got)
	}
}

func TestOneCommandAtATimeChangesRuntimes(t *testing.T) {
	dir := In(t.TempDir())
	text := tgz(t, node("echo v24.1.0"))
	busy := func(ctx context.Context, name, version string) (io.ReadCloser, int64, error) {
		if _, err := dir.Install(ctx, pinOf("24.1.0", text), serving(text), quiet); !errors.Is(err, ErrBusy) {
			t.Errorf("a second Install: %v", err)
		}
		if err := dir.Remove("node24"); !errors.Is(err, ErrBusy) {
			t.Errorf("Remove meanwhile: %v", err)
		}
		return serving(text)(ctx, name, version)
	}
	if _, err := dir.Install(t.Context(), pinOf("24.1.0", text), busy, quiet); err != nil {
		t.Error(err)
	}
}

// killedIn is the variable with which this program installs what it is told to, until it is killed.
const killedIn = "RUNTIMES_KILLED_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedIn); dir != "" {
		text, err := os.ReadFile(filepath.Join(dir, "tarball"))
		if err == nil {
			_, err = In(dir).Install(context.Background(), pinOf("24.1.0", text), serving(text), quiet)
		}
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestAKilledCommandLeavesNothingThatCounts kills one when it has unpacked all, and waits for the binary to say what it
// is.
func TestAKilledCommandLeavesNothingThatCounts(t *testing.T) {
	data := t.TempDir()
	dir, reached := In(data), filepath.Join(data, "reached")
	// It ends with the command that has started it.
	hangs := tgz(t, node("touch "+reached+"; while kill -0 $PPID 2>/dev/null; do sleep 0.01; done"))
	if err := os.WriteFile(filepath.Join(data, "tarball"), hangs, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killedIn+"="+data)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		if _, err := os.Stat(reached); err == nil {
			break
		}
		if i == 60_000 {
			t.Fatal("it has not unpacked its binary")
		}
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if all, err := List(dir); err != nil || len(all) > 0 {
		t.Errorf("installed are %v, %v", all, err)
	}
	if got := names(t, dir); !strings.Contains(got, part) {
		t.Errorf("there are %s: it was not killed in the middle", got)
	}
	text := tgz(t, node("echo v24.1.0"))
	if _, err := dir.Install(t.Context(), pinOf("24.1.0", text), serving(text), quiet); err != nil {
		t.Errorf("the next command: %v", err)
	}
	if got := names(t, dir); got != ".lock node24@24.1.0" {
		t.Errorf("there are %s", got)
	}
}

func TestCatalogSaysWhatThereIs(t *testing.T) {
	c := Pinned()
	for _, name := range []string{"node18", "node20", "node22", "node24"} {
		pin, err := c.Find(name)
		if err != nil || !strings.HasPrefix(pin.Integrity, "sha512-") || !strings.HasPrefix(pin.Version, strings.TrimPrefix(name, "node")+".") {
			t.Errorf("%s: %+v, %v", name, pin, err)
		}
	}
	for _, name := range []string{"node7", "", "../node24", "Node24"} {
		if _, err := c.Find(name); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "node18, node20, node22, node24") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := (Catalog{}).Find("node8"); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "npm has no node8 for") {
		t.Errorf("a name of another machine: %v", err)
	}
}
