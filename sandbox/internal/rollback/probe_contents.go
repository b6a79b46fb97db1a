//go:build linux && amd64

package rollback

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// testScanNamesContents tries what comparisons ask of scans: which pages must be read.
func testScanNamesContents() error {
	return onGround(func(g *ground) error {
		runtime.KeepAlive(g.memory[7*pageSize]) // the page of zeros is there, or none
		g.memory[9*pageSize]++
		held := make([]bool, probePages)
		if err := g.mark(held, g.start, g.end, heldPages); err != nil {
			return err
		}
		for i := range held {
			if !held[i] && (i%2 == 0 || i == 9) {
				return fmt.Errorf("the kernel does not say that page %d holds something", i)
			}
		}
		return g.testOwnPages()
	})
}

// testOwnPages writes to one of two pages of a file that are mapped privately.
func (g *ground) testOwnPages() (err error) {
	file, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer file.Close()
	pages, err := unix.Mmap(int(file.Fd()), 0, 2*pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	defer func() { err = errors.Join(err, unix.Munmap(pages)) }()
	pages[pageSize] = ^pages[pageSize] + pages[0]
	own, start := make([]bool, 2), addressOf(pages)
	if err := g.mark(own, start, start+2*pageSize, ownPages); err != nil {
		return err
	}
	if own[0] || !own[1] {
		return fmt.Errorf("the kernel says that a page of a file is a copy: %v, and that a copy is one: %v", own[0], own[1])
	}
	return nil
}

// mark notes which pages from start to end a scan finds.
func (g *ground) mark(found []bool, start, end uint64, q query) error {
	regions := make([]region, len(found))
	n, _, err := scan(g.pagemap, start, end, q, regions)
	if err != nil {
		return fmt.Errorf("PAGEMAP_SCAN: %w", err)
	}
	for _, r := range regions[:n] {
		for at := r.start; at < r.end; at += pageSize {
			found[(at-start)/pageSize] = true
		}
	}
	return nil
}
