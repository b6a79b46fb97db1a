//go:build linux && amd64

package rollback

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// file is what the host sees of a descriptor of a worker: where it leads, and its position, flags, counters and the
// descriptors that an epoll set waits for (proc(5), /proc/PID/fdinfo).
type file struct {
	number int
	text   string
	event  bool // an eventfd, whose count may be read away and written again
	count  uint64
	hidden bool // a pipe or a socket, of which not all is to be seen; not stdin, stdout, stderr: the host has their ends
}

// readFiles are the descriptors of a process, in order of their numbers.
func readFiles(pid int) ([]file, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	entries, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return nil, err
	}
	files := make([]file, 0, len(entries))
	for _, entry := range entries {
		number, err := strconv.Atoi(entry.Name())
		if err != nil {
			return nil, err
		}
		link, err := os.Readlink(filepath.Join(dir, "fd", entry.Name()))
		if err != nil {
			return nil, err
		}
		info, err := os.ReadFile(filepath.Join(dir, "fdinfo", entry.Name()))
		if err != nil {
			return nil, err
		}
		f := file{
			number: number, text: link + "\n" + string(info), event: link == "anon_inode:[eventfd]",
			hidden: number > 2 && (strings.HasPrefix(link, "pipe:") || strings.HasPrefix(link, "socket:")),
		}
		if f.event {
			if f.count, err = countIn(string(info)); err != nil {
				return nil, err
			}
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b file) int { return a.number - b.number })
	return files, nil
}

// stores says whether what a process writes to f can be read again from a file. The flags are in octal (proc(5)).
func (f *file) stores(pid int) (bool, error) {
	flags, err := strconv.ParseUint(fieldOf(f.text, "flags:"), 8, 64)
	if err != nil || flags&unix.O_ACCMODE == unix.O_RDONLY {
		return false, err
	}
	var of unix.Stat_t
	err = unix.Stat(filepath.Join("/proc", strconv.Itoa(pid), "fd", strconv.Itoa(f.number)), &of)
	return of.Mode&unix.S_IFMT == unix.S_IFREG, err
}

// countIn is the count of an eventfd: "eventfd-count:" and a hexadecimal number (proc(5)).
func countIn(info string) (uint64, error) {
	return strconv.ParseUint(fieldOf(info, "eventfd-count:"), 16, 64)
}

// fieldOf is what the line of info says that begins with name.
func fieldOf(info, name string) string {
	_, after, _ := strings.Cut("\n"+info, "\n"+name)
	text, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(text)
}

func hasFile(files []file, number uint64) bool {
	return slices.ContainsFunc(files, func(f file) bool { return uint64(f.number) == number })
}

// stat is what /proc/PID/stat says of a process: proc(5).
type stat struct {
	faults  uint64 // page faults so far
	threads int64
	signals [4]int64 // of the first 31 signals: which are pending, blocked, ignored and handled
}

func parseStat(text []byte) (s stat, err error) {
	at := len(text) - 1 // the name, in brackets, may hold anything
	for at >= 0 && text[at] != ')' {
		at--
	}
	field, value := 2, int64(0)
	for _, b := range text[at+1:] {
		if b >= '0' && b <= '9' {
			value = 10*value + int64(b-'0')
			continue
		}
		if b != ' ' && b != '\n' {
			continue
		}
		switch field {
		case 10, 12: // minflt, majflt
			s.faults += uint64(value)
		case 20:
			s.threads = value
		case 31, 32, 33, 34:
			s.signals[field-31] = value
		}
		if field == 34 {
			return s, nil
		}
		field++
		value = 0
	}
	return s, fmt.Errorf("unreadable state %q", text)
}
