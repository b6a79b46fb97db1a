package zygote

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHeapIsThatOfV8AndOfMalloc(t *testing.T) {
	for line, want := range map[string]Range{
		"3ea27e940000-3ea27e980000 rw-p 00000000 00:00 0 \n":                                     {0x3ea27e940000, 0x40000},
		"2aebd7d00000-2aebd7e0b000 rw-p 00000000 00:00 0 \n":                                     {0x2aebd7d00000, 0x10b000},
		"14c53000-1af20000 rw-p 00000000 00:00 0                                  [heap]\n":      {0x14c53000, 0x62cd000},
		"3ea27e940000-3ea27e980000 r--p 00000000 00:00 0 \n":                                     {},
		"3ea27e940000-3ea27e980000 rwxp 00000000 00:00 0 \n":                                     {},
		"3ea27e940000-3ea27e980000 rw-s 00000000 00:00 0 \n":                                     {},
		"3ea27e941000-3ea27e980000 rw-p 00000000 00:00 0 \n":                                     {},
		"7f4f2c000000-7f4f2c0cc000 rw-p 00000000 00:00 0 \n":                                     {},
		"7ffe1c000000-7ffe1c040000 rw-p 00000000 00:00 0                          [stack]\n":     {},
		"06b40000-06b7d000 rw-p 06755000 fe:00 5333205                            /usr/node\n":   {},
		"3ea27e940000-3ea27e980000 rw-p 00000000 00:01 24617                      /memfd:heap\n": {},
		"3ea27e980000-3ea27e940000 rw-p 00000000 00:00 0 \n":                                     {},
		"x-3ea27e940000 rw-p 00000000 00:00 0 \n":                                                {},
		"\n": {},
	} {
		got, ok := heapMapping(line)
		if got != want && ok || ok != (want != Range{}) {
			t.Errorf("%q: %+v %v, want %+v", line, got, ok, want)
		}
	}
}

func TestLongRunsOfPagesAreGathered(t *testing.T) {
	const start = 0x100000
	page := func(first, n int) Range {
		return Range{Start: start + uint64(first)*pageSize, Length: uint64(n) * pageSize}
	}
	x, o := func(n int) string { return strings.Repeat("x", n) }, func(n int) string { return strings.Repeat("o", n) }
	for pages, want := range map[string][]Range{
		"":                               nil,
		o(100):                           nil,
		x(leastGathered - 1):             nil,
		x(leastGathered):                 {page(0, leastGathered)},
		o(3) + x(40) + o(5):              {page(3, 40)},
		x(20) + o(mostGap) + x(20):       {page(0, 40+mostGap)},
		x(20) + o(mostGap+1) + x(20):     nil,
		x(40) + o(mostGap+1) + x(40):     {page(0, 40), page(41+mostGap, 40)},
		x(31) + o(100) + x(32) + o(1):    {page(131, 32)},
		x(1) + o(1) + x(1) + o(9) + x(1): nil,
	} {
		var present []bool
		for _, is := range pages {
			present = append(present, is == 'x')
		}
		if got := runs(start, present); !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", pages, got, want)
		}
	}
}

func TestPresentPagesAreThoseInMemory(t *testing.T) {
	const pages = 64
	memory, err := unix.Mmap(-1, 0, pages*pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Madvise(memory, unix.MADV_NOHUGEPAGE); err != nil {
		t.Fatal(err)
	}
	memory[3*pageSize], memory[10*pageSize+7] = 1, 1
	pagemap, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	present, err := presentPages(pagemap, Range{Start: addressOf(memory), Length: pages * pageSize})
	if err != nil {
		t.Fatal(err)
	}
	for i, is := range present {
		if is != (i == 3 || i == 10) {
			t.Errorf("page %d: %v", i, is)
		}
	}
	if len(present) != pages {
		t.Errorf("%d pages", len(present))
	}
	if _, err := presentPages(strings.NewReader("12345678"), Range{Length: 2 * pageSize}); err == nil {
		t.Error("what cannot be read is taken for an answer")
	}
	if err := errors.Join(unix.Munmap(memory), pagemap.Close()); err != nil {
		t.Error(err)
	}
}

// The heap is that of this process, which like V8's is made of large mappings.
func TestSettleGathersTheHeapLast(t *testing.T) {
	z, s := newZygote(t)
	requests := make(chan [][]byte, 1)
	go func() {
		var all [][]byte
		for range 3 {
			msg := make([]byte, 1<<16)
			n, err := unix.Read(s.fd, msg)
			if err != nil {
				t.Error(err)
			}
			all = append(all, msg[:n])
			s.report(reportBorn, 0, 0, nil)
		}
		requests <- all
	}()
	if err := z.Settle(os.Getpid(), true); err != nil {
		t.Error(err)
	}
	all := <-requests
	for i, want := range []uint32{requestSettle, requestUnshareHeap, requestGatherHeap} {
		if kind := binary.NativeEndian.Uint32(all[i]); kind != want {
			t.Errorf("request %d is of kind %d", i, kind)
		}
	}
	if ranges := binary.NativeEndian.Uint32(all[2][8:]); ranges == 0 || len(all[2]) != requestSize+16*int(ranges) {
		t.Errorf("%d ranges in %d bytes", ranges, len(all[2]))
	}
	if err := errors.Join(unix.Close(s.fd), z.Close()); err != nil {
		t.Error(err)
	}
}
