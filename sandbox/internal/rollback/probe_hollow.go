//go:build linux && amd64

package rollback

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// testScanNamesNewPages is about memory that is tracked, and of which no page was there or protected.
func testScanNamesNewPages() error {
	return onGround(func(g *ground) error {
		anew := syscall.MAP_PRIVATE | syscall.MAP_ANON | syscall.MAP_FIXED
		if err := mapAt(g.start, g.end-g.start, unix.PROT_READ|unix.PROT_WRITE, anew); err != nil {
			return err
		}
		if err := uffdTrack(g.uffd, g.start, g.end); err != nil {
			return err
		}
		expect := func(want uint64) error {
			found := make([]region, probePages)
			n, _, err := scan(g.pagemap, g.start, g.end, newPages, found)
			if err != nil {
				return fmt.Errorf("PAGEMAP_SCAN: %w", err)
			}
			if n != 1 || found[0].start != g.start+want*pageSize || found[0].end != found[0].start+pageSize {
				return fmt.Errorf("the kernel names %d ranges, the first one %+v, and page %d is new", n, found[0], want)
			}
			return nil
		}
		g.memory[3*pageSize]++
		if err := expect(3); err != nil {
			return err
		}
		if err := g.protect(); err != nil { // of the others, too, which are not there
			return err
		}
		g.memory[5*pageSize]++
		if err := expect(5); err != nil {
			return err
		}
		if err := g.protect(); err != nil {
			return err
		}
		g.memory[3*pageSize]++
		return expect(3)
	})
}
