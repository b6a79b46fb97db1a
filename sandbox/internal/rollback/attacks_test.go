//go:build linux && amd64

package rollback

import (
	"slices"
	"testing"
)

// attacks are what native code may do in a call, and the causes for which its worker may end. Where there are none it
// has to be put back.
var attacks = []struct {
	name   string
	kind   byte
	causes []Cause
	silent bool // it gives no answer
}{
	{name: "nothing", kind: 'a'},
	{name: "a secret in data", kind: 'b'},
	{name: "pages that nobody had touched", kind: 'c'},
	{name: "the code of the stub", kind: 'd', causes: []Cause{Call}},
	{name: "the GS base and a segment", kind: 'e'},
	{name: "a page is dropped", kind: 'f'},
	{name: "another page in its place", kind: 'g', causes: []Cause{Mapping}},
	{name: "a secret behind no access", kind: 'h'},
	{name: "a signal handler", kind: 'i', causes: []Cause{Call}},
	{name: "a flag of stdout", kind: 'j', causes: []Cause{Files}},
	{name: "a map over the list", kind: 'k', causes: []Cause{Call}},
	{name: "a thread", kind: 'l', causes: []Cause{Call, Thread}},
	{name: "registers to return with", kind: 'm'},
	{name: "moved away", kind: 'n'},
	{name: "a new descriptor", kind: 'o'},
	{name: "over a descriptor of the snapshot", kind: 'p', causes: []Cause{Call}},
	{name: "a signal mask", kind: 'q', causes: []Cause{Call}},
	{name: "umask", kind: 'r', causes: []Cause{Call}},
	{name: "the name of the process", kind: 's', causes: []Cause{Call}},
	{name: "a secret deep in the stack", kind: 't'},
	{name: "the vdso", kind: 'u', causes: []Cause{Call}},
	{name: "a mark on a mapping", kind: 'v', causes: []Cause{Call}},
	{name: "the count of an event", kind: 'w'},
	{name: "a larger heap", kind: 'x'},
	{name: "pages are gone", kind: 'y', causes: []Cause{Mapping}},
	{name: "pages become constant", kind: 'z'},
	{name: "dropped, then written", kind: 'A'},
	{name: "protection keys", kind: 'B'},
	{name: "vector registers", kind: 'C'},
	{name: "a file", kind: 'D', causes: []Cause{Call}},
	{name: "a socket", kind: 'E'},
	{name: "into the stub without asking", kind: 'F', causes: []Cause{NoPark}, silent: true},
	{name: "the position of a file", kind: 'I', causes: []Cause{Files}},
	{name: "a descriptor is closed", kind: 'J', causes: []Cause{Call}},
	{name: "a limit", kind: 'K', causes: []Cause{Call}},
	{name: "a timer", kind: 'L', causes: []Cause{Call}},
	{name: "another page in place of a file's", kind: 'M', causes: []Cause{Fixed}},
	{name: "a secret in a file's page", kind: 'N'},
	{name: "a file's page that was not in memory is read", kind: 'O'},
	{name: "a file's page that was not in memory is written to", kind: 'P'},
	{name: "a secret where the stack grows", kind: 'Q', causes: []Cause{Pages}},
	{name: "a signal mask by a forged return", kind: 'R', causes: []Cause{Call}},
	{name: "a handler that does not return", kind: 'S', causes: []Cause{Call}},
	{name: "a page that the kernel may drop later", kind: 'T', causes: []Cause{Call}},
	{name: "a secret behind no access, of a file", kind: 'U', causes: []Cause{Call}},
	{name: "a page that is not writable is dropped", kind: 'V', causes: []Cause{Call, Fixed}},
	{name: "the content is moved away", kind: 'W'},
	{name: "over a descriptor, with more bits than it has", kind: 'X', causes: []Cause{Call}},
	{name: "the position of a file, by reading", kind: 'Y', causes: []Cause{Files}},
	{name: "a page that is not writable is written to", kind: 'Z', causes: []Cause{Fixed}},
	{name: "a secret in a pipe", kind: '0', causes: []Cause{Call}},
	{name: "the content of a pipe is read", kind: '1', causes: []Cause{Call}},
	{name: "a mark that divides a mapping", kind: '5', causes: []Cause{Call}},
	{name: "a protection key of the kernel's choice", kind: '7', causes: []Cause{Call}},
	{name: "the size of a pipe", kind: '8', causes: []Cause{Call}},
	{name: "the owner of a descriptor", kind: '9', causes: []Cause{Call}},
	{name: "a file is mapped to be read", kind: '@', causes: []Cause{Fixed}},
	{name: "memory that could be shared", kind: '[', causes: []Cause{Fixed}},
}

// Nothing that native code does survives: the worker is as before, which all of it is compared for, or it ends.
func TestNothingOfAnAttackSurvives(t *testing.T) {
	for _, attack := range attacks {
		t.Run(attack.name, func(t *testing.T) {
			b := newBed(t, nil)
			for range 3 { // first pages fault, then they are on the list
				if attack.silent {
					b.send(attack.kind)
					b.expectNoPark(attack.causes)
					return
				}
				b.call(attack.kind)
				err := b.rollBack()
				if cause := causeOf(t, err); cause != "" {
					if !slices.Contains(attack.causes, cause) {
						t.Fatalf("%v, and its causes are %v", err, attack.causes)
					}
					return
				}
				if len(attack.causes) > 0 {
					t.Fatalf("it was put back, and should end for %v", attack.causes)
				}
				if left := b.call('a'); left != 0 {
					t.Fatalf("the next call finds %b", left)
				}
				if err := b.rollBack(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// Attacks come one after the other in one worker as well as alone.
func TestAttacksInOneWorker(t *testing.T) {
	b := newBed(t, nil)
	for round := range 20 {
		for _, attack := range attacks {
			if len(attack.causes) > 0 {
				continue
			}
			b.call(attack.kind)
			if err := b.rollBack(); err != nil {
				t.Fatalf("round %d, %s: %v", round, attack.name, err)
			}
		}
	}
	if b.Stats.Layouts == 0 || b.Stats.Scans == 0 {
		t.Errorf("nothing was repaired: %+v", b.Stats)
	}
}
