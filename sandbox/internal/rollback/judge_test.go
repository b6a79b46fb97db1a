//go:build linux && amd64

package rollback

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestCallsAreJudgedByWhatTheyLeave(t *testing.T) {
	const spoilt = taintLayout | taintOther
	j := &judged{
		mappings: []mapping{
			{start: 0x10000, end: 0x20000, prot: unix.PROT_READ | unix.PROT_EXEC, private: true, inode: 7},
			{start: 0x20000, end: 0x30000, prot: unix.PROT_READ | unix.PROT_WRITE, private: true},
			{start: 0x40000, end: 0x41000, prot: unix.PROT_READ | unix.PROT_EXEC, private: true, fixed: true},
		},
		files: []file{{number: 0}, {number: 5, event: true}, {number: 6}, {number: 7, hidden: true}},
	}
	for name, row := range map[string]struct {
		number int32
		args   [6]uint64
		want   taint
	}{
		"mmap somewhere":           {unix.SYS_MMAP, [6]uint64{0, 0x1000, 3, unix.MAP_PRIVATE | unix.MAP_ANON}, taintLayout},
		"mmap, a hint at code":     {unix.SYS_MMAP, [6]uint64{0x10000, 0x1000, 3, unix.MAP_PRIVATE}, taintLayout},
		"mmap over code":           {unix.SYS_MMAP, [6]uint64{0x1f000, 0x2000, 3, unix.MAP_FIXED}, spoilt},
		"mprotect of data":         {unix.SYS_MPROTECT, [6]uint64{0x20000, 0x1000, 0}, taintLayout},
		"mprotect of code":         {unix.SYS_MPROTECT, [6]uint64{0x10000, 0x1000, 7}, spoilt},
		"mprotect of all":          {unix.SYS_MPROTECT, [6]uint64{0, ^uint64(0), 7}, spoilt},
		"mprotect too far":         {unix.SYS_MPROTECT, [6]uint64{^uint64(0), 0x1000, 7}, spoilt},
		"munmap of the vdso":       {unix.SYS_MUNMAP, [6]uint64{0x40000, 0x1000}, spoilt},
		"mremap":                   {unix.SYS_MREMAP, [6]uint64{0x20000, 0x1000, 0x2000, unix.MREMAP_MAYMOVE}, taintOther},
		"mmap, not to read":        {unix.SYS_MMAP, [6]uint64{0, 0x1000, unix.PROT_EXEC, unix.MAP_PRIVATE}, spoilt},
		"mprotect, not to read":    {unix.SYS_MPROTECT, [6]uint64{0x20000, 0x1000, unix.PROT_EXEC}, spoilt},
		"mprotect of new code":     {unix.SYS_MPROTECT, [6]uint64{0x50000, 0x1000, 5}, taintLayout},
		"a mark for forks":         {unix.SYS_MADVISE, [6]uint64{0x2f000, 0x2000, unix.MADV_DONTFORK}, spoilt},
		"a mark is lifted":         {unix.SYS_MADVISE, [6]uint64{0x20000, 0x1000, unix.MADV_DOFORK}, spoilt},
		"a mark on what is new":    {unix.SYS_MADVISE, [6]uint64{0x30000, 0x1000, unix.MADV_DONTFORK}, taintLayout},
		"flags by fcntl":           {unix.SYS_FCNTL, [6]uint64{6, unix.F_SETFL, 0}, taintFiles},
		"a pipe's size":            {unix.SYS_FCNTL, [6]uint64{0, unix.F_SETPIPE_SZ, 1 << 20}, taintFiles | taintOther},
		"whether it is a terminal": {unix.SYS_IOCTL, [6]uint64{0, unix.TCGETS}, taintFiles},
		"how an epoll waits":       {unix.SYS_IOCTL, [6]uint64{6, 0x40088a01}, taintFiles | taintOther},
		"the snapshot's option":    {unix.SYS_SETSOCKOPT, [6]uint64{7}, taintFiles | taintOther},
		"an option of a new one":   {unix.SYS_SETSOCKOPT, [6]uint64{9}, taintFiles},
		"madvise that drops":       {unix.SYS_MADVISE, [6]uint64{0x20000, 0x1000, unix.MADV_DONTNEED}, taintLayout},
		"madvise that marks":       {unix.SYS_MADVISE, [6]uint64{0x20000, 0x1000, unix.MADV_DONTDUMP}, spoilt},
		"a group's number":         {unix.SYS_GETEGID, [6]uint64{}, 0},
		"brk":                      {unix.SYS_BRK, [6]uint64{0x30000}, taintLayout | taintBreak},
		"open to read":             {unix.SYS_OPENAT, [6]uint64{0, 0, unix.O_RDONLY | unix.O_CLOEXEC}, taintFiles},
		"open to write":            {unix.SYS_OPENAT, [6]uint64{0, 0, unix.O_WRONLY}, taintFiles | taintOther},
		"open to make":             {unix.SYS_OPEN, [6]uint64{0, unix.O_CREAT}, taintFiles | taintOther},
		"open a directory":         {unix.SYS_OPEN, [6]uint64{0, unix.O_DIRECTORY}, taintFiles},
		"open without a name":      {unix.SYS_OPEN, [6]uint64{0, unix.O_TMPFILE}, taintFiles | taintOther},
		"write to an event":        {unix.SYS_WRITE, [6]uint64{5}, taintEvents},
		"write elsewhere":          {unix.SYS_WRITE, [6]uint64{8}, taintFiles},
		"write to a pipe":          {unix.SYS_WRITEV, [6]uint64{7}, taintOther},
		"write with more bits":     {unix.SYS_WRITE, [6]uint64{1<<32 | 7}, taintOther},
		"read from an event":       {unix.SYS_READ, [6]uint64{5}, 0},
		"read from a file":         {unix.SYS_READ, [6]uint64{6}, taintFiles},
		"read from a pipe":         {unix.SYS_READV, [6]uint64{7}, taintOther},
		"read elsewhere":           {unix.SYS_READ, [6]uint64{8}, 0},
		"dup of a pipe":            {unix.SYS_DUP, [6]uint64{7}, taintFiles | taintOther},
		"dup of a pipe by fcntl":   {unix.SYS_FCNTL, [6]uint64{7, unix.F_DUPFD, 20}, taintFiles | taintOther},
		"dup of a pipe elsewhere":  {unix.SYS_DUP2, [6]uint64{7, 9}, taintFiles | taintOther},
		"close with more bits":     {unix.SYS_CLOSE, [6]uint64{1<<32 | 6}, taintFiles | taintOther},
		"a return from a signal":   {unix.SYS_RT_SIGRETURN, [6]uint64{}, taintOther},
		"madvise that may drop":    {unix.SYS_MADVISE, [6]uint64{0x20000, 0x1000, unix.MADV_FREE}, spoilt},
		"madvise of what is new":   {unix.SYS_MADVISE, [6]uint64{0x30000, 0x1000, unix.MADV_FREE}, taintLayout},
		"dup over nothing":         {unix.SYS_DUP2, [6]uint64{6, 9}, taintFiles},
		"dup over the snapshot's":  {unix.SYS_DUP3, [6]uint64{9, 6}, taintFiles | taintOther},
		"close":                    {unix.SYS_CLOSE, [6]uint64{9}, taintFiles},
		"close of the snapshot's":  {unix.SYS_CLOSE, [6]uint64{0}, taintFiles | taintOther},
		"a thread":                 {unix.SYS_CLONE, [6]uint64{}, taintOther},
		"a handler":                {unix.SYS_RT_SIGACTION, [6]uint64{}, taintControl | taintOther},
		"a restartable sequence":   {unix.SYS_RSEQ, [6]uint64{}, taintControl | taintOther},
		"a file's name":            {unix.SYS_MKDIRAT, [6]uint64{}, taintOther},
		"a call that is not known": {9999, [6]uint64{}, taintOther},
	} {
		if got := j.judge(row.number, &row.args); got != row.want {
			t.Errorf("%s: got %b, want %b", name, got, row.want)
		}
	}
}
