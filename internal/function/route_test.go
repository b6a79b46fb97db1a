package function_test

import (
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestRoutesForTheSameRequestsHaveOnePattern(t *testing.T) {
	same := []function.Route{{Host: "a.b", Path: "/x/{id}/*"}, {Host: "a.b", Path: "/x/{name}/*"}}
	if same[0].Pattern() != same[1].Pattern() {
		t.Errorf("%q and %q differ", same[0].Pattern(), same[1].Pattern())
	}
	other := []function.Route{
		{Host: "a.b", Path: "/x/{id}"},
		{Host: "a.b", Path: "/x/id"},
		{Path: "/x/{id}/*"},
		{Host: "*.b", Path: "/x/{id}/*"},
		{Host: "a.b", Path: "/x/{id}/*/"},
	}
	for _, r := range other {
		if r.Pattern() == same[0].Pattern() {
			t.Errorf("%+v has the pattern of %+v", r, same[0])
		}
	}
}

func TestARouteIsReadAsItWasWritten(t *testing.T) {
	want := function.Route{
		Name: "n", Host: "*.example.org", Path: "/é/{id}/<&>/*", Function: function.Ref{Namespace: "a/b", ID: "c\"d"},
	}
	got, err := function.ParseRoute("n", want.Record())
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := function.ParseRoute("n", []byte("{")); err == nil {
		t.Error("a broken record is read")
	}
}
