package sandbox

import "testing"

func TestPoolsGetIDsThatTheServerHas(t *testing.T) {
	const all, rootless, few = "0 0 4294967295\n", "0 1000 1\n1 100000 65536\n", "0 1000 1\n"
	for _, test := range []struct {
		index        int
		uids, gids   string
		first, count int
		ok           bool
	}{
		{0, all, all, 0x70000000, 0x10000, true},
		{2, all, all, 0x70020000, 0x10000, true},
		{0, rootless, rootless, 65537 - 0x4000, 0x4000, true},
		{1, all, rootless, 65537 - 0x8000, 0x4000, true},
		{3, rootless, rootless, 0, 0, false},
		{0, few, few, 0, 0, false},
		{0, all, "", 0, 0, false},
		{0, "no map\n", "no map\n", 0, 0, false},
	} {
		first, count, ok := chooseIDs(test.index, test.uids, test.gids)
		if ok != test.ok || ok && (first != test.first || count != test.count) {
			t.Errorf("pool %d of %q and %q: %#x, %#x, %v, want %#x, %#x, %v", test.index, test.uids, test.gids, first, count, ok, test.first, test.count, test.ok)
		}
	}
}
