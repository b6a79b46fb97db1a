package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/ring"
)

var printer = function.Ref{Namespace: "ns", ID: "id"}

// fakeLogs keeps the output of one function, printer, in memory. While err is set all but Revision fails with it.
type fakeLogs struct {
	ring.Ring
	err   error
	await func(ctx context.Context, after function.LogCursor, within time.Duration) ([]function.LogLine, error)
}

func (l *fakeLogs) Revision(_ context.Context, ref function.Ref) (string, error) {
	if ref != printer {
		return "", function.ErrNotFound
	}
	return "1", nil
}

func (l *fakeLogs) ReadLog(ctx context.Context, ref function.Ref, q function.LogQuery) ([]function.LogLine, error) {
	if l.err != nil {
		return nil, l.err
	}
	return l.Ring.ReadLog(ctx, ref, q)
}

func (l *fakeLogs) AwaitLog(
	ctx context.Context, ref function.Ref, after function.LogCursor, limit int, within time.Duration,
) ([]function.LogLine, error) {
	if l.await != nil {
		return l.await(ctx, after, within)
	}
	return l.Ring.AwaitLog(ctx, ref, after, limit, within)
}

// print keeps lines with these texts and returns their IDs.
func (l *fakeLogs) print(t *testing.T, texts ...string) (ids []string) {
	t.Helper()
	var lines []function.LogLine
	for _, text := range texts {
		lines = append(lines, function.LogLine{
			Ref: printer, Time: time.UnixMilli(1767225600007), RequestID: "call-1", Level: "info", Text: text,
		})
	}
	if _, err := l.AppendLog(t.Context(), lines, function.LogLimits{Lines: 5000, Memory: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	kept, err := l.Ring.ReadLog(t.Context(), printer, function.LogQuery{Limit: len(texts), Newest: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range kept {
		ids = append(ids, line.Cursor.String())
	}
	return ids
}

// numbers are the texts "0", "1" and so on.
func numbers(n int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprint(i))
	}
	return texts
}

func TestLogsAreJSONLines(t *testing.T) {
	logs := &fakeLogs{}
	ids := logs.print(t, "plain", "\"é\" \x1b[2J\r\u009b\u2028\n{\"id\":\"forged\"}")
	res, body := do(t, newRequest(t, "GET", serve(t, Options{Logs: logs})+"/functions/ns/id/logs", ""))
	expect(t, res, body, 200, ""+
		`{"id":"`+ids[0]+`","time":"2026-01-01T00:00:00.007Z","requestId":"call-1","level":"info","message":"plain"}`+"\n"+
		`{"id":"`+ids[1]+`","time":"2026-01-01T00:00:00.007Z","requestId":"call-1","level":"info",`+
		`"message":"\"é\" \u001b[2J\r\u009b\u2028\n{\"id\":\"forged\"}"}`+"\n")
	for name, want := range map[string]string{"Content-Type": "application/x-ndjson; charset=utf-8", "Cache-Control": "no-store"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestLogsAreReadFromTheirEndOrOnFromALine(t *testing.T) {
	logs := &fakeLogs{}
	ids := logs.print(t, numbers(3000)...)
	url := serve(t, Options{Logs: logs}) + "/functions/ns/id/logs"
	for _, row := range []struct {
		query      string
		first, end int
	}{
		{"", 2900, 3000},
		{"?tail=&since=&follow=", 2900, 3000},
		{"?tail=3&follow=0", 2997, 3000},
		{"?tail=1000&follow=false", 2000, 3000},
		{"?tail=0", 0, 0},
		{"?since=0-0", 0, 1000},
		{"?since=" + ids[999], 1000, 2000},
		{"?since=" + ids[2989], 2990, 3000},
		{"?since=" + ids[2999], 0, 0},
		{"?since=" + ids[2989] + "&tail=4", 2996, 3000},
		{"?since=" + ids[2989] + "&tail=400", 2990, 3000},
	} {
		res, body := do(t, newRequest(t, "GET", url+row.query, ""))
		lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
		if res.StatusCode != 200 || row.first < row.end && len(lines) != row.end-row.first || row.first == row.end && body != "" {
			t.Errorf("%s: %d, %d lines", row.query, res.StatusCode, len(lines))
			continue
		}
		for i := row.first; i < row.end; i++ {
			if line := lines[i-row.first]; !strings.HasSuffix(line, fmt.Sprintf(`"message":"%d"}`, i)) {
				t.Errorf("%s: line %d is %s", row.query, i, line)
				break
			}
		}
	}
}

func TestBadLogsRequestsAreRefused(t *testing.T) {
	url := serve(t, Options{Logs: &fakeLogs{}}) + "/functions/ns/id/logs"
	const notALine = ` is not the id of a line, which is such as \"1767225600000-0\"`
	for _, row := range []struct {
		query, lastEvent, want string
	}{
		{"?tail=-1", "", "tail must be a whole number from 0 to 1000"},
		{"?tail=1001", "", "tail must be a whole number from 0 to 1000"},
		{"?tail=x", "", "tail must be a whole number from 0 to 1000"},
		{"?tail[a]=1", "", "tail must be a whole number from 0 to 1000"},
		{"?follow=yes", "", "follow must be 1 or 0"},
		{"?since=x", "", "since" + notALine},
		{"?since=$&follow=1", "", "since" + notALine},
		{"?follow=1", "x", "Last-Event-ID" + notALine},
	} {
		res, body := do(t, newRequest(t, "GET", url+row.query, "", "Last-Event-ID", row.lastEvent))
		if want := `{"error":"` + row.want + `"}`; res.StatusCode != 400 || body != want {
			t.Errorf("%s: %d %s, want %s", row.query, res.StatusCode, body, want)
		}
	}
}

func TestLogsThatAreNotThere(t *testing.T) {
	for _, row := range []struct {
		name, path string
		logs       Logs
		status     int
		want       string
	}{
		{"not kept", "/functions/ns/id/logs", nil, 404, `{"error":"Output of functions is not kept: FUNCTION_LOGS_KEPT is 0"}`},
		{"no function", "/functions/ns/other/logs", &fakeLogs{}, 404, `{"error":"Function not found"}`},
		{"no function to follow", "/functions/ns/other/logs?follow=1", &fakeLogs{}, 404, `{"error":"Function not found"}`},
		{"bad name", "/functions/ns/%00/logs", &fakeLogs{}, 400, `{"error":"The id name must not contain control characters"}`},
		{"store away", "/functions/ns/id/logs", &fakeLogs{err: function.ErrUnavailable}, 503, `{"error":"Storage is unavailable"}`},
		{"store away to followers", "/functions/ns/id/logs?follow=1", &fakeLogs{err: function.ErrUnavailable}, 503, `{"error":"Storage is unavailable"}`},
		{"nothing printed", "/functions/ns/id/logs", &fakeLogs{}, 200, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			res, body := do(t, newRequest(t, "GET", serve(t, Options{Logs: row.logs})+row.path, ""))
			expect(t, res, body, row.status, row.want)
		})
	}
}

func TestLogsRouteHasTheMethodsOfAllOthers(t *testing.T) {
	logs := &fakeLogs{}
	logs.print(t, "x")
	url := serve(t, Options{Logs: logs}) + "/Functions/ns/id/LOGS/?follow=1"
	for method, want := range map[string]int{"HEAD": 200, "OPTIONS": 200, "PUT": 404, "DELETE": 404} {
		res, body := do(t, newRequest(t, method, url, ""))
		if res.StatusCode != want || method == "HEAD" && body != "" || method == "OPTIONS" && res.Header.Get("Allow") != "GET,HEAD" {
			t.Errorf("%s: %d %s %v", method, res.StatusCode, body, res.Header)
		}
	}
	if res, _ := do(t, newRequest(t, http.MethodGet, url[:len(url)-len("/LOGS/?follow=1")]+"/logs/x", "")); res.StatusCode != 404 {
		t.Errorf("a path below: %d", res.StatusCode)
	}
}
