package secrets

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
)

// write makes a file below dir.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFilesGoBeforeStoredSecretsOfTheirScope(t *testing.T) {
	dir := t.TempDir()
	k := newKeeper(t, newMemory(), func(o *Options) { o.Dir = dir })
	putValue(t, k, "", "A", "stored for the namespace")
	putValue(t, k, "", "B", "stored for the namespace")
	putValue(t, k, "pay", "B", "stored for the function")
	write(t, dir, "shop/A", "a file for the namespace\n")
	write(t, dir, "shop/B", "a file for the namespace")
	write(t, dir, "shop/C", "a file for the namespace\r\n")
	write(t, dir, "shop/pay/C", "a file for the function\n\n")
	write(t, dir, "shop/pay/not-a-name", "x")
	want := `{"A":"a file for the namespace","B":"stored for the function","C":"a file for the function\n"}`
	wantValues(t, k, want, "A", "B", "C")
	all, err := k.List(t.Context(), function.SecretScope{Namespace: "shop"})
	if err != nil || len(all) != 3 || !all[0].File || all[0].Version != 0 || all[0].Updated.IsZero() {
		t.Errorf("listed are %+v, %v", all, err)
	}
	if all, err = k.List(t.Context(), function.SecretScope(pay)); err != nil || len(all) != 2 || all[0].File || !all[1].File {
		t.Errorf("listed are %+v, %v", all, err)
	}
}

func TestFilesNeedNoKeyset(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop/A", "1")
	k, err := New(Options{Store: newMemory(), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	wantValues(t, k, `{"A":"1"}`, "A")
}

// Kubernetes writes the new files into a directory of their own, and then makes a link lead there.
func TestASwapOfLinksIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "shop/..2026_1/A", "1")
		write(t, dir, "shop/..2026_2/A", "2")
		shop := filepath.Join(dir, "shop")
		for from, to := range map[string]string{"..data": "..2026_1", "A": "..data/A"} {
			if err := os.Symlink(to, filepath.Join(shop, from)); err != nil {
				t.Fatal(err)
			}
		}
		k := newKeeper(t, newMemory(), func(o *Options) { o.Dir = dir })
		wantValues(t, k, `{"A":"1"}`, "A")
		if err := os.Symlink("..2026_2", filepath.Join(shop, "..data_tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(shop, "..data_tmp"), filepath.Join(shop, "..data")); err != nil {
			t.Fatal(err)
		}
		wantValues(t, k, `{"A":"1"}`, "A")
		time.Sleep(maxStaleFiles)
		wantValues(t, k, `{"A":"2"}`, "A")
		if err := os.Remove(filepath.Join(shop, "A")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(maxStaleFiles)
		wantReason(t, k, ReasonMissing, "A")
	})
}

func TestFilesThatAreNoValuesAreErrors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"EMPTY": "", "NEWLINE": "\n", "LONG": strings.Repeat("x", function.MaxSecretBytes+1), "BYTES": "\xff\xfe", "NUL": "a\x00b",
	} {
		write(t, dir, "shop/"+name, text)
	}
	write(t, dir, "shop/WHOLE", strings.Repeat("x", function.MaxSecretBytes)+"\n")
	if err := syscall.Mkfifo(filepath.Join(dir, "shop", "PIPE"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := newKeeper(t, newMemory(), func(o *Options) { o.Dir = dir })
	for _, name := range []string{"EMPTY", "NEWLINE", "LONG", "BYTES", "NUL", "PIPE"} {
		if err := wantReason(t, k, ReasonUnreadable, name); strings.Contains(err.Error(), "xxxx") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := k.For(t.Context(), pay, []string{"WHOLE"}); err != nil {
		t.Error(err)
	}
}

func TestNoNameLeadsOutOfTheDirectory(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "secrets")
	write(t, root, "OUTSIDE", "1")
	write(t, dir, "shop/pay/A", "1")
	write(t, dir, ".hidden/A", "1")
	k := newKeeper(t, newMemory(), func(o *Options) { o.Dir = dir })
	for _, scope := range []function.Ref{
		{Namespace: ".."},
		{Namespace: "."},
		{Namespace: ".hidden"},
		{Namespace: "shop", ID: "../.."},
		{Namespace: "shop/pay"},
		{Namespace: "shop", ID: ".."},
		{Namespace: "\x00"},
		{Namespace: strings.Repeat("x", 1024)},
		{Namespace: "pay", ID: "shop"},
		{Namespace: "shop", ID: "pay/A"},
	} {
		for _, name := range []string{"OUTSIDE", "A", "pay"} {
			if set, err := k.For(t.Context(), scope, []string{name}); err == nil {
				t.Errorf("%v gets %s of %s", scope, set.Values, name)
			}
		}
		if all, err := k.List(t.Context(), function.SecretScope(scope)); err != nil || len(all) > 0 {
			t.Errorf("listed for %v are %v, %v", scope, all, err)
		}
	}
}
