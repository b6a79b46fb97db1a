package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// numberedQuery is steps[first]=n/first&… up to last.
func numberedQuery(first, last int) string {
	var params []string
	for i := first; i <= last; i++ {
		params = append(params, fmt.Sprintf("steps[%d]=n/%d", i, i))
	}
	return strings.Join(params, "&")
}

func TestStepsMayHaveAnyNumber(t *testing.T) {
	for query, want := range map[string]string{
		numberedQuery(0, 99):                                    "n/0 n/1 n/2 … n/99, 100",
		"steps[21]=n/b&steps[3]=n/a":                            "n/a n/b, 2",
		"steps[100]=n/c&steps[0]=n/a&steps[20]=n/b&steps[x]=no": "",
		"steps[21]=n/a&steps[021]=n/b":                          "",
		"steps[21]=n/a&steps[-1]=n/b":                           "",
		"steps[21]=n/a&steps[22][0]=n/b":                        "",
		"steps[21]=n/a&steps[21]=n/b":                           "",
	} {
		steps, _, err := stepsOf(qs.Parse(query), DefaultMaxSteps)
		var names []string
		for _, step := range steps {
			names = append(names, step.String())
		}
		if n := len(names); n > 4 {
			names = append(names[:3], "…", names[n-1])
		}
		got := ""
		if err == nil {
			got = fmt.Sprintf("%s, %d", strings.Join(names, " "), len(steps))
		}
		if got != want {
			t.Errorf("%.60s: %s, %v; want %s", query, got, err, want)
		}
	}
}

func TestPipelineHasAtMostSoManySteps(t *testing.T) {
	ran := 0
	url := serve(t, Options{MaxSteps: 3, Invoker: &fakeInvoker{pipeline: func(steps []function.Ref, _ invoke.Call) (*sandbox.Result, error) {
		ran = len(steps)
		return &sandbox.Result{Status: http.StatusOK, Body: []byte("1")}, nil
	}}})
	res, body := do(t, newRequest(t, "PUT", url+"/functions/pipeline?steps[]=a/b&steps[]=a/b&steps[]=a/b", ""))
	expect(t, res, body, http.StatusOK, "1")
	ran = 0
	for _, query := range []string{"steps[]=a/b&steps[]=a/b&steps[]=a/b&steps[]=a/b", numberedQuery(18, 21)} {
		res, body = do(t, newRequest(t, "PUT", url+"/functions/pipeline?"+query, ""))
		expect(t, res, body, http.StatusBadRequest, `{"error":"A pipeline has at most 3 steps, got 4"}`)
	}
	if ran != 0 {
		t.Errorf("a pipeline of %d steps ran", ran)
	}
}
