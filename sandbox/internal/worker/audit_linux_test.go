package worker

import "testing"

func TestOneRollbackInSoManyIsAudited(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1} {
		if got := untilAudit(n); got != want {
			t.Errorf("one in %d is the %dth", n, got)
		}
	}
	const n, draws = 10, 100_000
	sum, first, most := 0, 0, 0
	for range draws {
		until := untilAudit(n)
		if until < 1 {
			t.Fatalf("one in %d is the %dth", n, until)
		}
		if until == 1 {
			first++
		}
		sum, most = sum+until, max(most, until)
	}
	// The standard deviations are 0.03 and 95.
	if mean := float64(sum) / draws; mean < n-1 || mean > n+1 {
		t.Errorf("one in %.2f is audited, want one in %d", mean, n)
	}
	if first < draws/n-1000 || first > draws/n+1000 || most < 2*n {
		t.Errorf("of %d workers %d are audited with their first rollback, and none after %d", draws, first, most)
	}
}
