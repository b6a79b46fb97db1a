package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/usage"
	"github.com/backstage/functions/sandbox"
)

func TestUsageIsShownByHoursAndDays(t *testing.T) {
	store := newFakeStore()
	url := serve(t, Options{Store: store})
	day := usage.BeginOf(usage.DayOf(time.Now())).Add(-48 * time.Hour)
	of := usage.Subject{Kind: usage.OfNamespace, Name: "a/b"}
	for i, at := range []time.Time{day, day.Add(23 * time.Hour), day.Add(24 * time.Hour)} {
		_, err := store.AddUsage(t.Context(), usage.Batch{Server: "s", Number: uint64(i + 1), Keep: 240 * time.Hour, Records: []usage.Record{
			{Subject: of, Hour: at, Amount: usage.Amount{Calls: 2, CPU: 250 * time.Millisecond, Memory: 512 * 1000, Egress: 7}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	date := func(days int) string { return day.Add(time.Duration(days) * 24 * time.Hour).Format(time.DateOnly) }
	const once, twice = `"calls":2,"cpuSeconds":0.25,"gbSeconds":0.5,"egressBytes":7}`, `"calls":4,"cpuSeconds":0.5,"gbSeconds":1,"egressBytes":14}`
	const thrice = `"total":{"calls":6,"cpuSeconds":0.75,"gbSeconds":1.5,"egressBytes":21}}`
	for query, want := range map[string]string{
		"by=day&from=" + date(0) + "&to=" + date(2):                   `"items":[{"day":"` + date(0) + `T00:00:00Z",` + twice + `,{"day":"` + date(1) + `T00:00:00Z",` + once + `],` + thrice,
		"from=" + date(0) + "&to=" + date(1):                          `"items":[{"hour":"` + date(0) + `T00:00:00Z",` + once + `,{"hour":"` + date(0) + `T23:00:00Z",` + once + `],"total":{` + twice + `}`,
		"from=" + date(0) + "T22:59:59Z&to=" + date(0) + "T23:00:01Z": `"items":[{"hour":"` + date(0) + `T23:00:00Z",` + once + `],"total":{` + once + `}`,
		"": `"items":[],"total":{"calls":0,"cpuSeconds":0,"gbSeconds":0,"egressBytes":0}}`,
	} {
		response, body := do(t, newRequest(t, "GET", url+"/namespaces/a%2Fb/usage?"+query, ""))
		if response.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %s", query, response.StatusCode, body, want)
		}
	}
	for query, want := range map[string]string{
		"from=yesterday":                         `from is not a time such as`,
		"to=2026-13-01":                          `to is not a time such as`,
		"by=week":                                `by is not one of hour, day`,
		"from=2026-02-01&to=2026-01-01":          `to is before from`,
		"from=2026-01-01&to=2026-03-01":          `more than 31 days apart`,
		"by=day&from=2006-01-01&to=2026-03-01":   `more than 3660 days apart`,
		"by=day&from=0000-01-01&to=9999-12-31":   `days apart`,
		"from=2026-01-01T00:00:00&to=2026-03-01": `from is not a time`,
		"from=9999-12-31T23:59:59-23:00&by=day":  `from is not a time`,
		"from=-292277022399-01-01T00:00:00Z":     `from is not a time`,
	} {
		response, body := do(t, newRequest(t, "GET", url+"/namespaces/a/usage?"+query, ""))
		if response.StatusCode != 400 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %s", query, response.StatusCode, body, want)
		}
	}
}

func TestAnswersSayHowLimitsStand(t *testing.T) {
	for name, standing := range map[string][]limits.Standing{
		"": nil,
		`"key";q=5;w=3600, "namespace-day";q=1000;w=86400|"key";r=4;t=720, "namespace-day";r=0;t=2`: {
			{Name: "key", Quota: 5, Window: time.Hour, Remaining: 4, Reset: 12 * time.Minute},
			{Name: "namespace-day", Quota: 1000, Window: 24 * time.Hour, Remaining: 0, Reset: 1500 * time.Millisecond},
		},
	} {
		for _, refused := range []error{nil, &limits.RateError{RetryAfter: 90 * time.Second}} {
			url := serve(t, Options{Invoker: &fakeInvoker{run: func(call invoke.Call) (*sandbox.Result, error) {
				call.Standing(standing)
				return &sandbox.Result{Status: 200}, refused
			}}})
			response, _ := do(t, newRequest(t, "PUT", url+"/functions/n/f/run", "{}"))
			policy, state, _ := strings.Cut(name, "|")
			h := response.Header
			if h.Get("RateLimit-Policy") != policy || h.Get("RateLimit") != state {
				t.Errorf("%v: %q, %q, want %q", refused, h.Get("RateLimit-Policy"), h.Get("RateLimit"), name)
			}
			if got := h.Get("Retry-After"); refused != nil && (got != "90" || response.StatusCode != http.StatusTooManyRequests) {
				t.Errorf("%d with Retry-After %q", response.StatusCode, got)
			}
		}
	}
}

// A key that has limits makes none that has more.
func TestAKeyPassesItsLimitsOn(t *testing.T) {
	store := newFakeStore()
	g := guard(t, Options{Auth: AuthOn, Store: store})
	maker, token := identity.New(identity.Key{Role: identity.Admin, Namespaces: []identity.Pattern{"*"}, Limits: usage.Limits{
		Rate: usage.Rate{Calls: 100, Per: time.Second}, Quotas: usage.Quotas{Calls: 1000},
	}})
	g.keys = append(g.keys, maker)
	g.ring.Set(g.keys)
	for given, want := range map[string]string{
		``: `"rate":"100/s","quotas":{"calls":1000}}`,
		`,"rate":"200/s","quotas":{"calls":2000,"cpu":"1h"}`: `"rate":"100/s","quotas":{"calls":1000,"cpu":"1h"}}`,
		`,"rate":"90/m","quotas":{"calls":7}`:                `"rate":"90/m","quotas":{"calls":7}}`,
		`,"rate":"200/m"`:                                    `"rate":"100/m","quotas":{"calls":1000}}`, // 200 at once are more than 100
	} {
		_, status, text := g.makeKey(t, token, `{"role":"invoke","namespaces":["a"]`+given+`}`)
		if status != 201 || !strings.HasSuffix(text, want) {
			t.Errorf("%s: %d %s, want %s", given, status, text, want)
		}
	}
	all, err := store.Keys(t.Context())
	if err != nil || len(all) != 4 || !all[0].Limits.IsSet() {
		t.Errorf("stored are %+v, %v", all, err)
	}
	if _, status, text := g.makeKey(t, token, `{"role":"invoke","namespaces":["a"],"rate":5,"quotas":{"calls":"x"}}`); status != 400 {
		t.Errorf("%d %s", status, text)
	}
}
