//go:build linux && amd64

package rollback

import (
	"context"
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"
)

// What a page was in the snapshot.
const (
	wasAbsent = iota // reading it gave zeros, and no memory was taken
	wasThere
	isZeroed // it was absent, and has been zeroed since
)

// area is a mapping of the snapshot.
type area struct {
	mapping
	jit    bool // code of V8's making, which the worker itself may not write to as it is mapped
	hollow bool // a part without pages, which are not protected: hollow.go

	pages []*page // nil for what was absent; nil itself where nothing is to be put back, or nothing was noted
	state []uint8 // of each page: wasAbsent …
	heat  []uint8 // how often a page was written to of late
	slot  []int16 // the number of a page in the list, counted from 1; 0 for those that are not on it
	sums  []sum   // of pages that are not put back, for no call may write to them
}

// kept says whether the contents of the area are put back.
func (a *area) kept() bool { return a.hollow || a.state != nil }

// page is the number of the page at an address.
func (a *area) page(at uint64) int { return int((at - a.start) / pageSize) }

// address is where page i begins.
func (a *area) address(i int) uint64 { return a.start + uint64(i)*pageSize }

// content is what page i is to hold.
func (a *area) content(i int) []byte {
	if a.pages != nil && a.pages[i] != nil {
		return a.pages[i].content[:]
	}
	return zeros[:]
}

var zeros [pageSize]byte

// snapshot is a worker as it was.
type snapshot struct {
	areas   []area
	spans   []scanned // ranges that are scanned in one go: they hold no mapping that is not tracked
	bounds  []span    // of the mappings, which an area is a part of
	files   []file
	state   string // of proc.state
	heapEnd uint64
	listed  int // pages on the list
	since   int // rollbacks since the list was begun
}

// find is the area that holds an address; nil when none does.
func (s *snapshot) find(at uint64) *area {
	low, high := 0, len(s.areas)
	for low < high {
		if mid := (low + high) / 2; s.areas[mid].end <= at {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == len(s.areas) || s.areas[low].start > at {
		return nil
	}
	return &s.areas[low]
}

func (s *snapshot) drop(store *Store) {
	for i := range s.areas {
		store.drop(s.areas[i].pages)
	}
}

func (s *snapshot) judged() *judged {
	j := &judged{files: s.files}
	for i := range s.areas {
		j.mappings = append(j.mappings, s.areas[i].mapping)
	}
	return j
}

// Snapshot takes what the parked worker is now for what it is to be after each call. It can be taken once.
func (w *Worker) Snapshot() error {
	mappings, err := w.proc.mappings()
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	if err := uffdEnable(w.uffd); err != nil {
		return retire(Kernel, "userfaultfd: %v", err)
	}
	state, err := w.proc.stat()
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	if state.threads != 1 { // the registers of others cannot be put back
		return retire(Thread, "%d threads, not 1", state.threads)
	}
	w.snap = &snapshot{areas: make([]area, 0, len(mappings))}
	for i, m := range mappings {
		if m.heap {
			w.snap.heapEnd = m.end
		}
		if m.fixed {
			if m.writable() {
				return retire(Mapping, "%#x-%#x is shared and writable", m.start, m.end)
			}
			w.snap.areas = append(w.snap.areas, area{mapping: m})
			continue
		}
		if err := uffdTrack(w.uffd, m.start, m.end); err != nil {
			return retire(Kernel, "userfaultfd: tracking %#x-%#x: %v", m.start, m.end, err)
		}
		parts, err := w.areasOf(m, isJIT(mappings, i))
		if err != nil {
			return err
		}
		for k := range parts {
			a := &parts[k]
			switch {
			case a.hollow:
			case m.writable() || a.jit:
				err = w.copyArea(a)
			case m.prot != 0:
				err = w.sumConstant(a, fileBeside(mappings, i))
			}
			if err != nil {
				return err
			}
		}
		w.snap.areas = append(w.snap.areas, parts...)
	}
	if err := w.checkTrusted(); err != nil {
		return err
	}
	w.snap.findSpans()
	return w.beginTracking()
}

// isJIT says whether mapping i is code that V8 has made: neither of a file nor beside one, as copies of Node.js's own
// code in huge pages are.
func isJIT(all []mapping, i int) bool {
	m := &all[i]
	return m.anonymous() && m.prot&(unix.PROT_EXEC|unix.PROT_WRITE) == unix.PROT_EXEC && fileBeside(all, i) == 0
}

// fileBeside is the inode of the file whose mapping ends where mapping i begins, or begins where that ends; 0 for none.
func fileBeside(all []mapping, i int) uint64 {
	if i > 0 && all[i-1].end == all[i].start && all[i-1].inode != 0 {
		return all[i-1].inode
	}
	if i+1 < len(all) && all[i+1].start == all[i].end {
		return all[i+1].inode
	}
	return 0
}

// copyArea keeps the contents of the pages that are there.
func (w *Worker) copyArea(a *area) error {
	a.makeNotes()
	return w.eachContent(a, func(i int, content []byte) error {
		p, err := w.store.keep(content)
		if err != nil {
			return retire(Kernel, "%v", err)
		}
		a.pages[i], a.state[i] = p, wasThere
		return nil
	})
}

// buffers are what pages are read into, many in one system call.
var buffers = sync.Pool{New: func() any { return new([64 * pageSize]byte) }}

// eachContent calls do for the pages of an area that are in memory or in swap, with what they hold, which is valid
// until do returns.
func (w *Worker) eachContent(a *area, do func(i int, content []byte) error) error {
	return w.eachPresent(a, func(start, end uint64) error { return w.eachPage(a, start, end, do) })
}

// eachPage is eachContent for all pages from start to end.
func (w *Worker) eachPage(a *area, start, end uint64, do func(i int, content []byte) error) error {
	buffer := buffers.Get().(*[64 * pageSize]byte)
	defer buffers.Put(buffer)
	for at := start; at < end; {
		part := buffer[:min(uint64(len(buffer)), end-at)]
		if err := w.proc.readMemory(at, part); err != nil {
			return retire(Kernel, "reading %#x: %v", at, err)
		}
		for ; len(part) > 0; part = part[pageSize:] {
			if err := do(a.page(at), part[:pageSize]); err != nil {
				return err
			}
			at += pageSize
		}
	}
	return nil
}

// eachPresent calls do for the pages of an area that are in memory or in swap: bits 63 and 62 of their entries in
// /proc/PID/pagemap. Of a file all are: one that is not in memory reads as the file does, and not as zeros.
func (w *Worker) eachPresent(a *area, do func(start, end uint64) error) error {
	if a.inode != 0 {
		return do(a.start, a.end)
	}
	pagemap, err := w.proc.pagemap()
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	entries := make([]byte, 8*512)
	for at := a.start; at < a.end; {
		part := entries[:min(uint64(len(entries)), (a.end-at)/pageSize*8)]
		n, err := unix.Pread(pagemap, part, int64(at/pageSize*8))
		if err := complete(n, len(part), err); err != nil { // none of one that has died
			return retire(Kernel, "pagemap: %v", err)
		}
		for i := 0; i < n; {
			first := i
			for i < n && binary.NativeEndian.Uint64(part[i:])>>62 != 0 {
				i += 8
			}
			if i > first {
				if err := do(at+uint64(first/8)*pageSize, at+uint64(i/8)*pageSize); err != nil {
					return err
				}
				continue
			}
			i += 8
		}
		at += uint64(n/8) * pageSize
	}
	return nil
}

// beginTracking protects all pages and notes the state of the process.
func (w *Worker) beginTracking() error {
	for i := range w.snap.areas {
		a := &w.snap.areas[i]
		if a.fixed || a.hollow || a.prot == 0 { // pages without access are looked for by themselves
			continue
		}
		if err := w.protect(a.start, a.end); err != nil {
			return err
		}
	}
	var err error
	if w.snap.files, err = readFiles(w.pid); err != nil {
		return retire(Kernel, "%v", err)
	}
	for i := range w.snap.files {
		f := &w.snap.files[i]
		if stores, err := f.stores(w.pid); err != nil {
			return retire(Kernel, "%v", err)
		} else if stores { // what it holds is not compared
			return retire(Files, "a file is open that can be written to: %s", f.text)
		}
	}
	if w.snap.state, err = w.proc.state(); err != nil {
		return retire(Kernel, "%v", err)
	}
	mappings, err := w.proc.mappings()
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	w.snap.bounds = boundsOf(mappings)
	w.listener.judged.Store(w.snap.judged())
	w.list.setPages(0)
	if w.base, err = w.proc.stat(); err != nil {
		return retire(Kernel, "%v", err)
	}
	return nil
}

// resetEvents gives event descriptors the counts that they had. What is read away goes into the page with the stub's
// registers.
//
// A count that is not 0 is kept: libuv has noted in memory that it was written to, and would write no more.
func (w *Worker) resetEvents(ctx context.Context) error {
	var ops []op
	for _, f := range w.snap.files {
		if !f.event {
			continue
		}
		ops = append(ops, call(unix.SYS_READ, uint64(f.number), w.registers+pageSize/2, 8))
		if f.count > 0 {
			written := call(unix.SYS_WRITE, uint64(f.number), wordAt(len(ops)), 8)
			written.word = f.count
			ops = append(ops, written)
		}
	}
	return w.run(ctx, ops)
}
