package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/cpulimit"
	"github.com/backstage/functions/internal/function"
)

// widest is an answer that knows the most bytes that were written at once.
type widest struct {
	*httptest.ResponseRecorder
	most int
}

func (w *widest) Write(p []byte) (int, error) {
	w.most = max(w.most, len(p))
	return w.ResponseRecorder.Write(p)
}

func (w *widest) SetReadDeadline(time.Time) error  { return nil }
func (w *widest) SetWriteDeadline(time.Time) error { return nil }
func (w *widest) FlushError() error                { return nil }

// escaped are lines that are six times as long in JSON.
func escaped(lines, length int) (texts []string) {
	for range lines {
		texts = append(texts, strings.Repeat("\x01", length))
	}
	return texts
}

func TestLongOutputIsNotHeldAsAWhole(t *testing.T) {
	const most = 64 << 10
	logs := &fakeLogs{}
	logs.print(t, escaped(200, 4096)...)
	handler := New(Options{Logs: logs, Store: newFakeStore(), Invoker: &fakeInvoker{}}).API
	w := &widest{ResponseRecorder: httptest.NewRecorder()}
	handler.ServeHTTP(w, newRequest(t, "GET", "/functions/ns/id/logs?tail=200", ""))
	text := w.Body.Bytes()
	if w.Code != 200 || len(text) < 200*6*4096 || w.most > most {
		t.Errorf("answered %d with %d bytes, %d of them at once", w.Code, len(text), w.most)
	}
	for name, want := range map[string]string{headerETag: weakTag(text), headerLength: fmt.Sprint(len(text))} {
		if got := w.Header()[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %v, want %s", name, got, want)
		}
	}
	again := httptest.NewRecorder()
	handler.ServeHTTP(again, newRequest(t, "GET", "/functions/ns/id/logs?tail=200", "", "If-None-Match", weakTag(text)))
	if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("who has it is answered %d with %d bytes", again.Code, again.Body.Len())
	}

	lines, err := logs.ReadLog(t.Context(), printer, function.LogQuery{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	w = &widest{ResponseRecorder: httptest.NewRecorder()}
	events, err := newEventStream(w)
	if err != nil {
		t.Fatal(err)
	}
	if err := events.sendLines(t.Context(), lines); err != nil || w.Body.Len() < 200*6*4096 || w.most > most {
		t.Errorf("%d bytes of events, %d of them at once, %v", w.Body.Len(), w.most, err)
	}
	if got := strings.Count(w.Body.String(), "\n\nid: "); got != len(lines) { // each comes after what ends with an empty line
		t.Errorf("%d events", got)
	}
}

func TestAnswersWithOutputAreBounded(t *testing.T) {
	logs := &fakeLogs{}
	ids := logs.print(t, escaped(600, 4096)...)
	url := serve(t, Options{Logs: logs}) + "/functions/ns/id/logs"
	for query, row := range map[string]struct{ first, last string }{
		"?tail=1000": {ids[600-maxLogText/4096], ids[599]},
		"?since=0-0": {ids[0], ids[maxLogText/4096-1]},
		"?tail=3":    {ids[597], ids[599]},
	} {
		res, body := do(t, newRequest(t, "GET", url+query, ""))
		lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
		first, last := lines[0], lines[len(lines)-1]
		if res.StatusCode != 200 || !strings.Contains(first, `"id":"`+row.first+`"`) || !strings.Contains(last, `"id":"`+row.last+`"`) {
			t.Errorf("%s: %d, %d lines from %.40s to %.40s", query, res.StatusCode, len(lines), first, last)
		}
	}
}

// slowLogs is the output of any function. Who reads it is told of, and waits until the channel is closed.
type slowLogs struct {
	everyones
	reading chan struct{}
	open    chan struct{}
}

func (l *slowLogs) ReadLog(ctx context.Context, ref function.Ref, q function.LogQuery) ([]function.LogLine, error) {
	l.reading <- struct{}{}
	select {
	case <-l.open:
		return l.everyones.ReadLog(ctx, ref, q)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func TestThoseWhoReadOutputAreBounded(t *testing.T) {
	logs := &slowLogs{everyones{&fakeLogs{}}, make(chan struct{}, 10), make(chan struct{})}
	url := serve(t, Options{Logs: logs, MaxLogReaders: 2}) + "/functions/"
	status := map[string]chan int{"ns": make(chan int, 2), "other": make(chan int, 1)}
	read := func(namespace string) {
		req := newRequest(t, "GET", url+namespace+"/id/logs", "")
		go func() {
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				status[namespace] <- 0
				return
			}
			_ = res.Body.Close()
			status[namespace] <- res.StatusCode
		}()
		<-logs.reading
	}
	read("ns")
	read("ns")
	res, body := do(t, newRequest(t, "GET", url+"ns/id/logs", ""))
	expect(t, res, body, 503, `{"error":"Too many requests read the output of functions"}`)
	if res.Header.Get("Retry-After") == "" {
		t.Errorf("headers %v", res.Header)
	}
	read("other") // has a place of the namespace with the most
	if got := <-status["ns"]; got != 503 {
		t.Errorf("the one that made room was answered %d", got)
	}
	close(logs.open)
	if ns, other := <-status["ns"], <-status["other"]; ns != 200 || other != 200 {
		t.Errorf("answered %d and %d", ns, other)
	}
}

// Answers with output are made one after the other, so that they leave processors to the rest of the server.
func TestAnswersWithOutputAreMadeByTurns(t *testing.T) {
	lines := []function.LogLine{{Text: "x", Level: "info"}}
	for name, send := range map[string]func(ctx context.Context, w http.ResponseWriter, tokens limiter) error{
		"lines": func(ctx context.Context, w http.ResponseWriter, tokens limiter) error {
			return tokens.sendLines(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil), lines)
		},
		"events": func(ctx context.Context, w http.ResponseWriter, tokens limiter) error {
			events, err := newEventStream(w)
			if err != nil {
				return err
			}
			events.limiter = tokens
			return events.sendLines(ctx, lines)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tokens := limiter(cpulimit.New(3))
				tokens <- struct{}{} // somebody makes one
				ended := make(chan error, 2)
				ctx, leave := context.WithCancelCause(t.Context())
				first, second := &widest{ResponseRecorder: httptest.NewRecorder()}, &widest{ResponseRecorder: httptest.NewRecorder()}
				go func() { ended <- send(t.Context(), first, tokens) }()
				go func() { ended <- send(ctx, second, tokens) }()
				synctest.Wait()
				if len(ended) > 0 || strings.Contains(first.Body.String(), "info") {
					t.Fatal("an answer did not wait")
				}
				leave(errOutnumbered)
				if err := <-ended; !errors.Is(err, errOutnumbered) {
					t.Errorf("who may not go on is told %v", err)
				}
				<-tokens
				if err := <-ended; err != nil || !strings.Contains(first.Body.String(), `"level":"info","message":"x"}`) {
					t.Errorf("%v: answered %s", err, first.Body)
				}
			})
		})
	}
}

func BenchmarkReadOutput(b *testing.B) {
	for name, text := range map[string]string{
		"ascii": strings.Repeat("x", 4000), "control": strings.Repeat("\x01", 4000), "invisible": strings.Repeat("\u202e", 1333),
	} {
		b.Run(name, func(b *testing.B) {
			lines := make([]function.LogLine, 256)
			for i := range lines {
				lines[i] = function.LogLine{Text: text, Level: "info", RequestID: "call-1"}
			}
			r := httptest.NewRequest("GET", "/", nil)
			b.ReportAllocs()
			for b.Loop() {
				if err := limiter(cpulimit.New(1)).sendLines(&nowhere{http.Header{}}, r, lines); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// nowhere is a http.ResponseWriter that forgets.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) WriteHeader(int)             {}
func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }
