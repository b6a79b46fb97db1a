//go:build linux && amd64

package rollback

import (
	"fmt"
	"sync"
)

// promise is something that the kernel or the processor must do for a worker to be rolled back.
type promise struct {
	name  string
	since string       // from which version on
	test  func() error // tries it by effect: a kernel that takes a call without doing anything is refused
}

// promises are all that the mechanism rests on.
var promises = []promise{
	{"instructions for the FS and GS base, and XSAVE", "Linux 5.9, a processor of 2012", testProcessor},
	{"userfaultfd for faults of user mode, by anybody", "Linux 5.11", testUserfaultfd},
	{"asynchronous write protection of pages that are there or not", "Linux 6.7", testFeatures},
	{"a scan names exactly the pages that were written since they were protected", "Linux 6.7", testScanNamesWrites},
	{"a scan protects anew what it names", "Linux 6.7", testScanProtects},
	{"a new page counts as written where nothing is protected, until it is", "Linux 6.7", testScanNamesNewPages},
	{"a scan refuses mappings that are not tracked", "Linux 6.7", testScanRefusesUntracked},
	{
		"a scan tells what holds something from the page of zeros, and copies of pages of a file from these", "Linux 6.7",
		testScanNamesContents,
	},
	{"the first write to a protected page counts as a page fault, the second one does not", "Linux 2.6", testFaultsCount},
	{"the host can write to protected pages, which is seen", "Linux 6.7", testHostWrites},
	{"MADV_DONTNEED takes no protection from other pages", "Linux 6.7", testDropKeepsProtection},
	{"a notification names the instruction, and its answer is what the call returns", "Linux 5.5", testNotification},
	{"a sealed list cannot be written to through a mapping that was made after the seal", "Linux 5.1", testSeal},
}

// probed is the outcome of the promises' tests: it does not change while a kernel runs.
var probed = sync.OnceValue(func() error { return probe(promises) })

// Probe tries every promise of the kernel and of the processor, once in the life of this process. Its error wraps
// ErrUnsupported and names the first one that is not kept.
func Probe() error { return probed() }

func probe(promises []promise) error {
	for _, p := range promises {
		if err := p.test(); err != nil {
			return fmt.Errorf("%w: %s (%s): %w", ErrUnsupported, p.name, p.since, err)
		}
	}
	return nil
}
