package jail

import (
	"os"
	"testing"
)

// Ranges of a size that nobody else on the machine uses, so that the test takes none from those who run beside it.
func TestNoTwoServersHaveTheSameIDs(t *testing.T) {
	const maps = "0 0 300000\n"
	taken := map[Users]bool{}
	var all []Claim
	for i := range 5 { // as if each was of another process: what they have in common is the kernel
		users, held, ok := claimIDs(maps, maps, 7)
		if !ok {
			t.Fatalf("claim %d found nothing", i)
		}
		if taken[users] {
			t.Errorf("%+v was claimed twice", users)
		}
		taken[users] = true
		all = append(all, held)
	}
	for _, held := range all {
		if err := held.Close(); err != nil {
			t.Error(err)
		}
	}
	users, held, ok := claimIDs(maps, maps, 7)
	if !ok || !taken[users] {
		t.Errorf("what was given back is not free: %+v, %v", users, ok)
	}
	if ok {
		_ = held.Close()
	}
}

func TestRangesOfTheHostAreClaimedFromAnywhere(t *testing.T) {
	const all = "0 0 4294967295\n"
	for _, start := range []int{0, 1, hostRanges - 1} {
		first, held, ok := claimIDs(all, all, start)
		if !ok {
			t.Fatalf("from %d on nothing is free", start)
		}
		second, again, ok := claimIDs(all, all, start)
		if !ok || second == first || second.Count != hostIDs || second.FirstUID < firstHostID {
			t.Errorf("from %d on: %+v, then %+v", start, first, second)
		}
		for _, c := range []Claim{held, again} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	users, held, many := ClaimUsers()
	if !many || users.Count < fewIDs {
		t.Fatalf("root got %+v, many %v", users, many)
	}
	if err := held.Close(); err != nil {
		t.Error(err)
	}
}

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
