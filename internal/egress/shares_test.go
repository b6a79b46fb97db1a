package egress

import (
	"strconv"
	"testing"
)

// takeAll takes as many connections as owner gets, and returns how many he holds then.
func takeAll(s *shares, owner string) int {
	for s.take(owner) {
	}
	return s.held[owner]
}

func TestOneAloneNeverTakesTheLastConnections(t *testing.T) {
	for _, row := range []struct{ total, alone, later int }{
		{1, 1, 0}, // there is nothing to share
		{2, 1, 1},
		{3, 2, 1},
		{8, 7, 1},
		{16, 14, 1},
		{64, 56, 7},
		{1024, 896, 112},
	} {
		t.Run(strconv.Itoa(row.total), func(t *testing.T) {
			s := newShares(row.total)
			if got := takeAll(s, "greedy"); got != row.alone {
				t.Errorf("one alone holds %d, want %d", got, row.alone)
			}
			if got := takeAll(s, "later"); got != row.later {
				t.Errorf("one that comes later holds %d, want %d", got, row.later)
			}
		})
	}
}

func TestManyWhoWantAllLeaveSomeForOneMore(t *testing.T) {
	s := newShares(1024)
	const greedy = 20
	for more := true; more; { // in turns
		more = false
		for i := range greedy {
			more = s.take(strconv.Itoa(i)) || more
		}
	}
	for i := range greedy {
		if held := s.held[strconv.Itoa(i)]; held < 45 || held > 55 {
			t.Errorf("one of %d holds %d", greedy, held)
		}
	}
	if !s.take("later") {
		t.Error("nothing is left for one more")
	}
}

func TestWhatIsGivenBackCanBeTaken(t *testing.T) {
	s := newShares(8)
	for range 2 {
		for range takeAll(s, "a") {
			s.give("a")
		}
		if len(s.held) != 0 || s.open.Load() != 0 {
			t.Fatalf("%v are held, %d are open", s.held, s.open.Load())
		}
	}
}
