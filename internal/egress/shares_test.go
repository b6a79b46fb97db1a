package egress

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
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

func TestWhoHoldsTheFewestIsNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShares(8)
		takeAll(s, "greedy")
		s.take("other") // nothing is left
		var got []string
		wait := func(ctx context.Context, name, owner string) {
			go func() {
				if s.wait(ctx, owner) {
					got = append(got, name)
				}
			}()
			synctest.Wait()
		}
		gone, leave := context.WithCancel(t.Context())
		wait(t.Context(), "greedy 1", "greedy")
		wait(gone, "other 0", "other")
		wait(t.Context(), "other 1", "other")
		wait(t.Context(), "other 2", "other")
		wait(t.Context(), "new", "new")
		leave()
		synctest.Wait()
		for _, want := range []string{"new", "", "other 1", "other 2"} { // the last free place is for one who has none
			got = nil
			s.give("greedy")
			synctest.Wait()
			if len(got) > 1 || len(got) == 1 && got[0] != want || len(got) == 0 && want != "" {
				t.Errorf("got %v, want %q", got, want)
			}
		}
		if len(s.waiting) != 1 {
			t.Errorf("%d wait still, want 1", len(s.waiting))
		}
		s.give("greedy")
		synctest.Wait()
		if len(s.waiting) != 0 {
			t.Error("the first one waits still")
		}
	})
}
