package runtimes

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"syscall"
	"testing"
)

// TestAFullDiskKeepsWhatIsThere installs into a file system of 1 MB.
func TestAFullDiskKeepsWhatIsThere(t *testing.T) {
	data := t.TempDir()
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatalf("a small file system needs root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(data, 0) })
	dir := In(data)
	small := tgz(t, node("echo v24.1.0"))
	if _, err := dir.Install(t.Context(), pinOf("24.1.0", small), serving(small), quiet); err != nil {
		t.Fatal(err)
	}
	random := make([]byte, 400<<10)
	_, _ = rand.Read(random)
	for name, text := range map[string]string{
		"while it fetches": hex.EncodeToString(random) + hex.EncodeToString(random) + hex.EncodeToString(random),
		"while it unpacks": hex.EncodeToString(random),
	} {
		large := tgz(t, node("echo v24.2.0; exit\n"+text))
		t.Logf("%s: %d bytes", name, len(large))
		if _, err := dir.Install(t.Context(), pinOf("24.2.0", large), serving(large), quiet); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", name, err)
		}
		if got := names(t, dir); got != ".lock node24@24.1.0" {
			t.Errorf("%s: there are %s", name, got)
		}
	}
}
