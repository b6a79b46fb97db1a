package callbacks

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/secrets"
	"github.com/backstage/functions/internal/store/mem"
)

// secret is the one of the examples of Standard Webhooks.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var ref = function.Ref{Namespace: "ns", ID: "id"}

// patience ends a broken test.
const patience = 2 * time.Minute

// rig is a sender of callbacks of calls in memory.
type rig struct {
	*Sender
	store *mem.Store
	sent  chan string // what attempts came to
	stop  func()      // takes nothing more
}

func (r *rig) CallbackSent(how string, _ time.Duration) { r.sent <- how }

// dialer reaches what functions reach, and what allow names.
func dialer(allow ...string) *egress.Dialer {
	policy := egress.Policy{Mode: egress.Public}
	for _, text := range allow {
		rule, err := egress.ParseRule(text)
		if err != nil {
			panic(err)
		}
		policy.Allow = append(policy.Allow, rule)
	}
	limits := egress.Limits{Connect: patience}
	return egress.NewDialer(egress.Options{Policies: egress.NewPolicies(policy, nil), Limits: limits})
}

func newRig(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	r := &rig{store: mem.New(), sent: make(chan string, 1000)}
	o := Options{
		Queue: r.store, Dial: dialer("127.0.0.1").Dial, Observer: r, Server: "web-1", Timeout: patience,
		Secret: func(context.Context, function.Ref, string) (string, error) { return secret, nil },
		Record: func(c *queue.Call) []byte { return []byte(`{"id":"` + c.ID + `"}`) },
		Answer: func(context.Context, function.Ref, string) (*calls.Answer, error) { return nil, queue.ErrNotFound },
	}
	if change != nil {
		change(&o)
	}
	r.Sender = New(o)
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { r.Run(ctx) })
	r.stop = func() {
		cancel()
		tasks.Wait()
	}
	t.Cleanup(func() {
		r.stop()
		r.Close(ctx)
	})
	return r
}

// end has a call of that namespace end whose end is told at url.
func (r *rig) end(t *testing.T, namespace, url string) *queue.Call {
	t.Helper()
	spec := &queue.Spec{
		ID: uuid.Must(uuid.NewV7()).String(), Ref: function.Ref{Namespace: namespace, ID: "id"}, Attempts: 1,
		MaxAge: time.Hour, Keep: time.Hour, KeepDead: time.Hour, CallTo: queue.Callback{URL: url, Secret: "HOOK"},
	}
	if _, err := r.store.PutCall(t.Context(), spec, queue.Limits{Calls: 1 << 20, Bytes: 1 << 40}); err != nil {
		t.Fatal(err)
	}
	if err := r.store.CancelCall(t.Context(), spec.Ref, spec.ID); err != nil {
		t.Fatal(err)
	}
	c, err := r.store.GetCall(t.Context(), spec.Ref, spec.ID)
	if err != nil {
		t.Fatal(err)
	}
	r.Poke()
	return c
}

// comes waits for what the next attempt comes to.
func (r *rig) comes(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-r.sent:
		if got != want {
			t.Fatalf("the attempt came to %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatal("nothing is sent")
	}
}

// detail is that of the last attempt for c, with its callback.
func (r *rig) detail(t *testing.T, c *queue.Call) (told *queue.Call, detail map[string]any) {
	t.Helper()
	told, err := r.store.GetCallback(t.Context(), c.Ref, c.ID)
	if err != nil || len(told.History) == 0 {
		t.Fatalf("%+v, %v", told, err)
	}
	if err := json.Unmarshal(told.History[len(told.History)-1].Detail, &detail); err != nil {
		t.Fatal(err)
	}
	return told, detail
}

func TestAReceiverCanVerifyTheEvent(t *testing.T) {
	type got struct {
		header http.Header
		body   string
	}
	received := make(chan got, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- got{r.Header, r.Method + " " + r.URL.RequestURI() + "\n" + string(body)}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	r := newRig(t, func(o *Options) {
		o.Secret = func(_ context.Context, of function.Ref, name string) (string, error) {
			if of != ref || name != "HOOK" {
				t.Errorf("asked for the secret %s of %s", name, of)
			}
			return "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3 " + secret, nil
		}
	})
	c := r.end(t, "ns", receiver.URL+"/done?a=b")
	r.comes(t, "succeeded")
	request := <-received
	begin, body, _ := strings.Cut(request.body, "\n")
	for _, key := range strings.Fields("whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3 " + secret) {
		verifier, err := webhooks.NewWebhook(key)
		if err == nil {
			err = verifier.Verify([]byte(body), request.header)
		}
		if err != nil {
			t.Errorf("the signature: %v", err)
		}
	}
	var event struct {
		Specversion, Type, Source, Subject, ID, Time, Datacontenttype string
		Data                                                          map[string]string
	}
	if err := json.Unmarshal([]byte(body), &event); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, event.Time)
	if begin != "POST /done?a=b" || event.Specversion != "1.0" || event.Type != "backstage.functions.call.cancelled" ||
		event.Source != "/functions/ns/id" || event.Subject != c.ID || event.ID != c.EventID() || err != nil ||
		!at.Equal(c.Settled) || event.Datacontenttype != "application/json" || event.Data["id"] != c.ID ||
		request.header.Get("Webhook-Id") != c.EventID() ||
		request.header.Get("Content-Type") != "application/cloudevents+json; charset=utf-8" {
		t.Errorf("received %s %v %s", begin, request.header, body)
	}
	if told, detail := r.detail(t, c); told.Status != queue.Succeeded || detail["status"] != 204.0 ||
		detail["server"] != "web-1" {
		t.Errorf("the record: %+v %v", told, detail)
	}
}

// TestSignaturesAreThoseOfStandardWebhooks has the example that its libraries are tested with.
func TestSignaturesAreThoseOfStandardWebhooks(t *testing.T) {
	at := time.Unix(1614265330, 0)
	header, err := sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, []byte(`{"test": 2432232314}`))
	if err != nil || header.Get("Webhook-Timestamp") != "1614265330" ||
		header.Get("Webhook-Signature") != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signed %v, %v", header, err)
	}
	for _, bad := range []string{
		"", " ", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa", secret + " x",
		"whsec_" + strings.Repeat("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 3), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La-_Sw",
	} {
		_, err := sign(bad, "id", at, nil)
		if !errors.Is(err, errSecret) || bad != "" && strings.Contains(err.Error(), "MfKQ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// receivers answer in all ways that there are.
func TestReceiversAnswer(t *testing.T) {
	secretive := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect was followed")
	}))
	defer secretive.Close()
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		comes  string
		status float64
		reason string
		after  time.Duration // that the next attempt waits at least
	}{
		"created":    {answering(201), "succeeded", 201, "", 0},
		"gone":       {answering(410), "dead", 410, "gone", 0},
		"failed":     {answering(500), "queued", 500, "status_500", firstBackoff / 2},
		"not found":  {answering(404), "queued", 404, "status_404", firstBackoff / 2},
		"busy":       {answering(429, "Retry-After", "100"), "queued", 429, "status_429", 100 * time.Second},
		"for long":   {answering(503, "Retry-After", "999999999"), "queued", 503, "status_503", longestBackoff},
		"redirect":   {answering(307, "Location", secretive.URL), "queued", 307, "status_307", firstBackoff / 2},
		"moved":      {answering(301, "Location", secretive.URL), "queued", 301, "status_301", firstBackoff / 2},
		"large head": {answering(200, "X-Large", strings.Repeat("a", 2*maxHeader)), "queued", 0, "connection", 0},
		"cut":        {cutting, "queued", 0, "connection", 0},
		"endless":    {endless, "succeeded", 200, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			receiver := httptest.NewServer(row.answer)
			defer receiver.Close()
			r := newRig(t, nil)
			c := r.end(t, "ns", receiver.URL)
			r.comes(t, row.comes)
			told, detail := r.detail(t, c)
			status, _ := detail["status"].(float64)
			reason, _ := detail["reason"].(string)
			if status != row.status || reason != row.reason ||
				row.after > 0 && told.Due.Sub(told.History[0].End) < row.after {
				t.Errorf("the record: %+v %v", told, detail)
			}
		})
	}
}

func answering(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	}
}

// cutting ends the connection without an answer.
func cutting(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// endless answers until nobody reads any more.
func endless(w http.ResponseWriter, r *http.Request) {
	for {
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}

// TestReceiversThatNeverAnswer has one that takes no connection's word, and one that never says anything.
func TestReceiversThatNeverAnswer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r := newRig(t, func(o *Options) { o.Timeout = 50 * time.Millisecond })
	c := r.end(t, "ns", "http://"+silent.Addr().String())
	r.comes(t, "queued")
	if _, detail := r.detail(t, c); detail["reason"] != "timeout" {
		t.Errorf("the record: %v", detail)
	}
}

// TestThePolicyOfFunctionsHolds has addresses that functions may not reach. What functions are not told, records do not
// say either, but the log does.
func TestThePolicyOfFunctionsHolds(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("an address inside was reached")
	}))
	defer inside.Close()
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	for url, code := range map[string]string{
		inside.URL:                    "EGRESS_DENIED (loopback)",
		"http://localhost:" + port:    "ENOTFOUND",
		"http://169.254.169.254/":     "EGRESS_DENIED (metadata)",
		"http://10.0.0.1/":            "EGRESS_DENIED (private)",
		"http://[::1]:" + port + "/":  "EGRESS_DENIED (loopback)",
		"http://0x7f000001:" + port:   "EGRESS_DENIED (bad_host)",
		"https://192.168.0.1:8443/a?": "EGRESS_DENIED (private)",
	} {
		var logged strings.Builder // written to before the attempt comes to something
		r := newRig(t, func(o *Options) {
			o.Dial, o.Logger = dialer().Dial, slog.New(slog.NewTextHandler(&logged, nil))
		})
		c := r.end(t, "ns", url)
		r.comes(t, "queued")
		if !strings.Contains(logged.String(), "EGRESS_ALLOW") || !strings.Contains(logged.String(), "EGRESS_DENIED") {
			t.Errorf("%s: the log has %q", url, logged.String())
		}
		if _, detail := r.detail(t, c); detail["reason"] != "connect" || detail["error"] != code {
			t.Errorf("%s: %v", url, detail)
		}
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	receiver := httptest.NewUnstartedServer(answering(200))
	receiver.Config.ErrorLog = log.New(io.Discard, "", 0)
	receiver.StartTLS()
	defer receiver.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(receiver.Certificate())
	for _, row := range []struct {
		roots *x509.CertPool
		comes string
	}{{trusted, "succeeded"}, {nil, "queued"}} {
		r := newRig(t, func(o *Options) { o.Roots = row.roots })
		c := r.end(t, "ns", receiver.URL)
		r.comes(t, row.comes)
		if _, detail := r.detail(t, c); row.roots == nil && detail["reason"] != "certificate" {
			t.Errorf("the record: %v", detail)
		}
	}
}

func TestEachNamespaceHasItsPolicy(t *testing.T) {
	var asked sync.Map
	r := newRig(t, func(o *Options) {
		o.Dial = func(_ context.Context, namespace, address string) (net.Conn, error) {
			asked.Store(namespace, address)
			return nil, errors.New("nobody is there")
		}
	})
	r.end(t, "a", "http://one.example/")
	r.end(t, "b", "https://two.example/")
	r.comes(t, "queued")
	r.comes(t, "queued")
	for namespace, want := range map[string]string{"a": "one.example:80", "b": "two.example:443"} {
		if got, _ := asked.Load(namespace); got != want {
			t.Errorf("for %s %v was asked for, want %s", namespace, got, want)
		}
	}
}

func TestACallbackOfADisabledNamespaceWaits(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Disabled = func(namespace string) bool { return namespace == "ns" }
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			t.Error("it was sent")
			return nil, errors.New("nobody is there")
		}
	})
	c := r.end(t, "ns", "http://127.0.0.1:1/")
	r.comes(t, "back")
	if told, err := r.store.GetCallback(t.Context(), c.Ref, c.ID); err != nil || told.Used != 0 ||
		time.Until(told.Due) < time.Minute {
		t.Errorf("the record: %+v, %v", told, err)
	}
}

func TestASecretThatCannotSignIsTold(t *testing.T) {
	missing := &secrets.Error{Function: ref, Name: "HOOK", Reason: secrets.ReasonMissing}
	unreadable := &secrets.Error{
		Function: ref, Name: "HOOK", Reason: secrets.ReasonUnreadable, Err: errors.New("open /inside/HOOK: denied"),
	}
	for _, row := range []struct {
		value string
		err   error
		says  string
	}{
		{"no key", nil, "the secret HOOK is not one or more keys of 24 to 64 bytes in base64"},
		{"", missing, "it is not there"},
		{"", unreadable, "its file in SECRETS_DIR cannot be read"},
		{"", errors.New("dial tcp 10.0.0.1: inside"), "internal error"},
	} {
		r := newRig(t, func(o *Options) {
			o.Secret = func(context.Context, function.Ref, string) (string, error) { return row.value, row.err }
		})
		c := r.end(t, "ns", "http://127.0.0.1:1/")
		r.comes(t, "queued")
		_, detail := r.detail(t, c)
		text, _ := detail["error"].(string)
		if detail["reason"] != "secret" || !strings.Contains(text, row.says) || strings.Contains(text, "no key") ||
			strings.Contains(text, "inside") {
			t.Errorf("the record: %v", detail)
		}
	}
}

func TestAStoreThatIsAwayUsesNoAttempt(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Secret = func(context.Context, function.Ref, string) (string, error) {
			return "", fmt.Errorf("secrets: %w", function.ErrUnavailable)
		}
		o.Poll = time.Hour
	})
	c := r.end(t, "ns", "http://127.0.0.1:1/")
	r.comes(t, "back")
	told, err := r.store.GetCallback(t.Context(), c.Ref, c.ID)
	if err != nil || told.Used != 0 || len(told.History) > 0 {
		t.Errorf("the record: %+v, %v", told, err)
	}
}

// TestAnyNumberOfFailuresHasItsWait has the number of a record that nobody has written so.
func TestAnyNumberOfFailuresHasItsWait(t *testing.T) {
	for _, failures := range []int{math.MinInt, -1, 0, 9, math.MaxInt} {
		if wait := backoff(failures); wait < firstBackoff/2 || wait > longestBackoff {
			t.Errorf("after %d failures: %v", failures, wait)
		}
	}
}

// TestASlowReceiverDelaysNoOther has more callbacks for a receiver that does not answer than may be sent at a time.
func TestASlowReceiverDelaysNoOther(t *testing.T) {
	release, waiting := make(chan struct{}), atomic.Int64{}
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		waiting.Add(1)
		<-release
	}))
	defer slow.Close()
	defer close(release)
	quick := httptest.NewServer(answering(200))
	defer quick.Close()
	r := newRig(t, func(o *Options) { o.Most, o.PerNamespace, o.PerReceiver = 8, 6, 2 })
	for range 20 {
		r.end(t, "ns", slow.URL)
	}
	r.end(t, "ns", quick.URL)
	r.end(t, "other", quick.URL)
	for succeeded := 0; succeeded < 2; {
		select {
		case how := <-r.sent:
			if how == "succeeded" {
				succeeded++
			}
		case <-time.After(patience):
			t.Fatal("a slow receiver delays another one")
		}
	}
	if n := waiting.Load(); n > 2 {
		t.Errorf("%d are sent to one receiver at a time", n)
	}
}

func TestANamespaceLeavesPlacesToOthers(t *testing.T) {
	p := newPlaces(14, 6, 2)
	for i := range 6 {
		if ok, _ := p.take("many", strconv.Itoa(i)); !ok {
			t.Fatalf("place %d is refused", i)
		}
	}
	if ok, ahead := p.take("many", "7"); ok || ahead != 1 {
		t.Errorf("one more is taken, with %d before it", ahead)
	}
	if ok, _ := p.take("few", "7"); !ok || p.free() != 7 {
		t.Errorf("another namespace gets none, %d are free", p.free())
	}
	for i := range 6 {
		p.give("many", strconv.Itoa(i))
	}
	p.give("few", "7")
	if p.free() != 14 || len(p.taken) != 0 || len(p.waiting) != 0 { // who was turned away may have gone elsewhere
		t.Errorf("all were given back: %+v", p)
	}
}

// TestManyNamespacesWithSlowReceiversDelayNoOther has namespaces that each have more callbacks for receivers that do
// not answer than may be sent at a time.
func TestManyNamespacesWithSlowReceiversDelayNoOther(t *testing.T) {
	release, waiting := make(chan struct{}), make(chan struct{}, 100)
	var servers []*httptest.Server
	defer func() {
		close(release)
		for _, server := range servers {
			server.Close()
		}
	}()
	slow := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		waiting <- struct{}{}
		<-release
	})
	quick := httptest.NewServer(answering(200))
	defer quick.Close()
	r := newRig(t, func(o *Options) { o.Most, o.PerNamespace, o.PerReceiver = 16, 16, 16 })
	for i, places := range []int{8, 4, 2} { // half of what is left, each
		server := httptest.NewServer(slow)
		servers = append(servers, server)
		for range 20 {
			r.end(t, "slow"+strconv.Itoa(i), server.URL)
		}
		for range places {
			select {
			case <-waiting:
			case <-time.After(patience):
				t.Fatal("a callback is not sent")
			}
		}
	}
	r.end(t, "other", quick.URL)
	for {
		select {
		case how := <-r.sent:
			if how == "succeeded" {
				return
			}
		case <-time.After(patience):
			t.Fatal("slow receivers of others delay one that is quick")
		}
	}
}

// TestAStoppingServerGivesCallbacksBack has one on its way to a receiver that does not answer.
func TestAStoppingServerGivesCallbacksBack(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-release
	}))
	defer receiver.Close()
	defer close(release)
	r := newRig(t, nil)
	c := r.end(t, "ns", receiver.URL)
	<-begun
	r.stop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.Close(ctx)
	r.comes(t, "back")
	if told, err := r.store.GetCallback(t.Context(), c.Ref, c.ID); err != nil || told.Used != 0 {
		t.Errorf("the record: %+v, %v", told, err)
	}
}

// TestAnswersAreInEventsUnlessTheyAreLong has what functions answer.
func TestAnswersAreInEventsUnlessTheyAreLong(t *testing.T) {
	for _, row := range []struct {
		answer calls.Answer
		want   string
	}{
		{calls.Answer{Status: 200, Body: []byte(`{"a":1.0}`)}, `,"answer":{"status":200,"body":{"a":1.0}}}`},
		{calls.Answer{Status: 201, Bytes: []byte("\x00a")}, `,"answer":{"status":201,"base64":"AGE="}}`},
		{calls.Answer{Status: 204}, `,"answer":{"status":204}}`},
		{calls.Answer{Status: 200, Body: []byte(`"` + strings.Repeat("a", 100) + `"`)}, `{"id":"1"}`},
	} {
		s := New(Options{
			AnswerLimit: 100, Record: func(c *queue.Call) []byte { return []byte(`{"id":"1"}`) },
			Answer: func(context.Context, function.Ref, string) (*calls.Answer, error) { return &row.answer, nil },
		})
		text, err := s.event(t.Context(), &queue.Call{
			Spec: queue.Spec{ID: "1", Ref: ref}, Status: queue.Succeeded, HasResult: true,
		})
		if err != nil || !strings.HasSuffix(string(text), row.want+"}") {
			t.Errorf("%s, %v; want the end %s", text, err, row.want)
		}
	}
}
