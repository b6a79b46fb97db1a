package zygote

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Memory of V8's is at random addresses, which have as many bits at most, in pages of its own whose size is a multiple
// of this one. What the kernel and malloc choose addresses for is above them.
const (
	randomBits = 46
	pageOfV8   = 256 << 10
)

const (
	pageSize = 4096
	// leastGathered and mostGap are numbers of pages: each range that is moved may be a mapping more, which costs a fork
	// as much as a few pages do.
	leastGathered = 32
	mostGap       = 8
)

// gatherHeapLocked has the zygote, which is process pid, move its heap into huge pages, at the same addresses: a fork
// notes the places of pages that lie side by side together. The zygote must run no more JavaScript. A heap that cannot
// be found stays as it is.
func (z *Zygote) gatherHeapLocked(pid int) error {
	ranges := heapOf(pid)
	if len(ranges) == 0 {
		return nil
	}
	if _, err := z.conn.Write(rangesRequest(requestGatherHeap, ranges)); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	_, err := z.awaitBirth()
	return err
}

// heapOf are the ranges of the heap of process pid that are in memory; none if that cannot be learnt.
func heapOf(pid int) (ranges []Range) {
	if os.Getpagesize() != pageSize {
		return nil
	}
	dir := "/proc/" + strconv.Itoa(pid)
	maps, err := os.ReadFile(dir + "/maps")
	if err != nil {
		return nil
	}
	pages, err := os.Open(dir + "/pagemap")
	if err != nil {
		return nil
	}
	defer pages.Close()
	for line := range strings.Lines(string(maps)) {
		mapping, ok := heapMapping(line)
		if !ok {
			continue
		}
		present, err := presentPages(pages, mapping)
		if err != nil {
			return nil
		}
		ranges = append(ranges, runs(mapping.Start, present)...)
	}
	return ranges[:min(len(ranges), maxRanges)]
}

// heapMapping is the mapping that a line of /proc/PID/maps (proc(5)) tells of, if it is memory of V8's heap or of
// malloc's that is written to and not executed.
func heapMapping(line string) (Range, bool) {
	fields := strings.Fields(line)
	if len(fields) < 5 || fields[1] != "rw-p" || fields[4] != "0" {
		return Range{}, false
	}
	first, last, _ := strings.Cut(fields[0], "-")
	start, err1 := strconv.ParseUint(first, 16, 64)
	end, err2 := strconv.ParseUint(last, 16, 64)
	if err1 != nil || err2 != nil || end <= start {
		return Range{}, false
	}
	malloc := len(fields) == 6 && fields[5] == "[heap]"
	v8 := len(fields) == 5 && start%pageOfV8 == 0 && start < 1<<randomBits
	return Range{Start: start, Length: end - start}, malloc || v8
}

// presentPages says of each page of a mapping whether it is in memory: bit 63 in /proc/PID/pagemap (proc(5)).
func presentPages(pagemap io.ReaderAt, mapping Range) ([]bool, error) {
	const entry, present = 8, 1 << 63
	text := make([]byte, mapping.Length/pageSize*entry)
	n, err := pagemap.ReadAt(text, int64(mapping.Start/pageSize*entry))
	if n < len(text) {
		return nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	pages := make([]bool, 0, len(text)/entry)
	for at := 0; at < len(text); at += entry {
		pages = append(pages, binary.NativeEndian.Uint64(text[at:])&present != 0)
	}
	return pages, nil
}

// runs are the ranges of pages from start on that are present, but for small gaps, and that are long enough to be worth
// a mapping.
func runs(start uint64, present []bool) (found []Range) {
	first, last := -1, -1 // of the run so far
	end := func() {
		if first >= 0 && last-first+1 >= leastGathered {
			found = append(found, Range{Start: start + uint64(first)*pageSize, Length: uint64(last-first+1) * pageSize})
		}
		first = -1
	}
	for i, is := range present {
		switch {
		case !is:
			continue
		case first >= 0 && i-last-1 > mostGap:
			end()
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	end()
	return found
}
