//go:build linux && amd64

package rollback

import (
	"errors"
	"strings"
	"testing"
)

// A kernel that does not know the mechanism is refused, and says so: the tests of the promises need no more.
func needProbe(t *testing.T) {
	t.Helper()
	if err := Probe(); err != nil {
		t.Skipf("this machine cannot roll workers back: %v", err)
	}
}

func TestEveryPromiseIsKept(t *testing.T) {
	needProbe(t)
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			if p.since == "" {
				t.Error("it does not say since when")
			}
			if err := p.test(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Twice as many promises as there are file descriptors would show one that leaks.
func TestProbeLeavesNothingOpen(t *testing.T) {
	needProbe(t)
	before := openDescriptors(t)
	for range 20 {
		if err := probe(promises); err != nil {
			t.Fatal(err)
		}
	}
	if after := openDescriptors(t); after > before+5 {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

func TestAPromiseThatIsBrokenIsNamed(t *testing.T) {
	err := probe([]promise{{"kept", "Linux 1", func() error { return nil }}, {"water is dry", "Linux 9", func() error { return errors.New("it is wet") }}})
	if !errors.Is(err, ErrUnsupported) {
		t.Errorf("got %v", err)
	}
	for _, part := range []string{"water is dry", "Linux 9", "it is wet"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
}

// A kernel that takes the calls without doing anything, as some do for soft-dirty bits, is not believed.
func TestAKernelThatLiesIsRefused(t *testing.T) {
	needProbe(t)
	for name, lie := range map[string]func(g *ground) error{
		"a write that is not told": func(g *ground) error {
			g.memory[3*pageSize]++
			return errors.Join(g.protect(), g.expect(3))
		},
		"a write that never was": func(g *ground) error {
			g.memory[3*pageSize]++
			return g.expect()
		},
	} {
		if err := onGround(lie); err == nil || !strings.Contains(err.Error(), "the kernel says") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
