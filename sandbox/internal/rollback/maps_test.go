//go:build linux && amd64

package rollback

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMappingsAreRead(t *testing.T) {
	const text = `00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/node
00e03000-00e24000 rw-p 00000000 00:00 0           [heap]
35b1800000-35b1820000 ---p 00000000 00:00 0
200000000000-200000210000 r--s 00000000 00:01 1042 /memfd:rollback (deleted)
7fffb2c0d000-7fffb2c2e000 rw-p 00000000 00:00 0   [stack]
7fffb2d48000-7fffb2d49000 r-xp 00000000 00:00 0   [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
`
	got, err := parseMaps([]byte(text))
	want := []mapping{
		{
			start: 0x400000, end: 0x452000, prot: unix.PROT_READ | unix.PROT_EXEC, private: true,
			offset: 0x1000, device: 0x802, inode: 173521,
		},
		{start: 0xe03000, end: 0xe24000, prot: unix.PROT_READ | unix.PROT_WRITE, private: true, heap: true},
		{start: 0x35b1800000, end: 0x35b1820000, private: true},
		{start: 0x200000000000, end: 0x200000210000, prot: unix.PROT_READ, fixed: true, device: 1, inode: 1042},
		{start: 0x7fffb2c0d000, end: 0x7fffb2c2e000, prot: unix.PROT_READ | unix.PROT_WRITE, private: true},
		{start: 0x7fffb2d48000, end: 0x7fffb2d49000, prot: unix.PROT_READ | unix.PROT_EXEC, private: true, fixed: true},
	}
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d mappings, %v", len(got), err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}

func TestUnreadableMappingsAreRefused(t *testing.T) {
	for _, text := range []string{
		"nonsense\n", "1000-2000 rw\n", "1000-1000 rw-p 0 0:0 0\n", "2000-1000 rw-p 0 0:0 0\n", "1001-2000 rw-p 0 0:0 0\n",
		"1000-2000 rw-p x 0:0 0\n", "1000-2000 rw-p 0 0:0 x\n", "3000-4000 rw-p 0 0:0 0\n1000-2000 rw-p 0 0:0 0\n",
	} {
		if got, err := parseMaps([]byte(text)); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

func FuzzMappings(f *testing.F) {
	own, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := parseMaps(text)
		if err != nil {
			return
		}
		at := uint64(0)
		for _, m := range all {
			if m.start < at || m.end <= m.start {
				t.Fatalf("%#x-%#x after %#x", m.start, m.end, at)
			}
			at = m.end
		}
	})
}
