package api

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
)

// follower reads events.
type follower struct {
	*http.Response
	lines *bufio.Reader
	leave context.CancelFunc
}

// startFollowing sends the request and reads what every stream begins with.
func startFollowing(t *testing.T, url string, header ...string) *follower {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	t.Cleanup(leave)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	res, err := transport.RoundTrip(newRequest(t, "GET", url, "", header...).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	f := &follower{res, bufio.NewReader(res.Body), leave}
	if res.StatusCode == http.StatusOK {
		f.want(t, "retry: 1000\n\n")
	}
	return f
}

// event reads up to the next empty line.
func (f *follower) event(t *testing.T) string {
	t.Helper()
	var event strings.Builder
	for {
		line, err := f.lines.ReadString('\n')
		event.WriteString(line)
		if err != nil || line == "\n" {
			return event.String()
		}
	}
}

func (f *follower) want(t *testing.T, event string) {
	t.Helper()
	if got := f.event(t); got != event {
		t.Fatalf("got the event %q, want %q", got, event)
	}
}

func (f *follower) wantLine(t *testing.T, id, text string) {
	t.Helper()
	f.want(t, fmt.Sprintf("id: %s\ndata: {\"id\":\"%s\",\"time\":\"2026-01-01T00:00:00.007Z\",\"requestId\":\"call-1\","+
		"\"level\":\"info\",\"message\":\"%s\"}\n\n", id, id, text))
}

const nothingNew = ": nothing new\n\n"

func TestFollowersSeeLinesAsTheyCome(t *testing.T) {
	logs := &fakeLogs{}
	ids := logs.print(t, numbers(150)...)
	url := serve(t, Options{Logs: logs}) + "/functions/ns/id/logs?follow=1"
	all, two, none := startFollowing(t, url), startFollowing(t, url+"&tail=2"), startFollowing(t, url+"&tail=0")
	for i := 50; i < 150; i++ {
		all.wantLine(t, ids[i], fmt.Sprint(i))
	}
	two.wantLine(t, ids[148], "148")
	two.wantLine(t, ids[149], "149")
	none.want(t, nothingNew)
	for _, text := range []string{"a", "b", "c"} {
		id := logs.print(t, text)[0]
		for _, f := range []*follower{all, two, none} {
			f.wantLine(t, id, text)
		}
	}
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if got := all.Header.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestFollowersOfSilentFunctionsSeeTheFirstLine(t *testing.T) {
	logs := &fakeLogs{}
	for i, query := range []string{"?follow=1", "?follow=true&tail=0"} {
		f := startFollowing(t, serve(t, Options{Logs: logs})+"/functions/ns/id/logs"+query)
		f.want(t, nothingNew)
		f.wantLine(t, logs.print(t, fmt.Sprint(i))[0], fmt.Sprint(i))
		logs.Forget(printer)
	}
}

func TestFollowersGoOnWhereTheyLeft(t *testing.T) {
	logs := &fakeLogs{}
	ids := logs.print(t, numbers(3000)...)
	url := serve(t, Options{Logs: logs}) + "/functions/ns/id/logs?follow=1"
	for name, f := range map[string]*follower{
		"since":                            startFollowing(t, url+"&since="+ids[99]),
		"Last-Event-ID":                    startFollowing(t, url, "Last-Event-ID", ids[99]),
		"Last-Event-ID before all queries": startFollowing(t, url+"&tail=0&since="+ids[2000], "Last-Event-ID", ids[99]),
	} {
		t.Run(name, func(t *testing.T) {
			for i := 100; i < 3000; i++ {
				f.wantLine(t, ids[i], fmt.Sprint(i))
			}
		})
	}
	f := startFollowing(t, url+"&tail=1&since="+ids[99])
	f.wantLine(t, ids[2999], "2999")
}

func TestSilenceIsFilledWithHeartbeats(t *testing.T) {
	logs := &fakeLogs{await: func(ctx context.Context, _ function.LogCursor, within time.Duration) ([]function.LogLine, error) {
		if within != heartbeat {
			t.Errorf("waits for %v", within)
		}
		return nil, ctx.Err()
	}}
	f := startFollowing(t, serve(t, Options{Logs: logs})+"/functions/ns/id/logs?follow=1")
	for range 10 {
		f.want(t, nothingNew)
	}
}

func TestFollowersOutliveTheTimeoutsOfRequests(t *testing.T) {
	const timeout = time.Second
	logs := &fakeLogs{}
	logs.await = func(ctx context.Context, after function.LogCursor, _ time.Duration) ([]function.LogLine, error) {
		return logs.Ring.AwaitLog(ctx, printer, after, 1, timeout)
	}
	server := httptest.NewUnstartedServer(New(Options{Logs: logs, Store: newFakeStore(), Invoker: &fakeInvoker{}}).API)
	server.Config.ReadTimeout, server.Config.WriteTimeout = timeout, timeout
	server.Start()
	t.Cleanup(server.Close)
	f := startFollowing(t, server.URL+"/functions/ns/id/logs?follow=1")
	for range 6 { // one at once, five times the timeout
		f.want(t, nothingNew)
	}
	f.wantLine(t, logs.print(t, "late")[0], "late")
}

func TestFollowersAreBounded(t *testing.T) {
	logs := &fakeLogs{}
	ended := make(chan int, 10)
	o := Options{Logs: logs, MaxFollowers: 3, AccessLog: func(_ *http.Request, a Answer) { ended <- a.Status }}
	url := serve(t, o) + "/functions/ns/id/logs"
	var followers []*follower
	for range o.MaxFollowers {
		followers = append(followers, startFollowing(t, url+"?follow=1"))
	}
	res, body := do(t, newRequest(t, "GET", url+"?follow=1", ""))
	expect(t, res, body, 503, `{"error":"Too many requests follow the output of functions"}`)
	if res.Header.Get("Retry-After") != "1" {
		t.Errorf("headers %v", res.Header)
	}
	if res, _ := do(t, newRequest(t, "GET", url, "")); res.StatusCode != 200 {
		t.Errorf("reading is answered %d", res.StatusCode)
	}
	<-ended
	<-ended
	followers[1].leave()
	if status := <-ended; status != 200 {
		t.Errorf("the one who left has status %d", status)
	}
	f := startFollowing(t, url+"?follow=1")
	f.want(t, nothingNew)
	f.wantLine(t, logs.print(t, "x")[0], "x")
}

func TestFollowingEndsWithTheServer(t *testing.T) {
	life, end := context.WithCancel(t.Context())
	f := startFollowing(t, serve(t, Options{Logs: &fakeLogs{}, Life: life})+"/functions/ns/id/logs?follow=1")
	f.want(t, nothingNew)
	end()
	f.want(t, "")
}

func TestFollowersAreToldWhyAStreamEnds(t *testing.T) {
	logs := &fakeLogs{await: func(context.Context, function.LogCursor, time.Duration) ([]function.LogLine, error) {
		return nil, fmt.Errorf("redis: %w", function.ErrUnavailable)
	}}
	f := startFollowing(t, serve(t, Options{Logs: logs})+"/functions/ns/id/logs?follow=1")
	f.want(t, nothingNew)
	f.want(t, "event: failure\ndata: {\"error\":\"Storage is unavailable\"}\n\n")
	f.want(t, "")
}

// deadlines is a ResponseWriter that takes nothing without a deadline.
type deadlines struct {
	http.ResponseWriter
	writes int
	write  time.Time
}

func (d *deadlines) SetReadDeadline(time.Time) error { return nil }

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.write = at
	return nil
}

func (d *deadlines) FlushError() error { return nil }

func (d *deadlines) Write(p []byte) (int, error) {
	if left := time.Until(d.write); left <= 0 || left > eventTimeout {
		return 0, fmt.Errorf("the write has %v", left)
	}
	d.writes++
	return len(p), nil
}

func TestEveryEventHasADeadlineAndTheNextRequestNone(t *testing.T) {
	d := &deadlines{ResponseWriter: httptest.NewRecorder()}
	events, err := newEventStream(d)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		d.write = time.Time{}
		if err := events.sendLines(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	events.end()
	if !d.write.IsZero() || d.writes != 4 {
		t.Errorf("%d writes; the deadline at the end is %v", d.writes, d.write)
	}
}
