//go:build linux && amd64

package sandbox_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// V8's heap of workers that are put back is in one place, which another fork server has elsewhere: where the libraries
// are does not tell where it is.
func TestTheHeapOfWorkersThatArePutBackIsAtARandomPlace(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		seen := map[int64]bool{}
		for range 3 { // two may be alike by chance
			if seen[heapDistance(t, v)] = true; len(seen) == 2 {
				return
			}
		}
		t.Errorf("it is always as far from the libraries: %v GB", seen)
	})
}

// heapDistance is how many GB the heap of a new fork server's worker is from its libraries.
func heapDistance(t *testing.T, v version) int64 {
	t.Helper()
	const place = 1 << 30
	pool := newRealPool(t, func(c *sandbox.Config) { c.Size, c.Prewarmed, c.Node = 2, 0, v.binary(t) })
	needRollback(t, pool)
	if _, err := pool.Invoke(t.Context(), rolledBackInvocation("heap", hello)); err != nil {
		t.Fatal(err)
	}
	pieces, library := map[int64]int{}, int64(0)
	for line := range strings.Lines(mapsOfPutBack(t)) {
		var start, end int64
		if _, err := fmt.Sscanf(line, "%x-%x", &start, &end); err != nil {
			continue // in the half that is the kernel's
		}
		switch fields := strings.Fields(line); {
		case len(fields) > 5 && strings.Contains(fields[5], "/libc"):
			library = start / place
		case len(fields) == 5 && fields[1] == "rw-p":
			pieces[start/place]++
		}
	}
	most, all := int64(0), 0
	for at, n := range pieces {
		if all += n; n > pieces[most] {
			most = at
		}
	}
	if library == 0 || 2*pieces[most] < all || most == library {
		t.Errorf("of %d pieces of memory %d are in one place; libraries are at %#x", all, pieces[most], library*place)
	}
	return most - library
}

// mapsOfPutBack is what /proc/PID/maps says of a worker that is put back.
func mapsOfPutBack(t *testing.T) string {
	t.Helper()
	for pid := range processesBelow(t) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
		if err == nil && strings.Contains(string(text), "/memfd:rollback") { // others may have ended meanwhile
			return string(text)
		}
	}
	t.Fatal("there is no such worker")
	return ""
}
