package worker

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Whatever a pipe tells of earlier reads and writes is gone, by either end.
func TestAPipeForgetsItsTimes(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if err := setTimes(w, []unix.Timespec{{Sec: 1}, {Sec: 2}}); err != nil {
		t.Fatal(err)
	}
	if err := touch(r); err != nil {
		t.Fatal(err)
	}
	var told unix.Stat_t
	if err := unix.Fstat(int(w.Fd()), &told); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour).Unix()
	if told.Atim.Sec < long || told.Mtim.Sec < long || told.Ctim.Sec < long {
		t.Errorf("it tells %v, %v, %v", told.Atim, told.Mtim, told.Ctim)
	}
}
