package egress_test

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

const (
	openID   = "AAAAAAAAAAAAA-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	closedID = "AAAAAAAAAAAAA-ABCDEFGHIJKLMNOPQRSTUVWXY2"
)

// sockets note what they are asked for. Connections of the namespace ns with openID are open.
type sockets struct {
	mu    sync.Mutex // guards asked
	asked []string
}

func (*sockets) Longest() int { return 100_000 }

func (s *sockets) note(format string, values ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, fmt.Sprintf(format, values...))
}

func (s *sockets) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.asked = nil }()
	return s.asked
}

func (s *sockets) Send(_ context.Context, namespace, function, id string, binary bool, data []byte) string {
	text := string(data)
	if len(text) > 20 {
		text = fmt.Sprintf("%d bytes", len(text))
	}
	s.note("send %s %s %q %t %q", namespace, function, id, binary, text)
	return code(namespace, id)
}

func (s *sockets) Hangup(_ context.Context, namespace, id string, status int, reason string) string {
	s.note("hangup %s %q %d %q", namespace, id, status, reason)
	return code(namespace, id)
}

func code(namespace, id string) string {
	if namespace == "ns" && (id == openID || id == "") {
		return ""
	}
	return "ENOTCONN"
}

func TestMessagesAreOfTheCallThatAsks(t *testing.T) {
	s := &sockets{}
	limits := egress.DefaultLimits()
	limits.Attempts = 6
	w := newWorker(t, egress.Options{Sockets: s, Limits: limits})
	for _, row := range []struct{ text, answer, asked string }{
		{"SEND text/" + openID + "/2\nhi", "200 -", `send ns ns/fn.js "` + openID + `" false "hi"`},
		{"SEND bytes/*/2\n\xff\n", "200 -", `send ns ns/fn.js "" true "\xff\n"`},
		{"SEND text/" + closedID + "/0\n", "502 ENOTCONN - -", `send ns ns/fn.js "` + closedID + `" false ""`},
		{"HANGUP " + openID + "/4000/a%20b\n", "200 -", `hangup ns "` + openID + `" 4000 "a b"`},
		{"HANGUP " + openID + "/1000/\n", "200 -", `hangup ns "` + openID + `" 1000 ""`},
		{"SEND text/*/100001\n" + strings.Repeat("x", 100001), "502 EMSGSIZE - -", ""},
		{"SEND text/*/1\nhi", "403 EGRESS_DENIED protocol -", ""}, // more than was said
		{"SEND text/*/-1\n", "403 EGRESS_DENIED protocol -", ""},
		{"SEND text/*/99999999999999999999\n", "403 EGRESS_DENIED protocol -", ""},
		{"SEND other/*/1\nx", "403 EGRESS_DENIED protocol -", ""},
		{"SEND text/" + openID + "\n", "403 EGRESS_DENIED protocol -", ""},
		{"HANGUP " + openID + "\n", "403 EGRESS_DENIED protocol -", ""},
		{"HANGUP " + openID + "/1000/%zz\n", "403 EGRESS_DENIED protocol -", ""},
		{"SEND text/*/1\nx", "200 -", `send ns ns/fn.js "" false "x"`},
		{"SEND text/*/1\nx", "403 EGRESS_DENIED limit -", ""}, // one too many
	} {
		if got := w.ask(row.text); got != row.answer {
			t.Errorf("%q: %s, want %s", row.text, got, row.answer)
		}
		if got := strings.Join(s.take(), " "); got != row.asked {
			t.Errorf("%q: %s, want %s", row.text, got, row.asked)
		}
	}
	w.proxy.CallEnded(os.Getpid())
	if got := w.ask("SEND text/*/1\nx"); got != "403 EGRESS_DENIED no_call -" || s.take() != nil {
		t.Errorf("without a call: %s", got)
	}
	w.proxy.CallStarted(os.Getpid(), &sandbox.Invocation{ID: "2", Group: "other", Filename: "other/fn.js"})
	if got := w.ask("SEND text/" + openID + "/1\nx"); got != "502 ENOTCONN - -" {
		t.Errorf("another namespace: %s", got)
	}
}

func TestHalfAMessageIsNone(t *testing.T) {
	s := &sockets{}
	limits := egress.DefaultLimits()
	limits.Connect = 20 * time.Millisecond
	w := newWorker(t, egress.Options{Sockets: s, Limits: limits})
	if got := w.ask("SEND text/*/100\nhalf"); !strings.HasPrefix(got, "502 ") || s.take() != nil {
		t.Errorf("got %s", got)
	}
}

func TestMessagesNeedAServerThatHasSockets(t *testing.T) {
	w := newWorker(t, egress.Options{})
	for _, text := range []string{"SEND text/*/1\nx", "HANGUP " + openID + "/1000/\n"} {
		if got := w.ask(text); got != "502 ENOTSUP - -" {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// TestFunctionsSendMessages has functions of two namespaces in real workers.
func TestFunctionsSendMessages(t *testing.T) {
	onEachNode(t, func(t *testing.T, _ string, use func(*sandbox.Config)) {
		s := &sockets{}
		r := newRig(t, egress.Options{Sockets: s}, use)
		const code = `async function main(req, res) {
			const { connections } = Backstage
			const [open, closed] = req.body
			const fails = what => what.then(() => 'none', e => e.code || e.name)
			res.send([
				await connections.send(open, 'hé'), await connections.send(open, Buffer.alloc(100000)),
				await connections.send(closed, new Uint8Array([255, 0])), await connections.send('x/1\nSEND', ''),
				await connections.broadcast('all'), await connections.close(open, 4000, 'a b\né'),
				await connections.close(closed), await fails(connections.send(open, Buffer.alloc(100001))),
				await fails(connections.send(open, {})), await fails(connections.broadcast(1)),
			])
		}`
		got := call[[]any](t, r, code, []string{openID, closedID})
		want := []any{true, true, false, false, nil, true, false, "EMSGSIZE", "TypeError", "TypeError"}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		asked := []string{
			`send ns ns/fn.js "` + openID + `" false "hé"`, `send ns ns/fn.js "` + openID + `" true "100000 bytes"`,
			`send ns ns/fn.js "` + closedID + `" true "\xff\x00"`, `send ns ns/fn.js "" false "all"`,
			`hangup ns "` + openID + `" 4000 "a b\né"`, `hangup ns "` + closedID + `" 1000 ""`,
		}
		if got := s.take(); !reflect.DeepEqual(got, asked) {
			t.Errorf("asked\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(asked, "\n"))
		}
		inv := invocation(t, code, []string{openID, closedID})
		inv.Group, inv.Filename = "other", "other/fn.js"
		result, err := r.pool.Invoke(t.Context(), inv)
		if err != nil || !strings.HasPrefix(string(result.Body), "[false,false,false,false,null,false,false,") {
			t.Errorf("another namespace: %v %s", err, result.Body)
		}
	})
}
