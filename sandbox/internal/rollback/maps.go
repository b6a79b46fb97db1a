//go:build linux && amd64

package rollback

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mapping is a line of /proc/PID/maps: proc(5).
type mapping struct {
	start, end uint64
	prot       int // unix.PROT_*
	private    bool
	fixed      bool // of the kernel, or shared: what no worker may change, and what is not tracked
	heap       bool // the one that brk(2) moves

	offset, device, inode uint64
}

func (m *mapping) anonymous() bool { return m.inode == 0 && m.private && !m.fixed }
func (m *mapping) writable() bool  { return m.prot&unix.PROT_WRITE != 0 }
func (m *mapping) pages() int      { return int((m.end - m.start) / pageSize) }

// sameKind says whether both lead to the same, address for address, whatever their bounds and protection.
func (m *mapping) sameKind(o *mapping) bool {
	return m.private == o.private && m.inode == o.inode && m.device == o.device && m.fixed == o.fixed &&
		(m.inode == 0 || m.offset-m.start == o.offset-o.start)
}

// parseMaps reads the text of /proc/PID/maps.
func parseMaps(text []byte) ([]mapping, error) {
	all := make([]mapping, 0, 256)
	for line := range bytes.Lines(text) {
		m, err := parseMapping(strings.TrimSuffix(string(line), "\n"))
		if err != nil {
			return nil, err
		}
		if m.start >= 1<<63 { // vsyscall, which is the same page in every process
			continue
		}
		if len(all) > 0 && all[len(all)-1].end > m.start {
			return nil, fmt.Errorf("mappings out of order at %#x", m.start)
		}
		all = append(all, m)
	}
	return all, nil
}

func parseMapping(line string) (m mapping, err error) {
	fields := strings.Fields(line)
	if len(fields) < 5 || len(fields[1]) != 4 {
		return m, fmt.Errorf("unreadable mapping %q", line)
	}
	first, last, _ := strings.Cut(fields[0], "-")
	for _, number := range []struct {
		text string
		base int
		to   *uint64
	}{{first, 16, &m.start}, {last, 16, &m.end}, {fields[2], 16, &m.offset}, {fields[4], 10, &m.inode}} {
		if *number.to, err = strconv.ParseUint(number.text, number.base, 64); err != nil {
			return m, fmt.Errorf("unreadable mapping %q", line)
		}
	}
	major, minor, _ := strings.Cut(fields[3], ":")
	high, err := strconv.ParseUint(major, 16, 32)
	low, err2 := strconv.ParseUint(minor, 16, 32)
	if err != nil || err2 != nil {
		return m, fmt.Errorf("unreadable mapping %q", line)
	}
	m.device = unix.Mkdev(uint32(high), uint32(low))
	if m.end <= m.start || m.start%pageSize != 0 || m.end%pageSize != 0 {
		return m, fmt.Errorf("unreadable mapping %q", line)
	}
	for i, bit := range []int{unix.PROT_READ, unix.PROT_WRITE, unix.PROT_EXEC} {
		if fields[1][i] != '-' {
			m.prot |= bit
		}
	}
	m.private = fields[1][3] == 'p'
	name := strings.Join(fields[5:], " ")
	m.heap = name == "[heap]"
	m.fixed = !m.private || strings.HasPrefix(name, "[v")
	return m, nil
}
