package sockets_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/sockets"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// newest is the ID of the one socket there is.
func (r *rig) newest(t *testing.T) (id string) {
	t.Helper()
	for _, id := range r.hub.IDs() {
		return id
	}
	t.Fatal("there is no socket")
	return ""
}

func TestMessagesAreServedInOrderOneAtATime(t *testing.T) {
	r := newRig(t, nil)
	running := 0
	r.running(func(_ context.Context, e sockets.Event) (*sandbox.Result, error) {
		r.mu.Lock()
		running++
		if running > 1 {
			t.Error("two calls run for one socket")
		}
		r.mu.Unlock()
		time.Sleep(time.Millisecond)
		r.mu.Lock()
		running--
		r.mu.Unlock()
		return echo(e), nil
	})
	c := r.dial(t)
	const messages = 100
	go func() {
		for i := range messages {
			c.write(frame(fin|text, []byte(strconv.Itoa(i))))
		}
	}()
	for i := range messages {
		c.wants(fin|text, strconv.Itoa(i))
	}
}

func TestAFullQueueStopsReading(t *testing.T) {
	r := newRig(t, nil)
	hold := make(chan struct{})
	r.running(func(_ context.Context, e sockets.Event) (*sandbox.Result, error) {
		<-hold
		return echo(e), nil
	})
	c := r.dial(t)
	const messages = 40
	for i := range messages {
		c.write(frame(fin|text, []byte(strconv.Itoa(i))))
	}
	eventually(t, "a full queue", func() bool { return r.hub.Stats().Received >= 18 })
	if got := r.hub.Stats().Received; got != 18 { // one is served, 16 wait, one is in the hands of the reader
		t.Errorf("%d messages were read", got)
	}
	close(hold)
	for i := range messages {
		c.wants(fin|text, strconv.Itoa(i))
	}
}

func TestFailuresEndASocket(t *testing.T) {
	thrown := &sandbox.FunctionError{Status: 500, Message: "why"}
	busy := &sandbox.BusyError{RetryAfter: time.Millisecond}
	for name, row := range map[string]struct {
		errs []error // of the calls for one message after the other; nil is echoed
		want int     // 0 for a socket that stays
	}{
		"one":             {[]error{thrown}, 0},
		"two and another": {[]error{thrown, thrown, nil, thrown, thrown}, 0},
		"three":           {[]error{thrown, thrown, thrown}, 1011},
		"no function":     {[]error{&function.NotFoundError{Ref: ref}}, 1001},
		"no room":         {[]error{busy, busy, busy, busy, busy}, 1013},
		"no room once":    {[]error{busy, nil}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			calls := 0
			r.running(func(_ context.Context, e sockets.Event) (*sandbox.Result, error) {
				calls++
				if e.Kind == sockets.EventMessage && calls <= len(row.errs) && row.errs[calls-1] != nil {
					return nil, row.errs[calls-1]
				}
				return echo(e), nil
			})
			c := r.dial(t)
			for range len(row.errs) {
				c.write(frame(fin|text, []byte("x")))
			}
			if row.want == 0 {
				c.write(frame(fin|text, []byte("last")))
				for {
					if first, payload := c.read(); first != fin|text || string(payload) == "last" {
						if first != fin|text {
							t.Errorf("the socket has ended: %#x", first)
						}
						return
					}
				}
			}
			if got := c.end(); got != row.want {
				t.Errorf("ended with %d, want %d", got, row.want)
			}
		})
	}
}

func TestAnswersThatAreNoMessages(t *testing.T) {
	for name, row := range map[string]struct {
		result sandbox.Result
		want   bool
	}{
		"nothing":     {sandbox.Result{Status: 200}, false},
		"empty bytes": {sandbox.Result{Status: 200, Bytes: []byte{}}, false},
		"not found":   {sandbox.Result{Status: 404, Body: []byte("{}")}, false},
		"redirect":    {sandbox.Result{Status: 302, Bytes: []byte("x")}, false},
		"JSON":        {sandbox.Result{Status: 200, Body: []byte("{}")}, true},
		"bytes":       {sandbox.Result{Status: 201, Bytes: []byte("x")}, true},
	} {
		if got := sockets.MessageOf(&row.result); (got != nil) != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPlacesAreShared(t *testing.T) {
	r := newRig(t, func(o *sockets.Options) { o.Most = 5 })
	admit := func(namespace, address string) error {
		fn := &function.Function{Ref: function.Ref{Namespace: namespace, ID: "f"}}
		fn.Options.WebSocket = &function.WebSocket{On: true}
		s, err := r.hub.Admit(fn, address)
		if err == nil {
			t.Cleanup(s.Leave)
		}
		return err
	}
	for i, row := range []struct {
		namespace, address string
		want               error
	}{
		{"a", "1", nil},
		{"b", "1", nil},
		{"c", "1", nil},
		{"d", "1", nil},
		{"e", "1", sockets.ErrFull}, // the last one is for another address
		{"a", "2", sockets.ErrFull}, // and for another owner
		{"f", "2", nil},
		{"g", "3", sockets.ErrFull},
	} {
		if err := admit(row.namespace, row.address); !errors.Is(err, row.want) || (err == nil) != (row.want == nil) {
			t.Errorf("row %d: %v, want %v", i, err, row.want)
		}
	}
	if got := r.hub.Stats(); got.Open != 5 || got.Refused != 3 {
		t.Errorf("%+v", got)
	}
}

func TestSocketsDoNotTakePlacesOfRequests(t *testing.T) {
	r := newRig(t, nil)
	for range 20 { // the port has 10
		r.dial(t)
	}
	eventually(t, "the places", func() bool { return r.port.Stats().Open == 0 })
}

func TestHandshakes(t *testing.T) {
	r := newRig(t, nil)
	r.option.Origins = []string{"https://app.example.org"}
	r.option.Protocols = []string{"b", "a"}
	for name, row := range map[string]struct {
		header []string
		want   bool
	}{
		"same site":    {[]string{"Origin: http://test"}, true},
		"another case": {[]string{"Origin: https://TEST"}, true},
		"listed":       {[]string{"Origin: https://app.example.org"}, true},
		"not listed":   {[]string{"Origin: https://evil.example.org"}, false},
		"another port": {[]string{"Origin: http://test:8080"}, false},
		"null":         {[]string{"Origin: null"}, false},
		"no origin":    {nil, true},
		"with a body":  {[]string{"Content-Length: 1", "", "x"}, false},
		"protocol":     {[]string{"Sec-WebSocket-Protocol: c, a"}, true},
	} {
		if _, got := r.handshake(t, row.header...); (got == http.StatusSwitchingProtocols) != row.want {
			t.Errorf("%s: answered %d", name, got)
		}
	}
}

func TestOnlyItsNamespaceReachesASocket(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	id := r.newest(t)
	last := "A"
	if strings.HasSuffix(id, last) {
		last = "B"
	}
	for _, row := range []struct{ namespace, id string }{
		{"other", id}, {ref.Namespace, id[:len(id)-1] + last}, {ref.Namespace, "x"}, {ref.Namespace, ""}, {"", id},
	} {
		m := sockets.NewMessage([]byte("stolen"), false)
		if err := r.hub.Send(t.Context(), row.namespace, row.id, m); !errors.Is(err, sockets.ErrGone) && row.id != id {
			t.Errorf("%+v: %v", row, err)
		}
		if err := r.hub.Hangup(t.Context(), row.namespace, row.id, 1000, ""); !errors.Is(err, sockets.ErrGone) {
			t.Errorf("%+v: %v", row, err)
		}
		if _, err := r.hub.Info(t.Context(), row.namespace, row.id); !errors.Is(err, sockets.ErrGone) {
			t.Errorf("%+v: %v", row, err)
		}
	}
	for _, filename := range []string{"", ref.Filename()} {
		if err := r.hub.SendAll(t.Context(), "other", filename, sockets.NewMessage([]byte("stolen"), false)); err != nil {
			t.Error(err)
		}
	}
	for filename, text := range map[string]string{"ns/other.js": "no", ref.Filename(): "all"} {
		err := r.hub.SendAll(t.Context(), ref.Namespace, filename, sockets.NewMessage([]byte(text), false))
		if err != nil {
			t.Error(err)
		}
	}
	c.wants(fin|text, "all")
	if err := r.hub.Send(t.Context(), ref.Namespace, id, sockets.NewMessage([]byte("\xff"), true)); err != nil {
		t.Error(err)
	}
	c.wants(fin|octets, "\xff")
}

func TestWhatCannotBeSent(t *testing.T) {
	r := newRig(t, func(o *sockets.Options) { o.Memory = 900 })
	r.dial(t)
	id := r.newest(t)
	for name, row := range map[string]struct {
		m    *sockets.Message
		want error
	}{
		"too long":  {sockets.NewMessage(make([]byte, 1001), true), sockets.ErrTooLong},
		"bad text":  {sockets.NewMessage([]byte("\xff"), false), sockets.ErrText},
		"no memory": {sockets.NewMessage(make([]byte, 901), true), sockets.ErrMemory},
	} {
		if err := r.hub.Send(t.Context(), ref.Namespace, id, row.m); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
	for _, code := range []int{0, 999, 1005, 1006, 1015, 2999, 5000} {
		if err := r.hub.Hangup(t.Context(), ref.Namespace, id, code, ""); !errors.Is(err, sockets.ErrCode) {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func TestAMessageReachesASocketOfAnotherServer(t *testing.T) {
	exchange := mem.New()
	share := func(o *sockets.Options) { o.Exchange = exchange }
	one, two := newRig(t, share), newRig(t, share)
	c := one.dial(t)
	id := one.newest(t)
	eventually(t, "the servers to hear each other", func() bool {
		_, err := two.hub.Info(t.Context(), ref.Namespace, id)
		return err == nil
	})
	if err := two.hub.Send(t.Context(), ref.Namespace, id, sockets.NewMessage([]byte("from two"), false)); err != nil {
		t.Fatal(err)
	}
	c.wants(fin|text, "from two")
	other := "A" // another last character than that of id, which is any
	if strings.HasSuffix(id, other) {
		other = "B"
	}
	if err := two.hub.SendAll(t.Context(), ref.Namespace, "", sockets.NewMessage([]byte("\x00"), true)); err != nil {
		t.Fatal(err)
	}
	c.wants(fin|octets, "\x00")
	for name, row := range map[string]struct {
		namespace, id string
		m             *sockets.Message
		want          error
	}{
		"another namespace": {"other", id, sockets.NewMessage(nil, true), sockets.ErrGone},
		"gone":              {ref.Namespace, id[:len(id)-1] + other, sockets.NewMessage(nil, true), sockets.ErrGone},
		"no such server":    {ref.Namespace, "AAAAAAAAAAAAA" + id[13:], sockets.NewMessage(nil, true), sockets.ErrGone},
	} {
		if err := two.hub.Send(t.Context(), row.namespace, row.id, row.m); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
	for _, forged := range []string{
		"", "{}", `{"do":"send"}`, `{"do":"answer","seq":1}`, `{"do":"hangup","id":"` + id + `"}`,
	} {
		if _, err := exchange.Publish(t.Context(), id[:13], []byte(forged)); err != nil {
			t.Fatal(err)
		}
	}
	if err := two.hub.Hangup(t.Context(), ref.Namespace, id, 4000, "enough"); err != nil {
		t.Fatal(err)
	}
	if got := c.end(); got != 4000 {
		t.Errorf("ended with %d", got)
	}
	if got := one.closes(t, 1); got.Code != 4000 || got.Reason != "enough" {
		t.Errorf("the function was told %+v", got)
	}
}

func TestADeletedFunctionLosesItsSockets(t *testing.T) {
	for name, change := range map[string]func(*rig){
		"deleted":      func(r *rig) { r.gone = true },
		"switched off": func(r *rig) { r.option.On = false },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			c := r.dial(t)
			r.hub.Changed(function.Change{Ref: ref}) // a new version
			r.hub.Changed(function.Change{All: true})
			c.write(frame(fin|text, []byte("still here")))
			c.wants(fin|text, "still here")
			r.mu.Lock()
			change(r)
			r.mu.Unlock()
			r.hub.Changed(function.Change{Ref: ref})
			if got := c.end(); got != 1001 {
				t.Errorf("ended with %d", got)
			}
		})
	}
}

func TestCloseEndsSocketsAndTellsTheirFunctions(t *testing.T) {
	r := newRig(t, nil)
	var callers []*caller
	for range 20 {
		callers = append(callers, r.dial(t))
	}
	ended := make(chan error, len(callers))
	for _, c := range callers {
		go func() {
			var err error
			if got := c.end(); got != 1001 {
				err = fmt.Errorf("ended with %d", got)
			}
			ended <- err
		}()
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r.hub.Close(ctx)
	for range callers {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	r.closes(t, len(callers))
	if _, err := r.hub.Admit(&function.Function{Ref: ref}, "1"); !errors.Is(err, sockets.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestCloseDoesNotWaitForCallersThatDoNotAnswer(t *testing.T) {
	r := newRig(t, nil)
	r.dial(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.hub.Close(ctx)
	r.closes(t, 0)
}

func TestMemoryForMessagesIsBounded(t *testing.T) {
	r := newRig(t, func(o *sockets.Options) { o.Message = 16 << 20 })
	c := r.dial(t)
	go c.write(frame(fin|octets, make([]byte, 15<<20))) // the port has 8 MiB
	if got := c.end(); got != 1013 {
		t.Errorf("ended with %d", got)
	}
}

func TestASocketEndsWithTheKeyOfItsCaller(t *testing.T) {
	r := newRig(t, nil)
	revoke, stopped := make(chan func(), 1), make(chan struct{})
	r.mu.Lock()
	r.watch = func(end func()) (stop func()) {
		revoke <- end
		return func() { close(stopped) }
	}
	r.mu.Unlock()
	c := r.dial(t)
	c.write(frame(fin|text, []byte("a")))
	c.wants(fin|text, "a")
	(<-revoke)()
	if code := c.end(); code != 1008 {
		t.Errorf("the socket ended with %d", code)
	}
	<-stopped
	if e := r.closes(t, 1); e.Code != 1008 || e.Reason != "the key is not valid any more" {
		t.Errorf("the function learns %+v", e)
	}
}
