package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// stepLine is an event that tells of a line of a call.
type stepLine struct {
	ID      string // of the event
	Step    int    `json:"step"`
	Message string `json:"message"`
}

// linesOfCall follows a call to its end, from an event on, and returns the lines among its events.
func linesOfCall(t *testing.T, s *server, at, last string) (lines []stepLine) {
	t.Helper()
	_, events := s.request(t, "GET", at, "", "Accept", "text/event-stream", "Last-Event-ID", last)
	for event := range strings.SplitSeq(events, "\n\n") {
		rest, ok := strings.CutPrefix(event, "event: line\nid: ")
		if !ok {
			continue
		}
		var line stepLine
		id, data, _ := strings.Cut(rest, "\ndata: ")
		if err := json.Unmarshal([]byte(data), &line); err != nil {
			t.Fatalf("%q: %v", event, err)
		}
		line.ID = id
		lines = append(lines, line)
	}
	return lines
}

// TestTheEventsOfAPipelineHaveTheLinesOfEachStep follows pipelines, one of whose functions is in it twice and fails at
// first, while another one of the same functions runs.
func TestTheEventsOfAPipelineHaveTheLinesOfEachStep(t *testing.T) {
	for store, vars := range map[string][]string{
		"redis":    {"REDIS_ENDPOINT=redis://" + testenv.Redis(t).Addr},
		"embedded": {"DATA_DIR=" + t.TempDir()}, "memory": {"STORAGE=inmemory"},
	} {
		t.Run(store, func(t *testing.T) {
			s := startServer(t, vars...)
			put(t, s.url+"/functions/a/twice", `function main(req, res) {
				console.log(req.body.name + ' ' + req.body.n + ' attempt ' + Backstage.invocation.attempt)
				if (req.body.n === 2 && Backstage.invocation.attempt === 1) { res.status(500); return res.send({}) }
				res.send({ name: req.body.name, n: req.body.n + 1 })
			}`, `"retries":{"backoff":"1ms"}`)
			put(t, s.url+"/functions/b/between", `function main(req, res) {
				console.log(req.body.name + ' between')
				res.send({ name: req.body.name, n: req.body.n + 1 })
			}`, "")
			var at []string
			for i := range 2 {
				res, body := s.request(t, "PUT",
					"/functions/pipeline?steps[0]=a/twice&steps[1]=b/between&steps[2]=a/twice",
					`{"name":"p`+strconv.Itoa(i)+`","n":0}`, "Prefer", "respond-async")
				if res.StatusCode != http.StatusAccepted {
					t.Fatalf("answered %d %s", res.StatusCode, body)
				}
				at = append(at, strings.TrimPrefix(res.Header.Get("Location"), s.url))
			}
			want := []struct {
				step int
				text string
			}{{1, " 0 attempt 1"}, {2, " between"}, {3, " 2 attempt 1"}, {3, " 2 attempt 2"}}
			for _, at := range at {
				if c := stepsOf(t, s, at); c.Status != "succeeded" {
					t.Fatalf("%+v", c)
				}
			}
			eventually(t, "all lines to be stored", func() bool {
				_, twice := s.request(t, "GET", "/functions/a/twice/logs", "")
				_, between := s.request(t, "GET", "/functions/b/between/logs", "")
				return strings.Count(twice, " attempt ") == 6 && strings.Count(between, " between") == 2
			})
			for i, at := range at {
				lines := linesOfCall(t, s, at, "")
				if len(lines) != len(want) {
					t.Fatalf("there are %+v", lines)
				}
				seen := map[int]string{} // the messages of each step
				for _, line := range lines {
					seen[line.Step] += line.Message
				}
				all := map[int]string{}
				for _, row := range want {
					all[row.step] += "p" + strconv.Itoa(i) + row.text
				}
				for step, text := range all {
					if seen[step] != text {
						t.Errorf("step %d has %q, want %q", step, seen[step], text)
					}
				}
				for n, line := range lines { // who comes again gets what follows
					rest := linesOfCall(t, s, at, line.ID)
					if len(rest) != len(lines)-1-n {
						t.Errorf("after line %d of %+v there are %+v", n, lines, rest)
					}
				}
			}
			res, body := s.request(t, "GET", at[0], "", "Accept", "text/event-stream", "Last-Event-ID", "1-0,2-0,3-0")
			if res.StatusCode != http.StatusBadRequest {
				t.Errorf("more places than functions: answered %d %s", res.StatusCode, body)
			}
		})
	}
}

func TestTheOutputSaysThatACallWasCancelled(t *testing.T) {
	s := startServer(t, "STORAGE=inmemory", "CODE_ASYNC_TIMEOUT=10m")
	put(t, s.url+"/functions/a/waits", `function main() { console.log('begun'); setTimeout(() => {}, 600000) }`, "")
	res, body := s.request(t, "PUT", "/functions/a/waits/run", "{}", "Prefer", "respond-async")
	if res.StatusCode != http.StatusAccepted {
		t.Fatalf("answered %d %s", res.StatusCode, body)
	}
	prints := func(text string) {
		eventually(t, text, func() bool {
			_, lines := s.request(t, "GET", "/functions/a/waits/logs", "")
			return strings.Contains(lines, text)
		})
	}
	prints("begun")
	at := strings.TrimPrefix(res.Header.Get("Location"), s.url)
	if res, body := s.request(t, "DELETE", at, ""); res.StatusCode != http.StatusNoContent {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	prints(`"message":"Failed to run function: The call was cancelled"`)
}
