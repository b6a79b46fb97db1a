package usage

import (
	"testing"
	"time"
)

// Who has a rate gives no key more than it allows, whatever the times are that the two rates are for.
func TestARateWithinAnotherExceedsNeither(t *testing.T) {
	for _, row := range []struct{ own, most, want string }{
		{"", "10/s", "10/s"},
		{"10/s", "", "10/s"},
		{"5/s", "10/s", "5/s"},
		{"20/s", "10/s", "10/s"},
		{"3600/h", "1/s", "1/s"},   // as many in the long run, but 3,600 at once
		{"1/s", "3600/h", "1/s"},   // which the other way round is no more
		{"1800/h", "1/s", "1/m"},   // fewer in the long run, but more at once
		{"10/s", "3600/h", "10/m"}, // the other way round
		{"200/m", "100/s", "100/m"},
		{"60/m", "3600/h", "60/m"},
		{"1/h", "1/s", "1/h"},
		{"1000000000/s", "1000000000/h", "1000000000/h"},
	} {
		own, most := parsed(t, row.own), parsed(t, row.most)
		got := Limits{Rate: own}.Within(Limits{Rate: most}).Rate
		if got.String() != row.want {
			t.Errorf("%s within %s is %s, want %s", row.own, row.most, got, row.want)
		}
		for _, bound := range []Rate{own, most} {
			if bound.IsSet() && !got.allowsNoMore(bound) {
				t.Errorf("%s within %s allows more than %s", row.own, row.most, bound)
			}
		}
	}
}

func TestQuotasWithinOthers(t *testing.T) {
	own := Limits{Quotas: Quotas{Calls: 5, CPU: time.Hour}}
	most := Limits{Quotas: Quotas{Calls: 10, CPU: time.Minute, Egress: 7}}
	if got, want := own.Within(most).Quotas, (Quotas{Calls: 5, CPU: time.Minute, Egress: 7}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func parsed(t *testing.T, text string) Rate {
	t.Helper()
	r, err := ParseRate(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
