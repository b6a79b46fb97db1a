package api

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// printing is a queue whose function prints to a store: a line of its own, some of other calls, and one more when it is
// told to go on.
func printing(t *testing.T, s *mem.Store, proceed <-chan struct{}) Options {
	t.Helper()
	keep := function.LogLimits{Lines: 100, Memory: 1 << 20, TTL: time.Hour}
	write := func(call, text string, queued bool) {
		line := function.LogLine{
			Ref: function.Ref{Namespace: "ns", ID: "id"}, Time: time.Now(), RequestID: call, Queued: queued, Level: "info",
			Text: text,
		}
		if _, err := s.AppendLog(t.Context(), []function.LogLine{line}, keep); err != nil {
			t.Error(err)
		}
	}
	tell := func(call, text string) { write(call, text, true) }
	v := &fakeInvoker{
		run: func(call invoke.Call) (*sandbox.Result, error) {
			tell(call.ID, "first")
			tell("another", "not mine")
			write(call.ID, "of a caller who waits and has chosen this ID", false)
			write(call.ID+"-2", "of the same", false)
			tell(call.ID+"x", "not mine either")
			<-proceed
			tell(call.ID+"-2", "last")
			return echoing(call)
		},
		find: func(ref function.Ref) (invoke.Found, error) {
			return invoke.Found{Function: &function.Function{Ref: ref}}, nil
		},
	}
	e := newCalls(t, v)
	e.Limits = queue.Limits{Calls: 100, Bytes: 1 << 20}
	return Options{Invoker: v, Calls: e, Logs: s, CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour}}
}

// eventsOf reads a stream of events to its end: the names, and what they tell. See is called with each.
func eventsOf(t *testing.T, res *http.Response, see func(name, data string)) {
	t.Helper()
	defer res.Body.Close()
	name := ""
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = text
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			see(name, data)
		}
	}
}

func TestTheEventsOfACallHaveItsLines(t *testing.T) {
	proceed := make(chan struct{})
	url := serve(t, printing(t, mem.New(), proceed))
	location := async(t, url)
	res, err := http.DefaultClient.Do(newRequest(t, "GET", location, "", "Accept", "text/event-stream"))
	if err != nil {
		t.Fatal(err)
	}
	var printed, states []string
	var first string
	eventsOf(t, res, func(name, data string) {
		var got struct{ ID, Status, Message string }
		if err := json.Unmarshal([]byte(data), &got); err != nil {
			t.Errorf("%s: %v", data, err)
		}
		if name != "line" {
			states = append(states, got.Status)
			return
		}
		if printed = append(printed, got.Message); len(printed) == 1 {
			first = got.ID
			close(proceed)
		}
	})
	if strings.Join(printed, " ") != "first last" || states[len(states)-1] != "succeeded" {
		t.Errorf("there are the lines %q and the states %q", printed, states)
	}
	again := newRequest(t, "GET", location, "", "Accept", "text/event-stream", "Last-Event-ID", first)
	res, err = http.DefaultClient.Do(again)
	if err != nil {
		t.Fatal(err)
	}
	printed = nil
	eventsOf(t, res, func(name, data string) {
		if name == "line" {
			printed = append(printed, data)
		}
	})
	if len(printed) != 1 || !strings.Contains(printed[0], `"last"`) {
		t.Errorf("after the first line there are %q", printed)
	}
	refused, body := do(t, newRequest(t, "GET", location, "", "Accept", "text/event-stream", "Last-Event-ID", "x"))
	if refused.StatusCode != 400 {
		t.Errorf("answered %d %s", refused.StatusCode, body)
	}
}

// Lines are for those who may read the output of the function.
func TestWhoSeesTheLinesOfACall(t *testing.T) {
	proceed := make(chan struct{})
	close(proceed)
	o := printing(t, mem.New(), proceed)
	o.Auth = AuthOn
	g := guard(t, o)
	callers := map[string]string{
		"invoke": g.key(identity.Invoke, "ns"), "deploy": g.key(identity.Deploy, "ns"),
		"elsewhere": g.key(identity.Deploy, "b"),
	}
	location := async(t, g.url, "Authorization", "Bearer "+callers["invoke"])
	for name, want := range map[string]int{"invoke": 0, "deploy": 2} {
		token := "Bearer " + callers[name]
		record, body := do(t, newRequest(t, "GET", location+"?wait=60", "", "Authorization", token))
		if record.StatusCode != 200 {
			t.Fatalf("%s: answered %d %s", name, record.StatusCode, body)
		}
		_, body = do(t, newRequest(t, "GET", location, "", "Accept", "text/event-stream", "Authorization", token))
		if got := strings.Count(body, "event: line\n"); got != want || !strings.Contains(body, "event: state\n") {
			t.Errorf("%s: there are %d lines: %s", name, got, body)
		}
	}
	refused, body := do(t, newRequest(t, "GET", location, "", "Accept", "text/event-stream",
		"Authorization", "Bearer "+callers["elsewhere"]))
	if refused.StatusCode != 403 {
		t.Errorf("elsewhere: answered %d %s", refused.StatusCode, body)
	}
}
