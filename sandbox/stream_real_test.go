//go:build linux

package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
)

// streaming is what functions of a nakedRunner begin with that stream their answer.
const streaming = `
	const pending = () => send({ type: 'pending', id });
	const head = () => send({ type: 'head', id, status: 201, headers: [['a', 'b']] });
	const chunk = bytes => { raw('{"type":"chunk","id":"' + id + '","size":' + bytes.length + '}\n'); raw(bytes); };
	const end = () => send({ type: 'end', id, reusable: true });
`

// streamPromises are about streams of workers that write what they like; docs/isolation.md lists them.
var streamPromises = []struct {
	name string
	test func(*testing.T, *sandbox.Pool, <-chan sandbox.Reason)
}{
	{"a stream comes as it was written", comesAsWritten},
	{"a slow reader holds its worker back", holdsBack},
	{"a worker that waits in a write is killed in time", endsInWrite},
	{"a stream that stands still is cut off, whatever it prints", isCutOff},
	{"a call whose worker died is not made again", isNotMadeAgain},
	{"an error ends a stream, and not its worker", endsWithError},
	{"a stream that its caller does not take ends its worker", isNotTaken},
	{"a stream that its caller does not read ends its worker, and the caller", isNotRead},
	{"a caller that takes little at a time is read to", isReadSlowly},
	{"a stream takes little memory, however long it is", takesLittleMemory},
}

func TestPromiseStreams(t *testing.T) {
	died := make(chan sandbox.Reason, 1000)
	pool, err := nakedPool(t, ready+`serve()`, func(c *sandbox.Config) {
		c.Observer, c.StreamIdle, c.StreamTotal = deaths{died: died}, patience, patience
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range streamPromises {
		t.Run(p.name, func(t *testing.T) { p.test(t, pool, died) })
	}
}

// awaitDeath waits until a worker has died for reason.
func awaitDeath(t *testing.T, died <-chan sandbox.Reason, reason sandbox.Reason) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case got := <-died:
			if got == reason {
				return
			}
		case <-late:
			t.Errorf("no worker died of %s", reason)
			return
		}
	}
}

// streamTo is an invocation of code whose answer goes to the writer.
func streamTo(name, code string, to io.Writer) *sandbox.Invocation {
	inv := invocation(name, streaming+code+`; return 'silent'`)
	inv.OnHead = func(sandbox.StreamHead) (io.Writer, error) { return to, nil }
	return inv
}

// writer is a function that takes bytes.
type writer func(piece []byte) (int, error)

func (w writer) Write(piece []byte) (int, error) { return w(piece) }

// wantBroken fails t unless err is that of a stream which had begun.
func wantBroken(t *testing.T, name string, err error) *sandbox.StreamError {
	t.Helper()
	broken, ok := errors.AsType[*sandbox.StreamError](err)
	if !ok {
		t.Errorf("%s: got %v, want a stream that broke", name, err)
		return &sandbox.StreamError{}
	}
	return broken
}

func comesAsWritten(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	want := append(bytes.Repeat(every, 300), bytes.Repeat([]byte("x"), 64<<10)...) // more than a pipe holds
	var whole bytes.Buffer
	var begun sandbox.StreamHead
	inv := streamTo("every byte", `
		pending(); head();
		for (let i = 0; i < 300; i++) chunk(Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
		chunk(Buffer.alloc(65536, 'x')); end()`, nil)
	inv.OnHead = func(head sandbox.StreamHead) (io.Writer, error) {
		begun = head
		return &whole, nil
	}
	for _, warm := range []bool{false, true} {
		whole.Reset()
		result, err := pool.Invoke(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		if (result.Start == sandbox.StartWarm) != warm {
			t.Errorf("started %s", result.Start)
		}
		if !result.Streamed || result.Status != 201 || begun.Status != 201 || len(result.Header) != 1 || len(begun.Header) != 1 {
			t.Errorf("the head was %+v, the result %+v", begun, result)
		}
		if !bytes.Equal(whole.Bytes(), want) || result.Sent != int64(len(want)) {
			t.Errorf("%d bytes came and %d were counted, want %d", whole.Len(), result.Sent, len(want))
		}
		if result.FirstByte <= 0 || result.FirstByte > result.Run {
			t.Errorf("the first byte came after %v of %v", result.FirstByte, result.Run)
		}
	}
}

// While the caller takes nothing the worker waits in its write.
func holdsBack(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	written, taken := filepath.Join(t.TempDir(), "written"), 0
	inv := streamTo("slow", `
		pending(); head();
		for (let i = 0; i < 64; i++) chunk(Buffer.alloc(65536));
		fs.writeFileSync('`+written+`', ''); end()`, writer(func(piece []byte) (int, error) {
		if taken += len(piece); taken == len(piece) {
			awaitBlocked(t)
			if _, err := os.Stat(written); err == nil {
				t.Error("the worker has written everything before its caller has taken it")
			}
		}
		return len(piece), nil
	}))
	if _, err := pool.Invoke(t.Context(), inv); err != nil || taken != 4<<20 {
		t.Errorf("%d bytes, %v", taken, err)
	}
}

// awaitBlocked returns when a worker waits in a write to its standard output: proc_pid_syscall(5).
func awaitBlocked(t *testing.T) {
	t.Helper()
	writes := fmt.Sprintf("%d 0x1 ", unix.SYS_WRITE)
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		for pid := range processesBelow(t) {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid))
			if strings.HasPrefix(string(text), writes) {
				return
			}
		}
		if time.Since(began) > patience {
			t.Error("no worker waits in a write")
			return
		}
	}
}

// A worker that waits in its write is killed there, while its caller takes nothing.
func endsInWrite(t *testing.T, pool *sandbox.Pool, died <-chan sandbox.Reason) {
	for _, want := range []sandbox.Reason{sandbox.ReasonStreamLimit, sandbox.ReasonCanceled} {
		ctx, cancel := context.WithCancel(t.Context())
		waited := false
		inv := streamTo("endless "+string(want), `pending(); head(); for (;;) chunk(Buffer.alloc(65536))`,
			writer(func(piece []byte) (int, error) {
				if waited {
					return len(piece), nil
				}
				waited = true
				if want == sandbox.ReasonCanceled {
					awaitBlocked(t)
					cancel()
				}
				awaitDeath(t, died, want)
				return len(piece), nil
			}))
		if want == sandbox.ReasonStreamLimit {
			inv.StreamTotal = 300 * time.Millisecond
		}
		_, err := pool.Invoke(ctx, inv)
		cancel()
		wantBroken(t, string(want), err)
		wantDeath(t, string(want), err, want)
	}
}

func isCutOff(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	inv := streamTo("still", `
		pending(); head(); chunk(Buffer.from('x'));
		const beat = () => send({ type: 'log', id, level: 'info', text: 'here' });
		setInterval(beat, 10); return 'later'`, io.Discard)
	inv.StreamIdle = 300 * time.Millisecond
	_, err := pool.Invoke(t.Context(), inv)
	wantBroken(t, "still", err)
	wantDeath(t, "still", err, sandbox.ReasonStreamIdle)
}

// What was written before a worker died comes to its caller; nothing of the call is done a second time.
func isNotMadeAgain(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	runs := filepath.Join(t.TempDir(), "runs")
	for name, row := range map[string]struct {
		code string
		sent int
	}{
		"after main":    {`pending()`, -1},
		"after a head":  {`pending(); head()`, 0},
		"after a chunk": {`pending(); head(); chunk(Buffer.alloc(50000))`, 50000},
		"in a chunk":    {`pending(); head(); chunk(Buffer.alloc(50000)); raw('{"type":"chunk","id":"' + id + '","size":9}\n12345678')`, 50000},
	} {
		_ = os.Remove(runs)
		var got bytes.Buffer
		_, err := pool.Invoke(t.Context(), streamTo("dies "+name,
			`fs.appendFileSync('`+runs+`', 'x'); `+row.code+`; process.kill(process.pid, 'SIGKILL'); for (;;);`, &got))
		wantDeath(t, name, err, sandbox.ReasonSignal)
		if row.sent >= 0 {
			if broken := wantBroken(t, name, err); broken.Sent != int64(row.sent) || got.Len() != row.sent {
				t.Errorf("%s: %d bytes, %d counted, want %d", name, got.Len(), broken.Sent, row.sent)
			}
		}
		if text := readFile(t, runs); text != "x" {
			t.Errorf("%s: it ran %d times", name, len(text))
		}
	}
}

func endsWithError(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	inv := streamTo("throws", `pending(); head(); chunk(Buffer.from('abc')); send({
		type: 'error', id, reusable: true, status: 0, message: 'm', text: 't', stack: '', frames: '', headers: [] })`, io.Discard)
	for _, warm := range []bool{false, true} {
		_, err := pool.Invoke(t.Context(), inv)
		broken := wantBroken(t, "throws", err)
		thrown, ok := errors.AsType[*sandbox.FunctionError](err)
		if !ok || thrown.Text != "t" || broken.Sent != 3 || (broken.Start == sandbox.StartWarm) != warm {
			t.Errorf("got %+v", broken)
		}
	}
}

func isNotTaken(t *testing.T, pool *sandbox.Pool, died <-chan sandbox.Reason) {
	refused := errors.New("refused")
	for name, row := range map[string]struct {
		head func(sandbox.StreamHead) (io.Writer, error)
		want error
	}{
		"no writer":         {nil, sandbox.ErrStream},
		"a head is refused": {func(sandbox.StreamHead) (io.Writer, error) { return nil, refused }, refused},
		"a writer that closes": {func(sandbox.StreamHead) (io.Writer, error) {
			return writer(func([]byte) (int, error) { return 0, refused }), nil
		}, refused},
	} {
		inv := streamTo("untaken "+name, `pending(); head(); for (;;) chunk(Buffer.alloc(65536))`, nil)
		inv.OnHead = row.head
		if _, err := pool.Invoke(t.Context(), inv); !errors.Is(err, row.want) {
			t.Errorf("%s: got %v, want %v", name, err, row.want)
		}
		awaitDeath(t, died, sandbox.ReasonCanceled)
	}
}

// reader is a caller that lets writes wait until it is cut off, or has taken enough.
type reader struct {
	takes atomic.Uint64
	cut   chan struct{}
	end   uint64 // takes after which it takes all
}

func newReader(end uint64) *reader { return &reader{cut: make(chan struct{}), end: end} }

func (r *reader) Write(piece []byte) (int, error) {
	for r.end == 0 || r.takes.Load() < r.end {
		select {
		case <-r.cut:
			return 0, net.ErrClosed
		case <-time.After(time.Millisecond):
		}
	}
	return len(piece), nil
}

// Taken is asked while a write lasts.
func (r *reader) Taken() uint64 {
	if r.end == 0 {
		return 0
	}
	return r.takes.Add(1)
}

func (r *reader) Cut() { close(r.cut) }

func isNotRead(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	inv := streamTo("unread", `pending(); head(); for (;;) chunk(Buffer.alloc(65536))`, newReader(0))
	inv.StreamUnread = 300 * time.Millisecond
	_, err := pool.Invoke(t.Context(), inv)
	wantBroken(t, "unread", err)
	wantDeath(t, "unread", err, sandbox.ReasonStreamUnread)
}

// The whole takes longer than the caller may take nothing for.
func isReadSlowly(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	inv := streamTo("read slowly", `pending(); head(); chunk(Buffer.alloc(65536)); end()`, newReader(5))
	inv.StreamUnread = 300 * time.Millisecond
	if result, err := pool.Invoke(t.Context(), inv); err != nil || result.Sent != 1<<16 {
		t.Errorf("got %+v, %v", result, err)
	}
}

// However long a stream is, the server holds no more than a piece of it.
func takesLittleMemory(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	var before, after runtime.MemStats
	inv := streamTo("long", `pending(); head(); for (let i = 0; i < 512; i++) chunk(Buffer.alloc(65536)); end()`, io.Discard)
	runtime.ReadMemStats(&before)
	result, err := pool.Invoke(t.Context(), inv)
	runtime.ReadMemStats(&after)
	if err != nil || result.Sent != 32<<20 {
		t.Fatalf("got %+v, %v", result, err)
	}
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 4<<20 {
		t.Errorf("32 MiB took %d bytes of memory", taken)
	}
}
