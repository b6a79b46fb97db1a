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

// WebAssembly's code can be written to and executed in some versions. Where the heap is does not tell where it is.
func TestCodeOfWorkersThatArePutBackIsFarFromTheirHeap(t *testing.T) {
	// The smallest module with a function: (module (func (export "f") (result i32) i32.const 42)).
	const code = `
const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0,
  10, 6, 1, 4, 0, 65, 42, 11]
const { f } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports
function main(req, res) { res.send({ f: f() }) }`
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := newRealPool(t, func(c *sandbox.Config) { c.Size, c.Prewarmed, c.Node = 2, 0, v.binary(t) })
		needRollback(t, pool)
		inv := rolledBackInvocation("code", code)
		inv.Once = true // the snapshot has it
		if _, err := pool.Invoke(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
		p := placesOfPutBack(t)
		if len(p.code) == 0 {
			t.Error("there is no code")
		}
		if heap, _ := most(p.heap); p.code[heap] > 0 {
			t.Errorf("%d pieces of code are in the same place as the heap", p.code[heap])
		}
	})
}

// heapDistance is how many GB the heap of a new fork server's worker is from its libraries.
func heapDistance(t *testing.T, v version) int64 {
	t.Helper()
	pool := newRealPool(t, func(c *sandbox.Config) { c.Size, c.Prewarmed, c.Node = 2, 0, v.binary(t) })
	defer pool.Close() // the next one's worker is to be found, not this one's
	needRollback(t, pool)
	if _, err := pool.Invoke(t.Context(), rolledBackInvocation("heap", hello)); err != nil {
		t.Fatal(err)
	}
	p := placesOfPutBack(t)
	most, all := most(p.heap)
	here := p.heap[most-1] + p.heap[most] + p.heap[most+1] // it may begin in one and end in the next
	if p.library == 0 || 2*here < all || most-1 <= p.library && p.library <= most+1 {
		t.Errorf("of %d pieces of memory %d are in one place, %d GB; libraries are at %d", all, here, most, p.library)
	}
	return most - p.library
}

// places say where memory of a process is, in GB: how many pieces that can be written to there are at each, and how
// many of code that is of no file; and where the C library is.
type places struct {
	heap, code map[int64]int
	library    int64
}

// placesOfPutBack are those of a worker that is put back.
func placesOfPutBack(t *testing.T) places {
	t.Helper()
	const place = 1 << 30
	p := places{heap: map[int64]int{}, code: map[int64]int{}}
	for line := range strings.Lines(mapsOfPutBack(t)) {
		var start, end int64
		if _, err := fmt.Sscanf(line, "%x-%x", &start, &end); err != nil {
			continue // in the half that is the kernel's
		}
		switch fields := strings.Fields(line); {
		case len(fields) > 5 && strings.Contains(fields[5], "/libc"):
			p.library = start / place
		case len(fields) > 5:
		case fields[1] == "rw-p":
			p.heap[start/place]++
		case strings.Contains(fields[1], "x"):
			p.code[start/place]++
		}
	}
	return p
}

// most is the place with the most pieces; all is how many pieces there are.
func most(pieces map[int64]int) (place int64, all int) {
	for at, n := range pieces {
		if all += n; n > pieces[place] {
			place = at
		}
	}
	return place, all
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
