package sandbox

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// refuseMany notes so many functions of a group, and returns how many of the group are known then.
func (r *fallbackRig) refuseMany(group string, n int) int {
	for i := range n {
		inv := *r.inv
		inv.Key, inv.Group = group+"/"+strconv.Itoa(i), group
		r.refuse(&inv, ReplacedUnprepared, "x")
	}
	if g := r.groups[group]; g != nil {
		return len(g.of)
	}
	return 0
}

func TestFallbacksAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFallbackRig()
		for group := range mostFallbacks + 10 {
			r.refuseMany(strconv.Itoa(group), 1)
		}
		if len(r.of) != mostFallbacks || len(r.groups) != mostFallbacks {
			t.Errorf("%d of %d groups are known", len(r.of), len(r.groups))
		}
		time.Sleep(firstFallback)
		r.refuse(r.inv, ReplacedUnprepared, "y")
		if got := r.list("", true); len(got) != 1 || got[0].Reason != "y" || len(r.groups) != 1 {
			t.Errorf("then there are %d of %d groups", len(got), len(r.groups))
		}
	})
}

// A group with more functions than there is room for leaves as much for others, and these do.
func TestFallbacksOfOneGroupLeaveRoomForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFallbackRig()
		for i, most := range []int{mostFallbacks / 2, mostFallbacks / 4, mostFallbacks / 8} {
			got := r.refuseMany(strconv.Itoa(i), 2*mostFallbacks)
			if got > most || got < most-5 {
				t.Errorf("group %d: %d are known, want %d or a few less", i, got, most)
			}
		}
		if got := r.refuseMany("one more", 1); got != 1 {
			t.Error("there is no room for a function of another group")
		}
		time.Sleep(firstFallback) // what a group has had makes room for more of its own, and takes nothing from others
		want := len(r.groups["1"].of)
		r.groups["0"].of["0/0"].Until = time.Now().Add(time.Minute)
		inv := *r.inv
		inv.Key, inv.Group = "another", "0"
		r.refuse(&inv, ReplacedUnprepared, "y")
		if got := len(r.groups["0"].of); got != 2 || len(r.groups["1"].of) != want {
			t.Errorf("then %d are known of group 0 and %d of group 1, not 2 and %d", got, len(r.groups["1"].of), want)
		}
	})
}

// A function that is counted and not yet served otherwise is not forgotten because another group is at its limit.
func TestWhoFillsTheirRoomForgetsNothingOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFallbackRig()
		r.ends(mostEnded - 1)
		for range 3 {
			r.refuseMany("others", mostFallbacks)
			time.Sleep(sweepEvery)
		}
		if r.ends(1); !r.own() {
			t.Error("the function has to end three workers anew")
		}
	})
}
