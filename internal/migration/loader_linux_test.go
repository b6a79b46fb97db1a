package migration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAKilledCheckLeavesNoModuleLoading kills a copy of itself, which loads a module that never ends.
func TestAKilledCheckLeavesNoModuleLoading(t *testing.T) {
	const copied = "MIGRATION_LOADS_FOR_EVER"
	dir := os.Getenv(copied)
	if dir != "" {
		_, err := loaderOf(t, oldNode).Faults(t.Context(), []string{"hangs"}, dir)
		t.Fatalf("the module is loaded, %v", err)
	}
	began := filepath.Join(t.TempDir(), "began")
	dir = moduleDir(t, map[string]string{
		"hangs": "require('fs').writeFileSync('" + began + ".new', String(process.pid));" +
			"require('fs').renameSync('" + began + ".new', '" + began + "'); for (;;);",
	})
	check := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	check.Env = append(os.Environ(), copied+"="+dir)
	if err := check.Start(); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for text == nil {
		text, _ = os.ReadFile(began) // not there yet
		time.Sleep(time.Millisecond)
	}
	if err := check.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = check.Wait() // it was killed
	for runs(string(text)) {
		time.Sleep(time.Millisecond)
	}
}

// runs says whether a process has not ended, whether its parent knows or not.
func runs(pid string) bool {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	return err == nil && !strings.Contains(string(text), "State:\tZ")
}
