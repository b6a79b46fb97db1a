//go:build linux

package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
)

// Functions answer with bytes and in pieces on every runtime, in workers as the server has them.
func TestStreamsOfFunctions(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		died := make(chan sandbox.Reason, 1000)
		pool := newRealPool(t, func(c *sandbox.Config) {
			one(c)
			c.Node, c.Observer, c.StreamIdle, c.StreamTotal = v.binary(t), deaths{died: died}, patience, patience
			c.StreamUnread = patience
		})
		for _, p := range []struct {
			name string
			test func(*testing.T, *sandbox.Pool, <-chan sandbox.Reason)
		}{
			{"bytes travel both ways", bytesTravel},
			{"pieces come as they are written", piecesCome},
			{"more than the worker's memory", moreThanMemory},
			{"a slow reader, who leaves", slowReaderLeaves},
			{"killed from outside", killedOutside},
			{"a limit on the whole", limitOnTheWhole},
			{"no more pieces", noMorePieces},
			{"a caller who does not read", callerDoesNotRead},
			{"many callers who do not read", manyDoNotRead},
		} {
			t.Run(p.name, func(t *testing.T) { p.test(t, pool, died) })
		}
	})
}

// functionTo is an invocation of code whose streamed answer goes to the writer.
func functionTo(name, code string, to io.Writer) *sandbox.Invocation {
	inv := invocation(name, code)
	inv.Request.HTTP = json.RawMessage(`{}`) // res has write and end
	inv.OnHead = func(sandbox.StreamHead) (io.Writer, error) { return to, nil }
	return inv
}

func bytesTravel(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	inv := invocation("echo", `function main(req, res) { res.set('x-size', req.rawBody.length).end(req.rawBody) }`)
	inv.Request.Body, inv.Request.HasRaw = nil, true
	inv.Request.HTTP = json.RawMessage(`{"path":"/","url":"/","ip":"192.0.2.1","host":"a","params":{}}`)
	for _, size := range []int{0, 1, 256, 100_000, 5 << 20} {
		inv.Request.Raw = make([]byte, size)
		for i := range inv.Request.Raw {
			inv.Request.Raw[i] = byte(i ^ i>>8)
		}
		result, err := pool.Invoke(t.Context(), inv)
		if err != nil || result.Bytes == nil || !bytes.Equal(result.Bytes, inv.Request.Raw) || result.Body != nil {
			t.Errorf("%d bytes: %d came back, %v", size, len(result.Bytes), err)
		}
	}
}

func piecesCome(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	var got bytes.Buffer
	var lines []string
	inv := functionTo("pieces", `function main(req, res) {
		setTimeout(() => { res.status(201).set('a', 'b').write('é'); console.log('between'); }, 1);
		setTimeout(() => { res.write(Buffer.from([0, 255, 10])); res.end(new Uint8Array([13])); }, 5);
	}`, &got)
	inv.OnLog = func(line sandbox.LogLine) { lines = append(lines, line.Text) }
	for _, warm := range []bool{false, true} {
		got.Reset()
		result, err := pool.Invoke(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		if want := "é\x00\xff\n\r"; got.String() != want || result.Sent != int64(len(want)) || result.Status != 201 {
			t.Errorf("got %q, %+v", got.String(), result)
		}
		if (result.Start == sandbox.StartWarm) != warm {
			t.Errorf("started %s", result.Start)
		}
	}
	if len(lines) != 2 {
		t.Errorf("printed %q", lines)
	}
}

func moreThanMemory(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	inv := functionTo("much", `function main(req, res) {
		setTimeout(() => { for (let i = 0; i < 2500; i++) res.write(Buffer.alloc(65536)); res.end(); }, 1);
	}`, io.Discard)
	result, err := pool.Invoke(t.Context(), inv)
	if err != nil || result.Sent != 2500<<16 {
		t.Errorf("got %+v, %v", result, err)
	}
}

// endless is a function that writes for as long as it may.
const endless = `function main(req, res) { setTimeout(() => { for (;;) res.write(Buffer.alloc(65536)) }, 1) }`

// atFirst is a writer that calls act when the first bytes are there, before it takes them.
func atFirst(act func()) io.Writer {
	acts := sync.OnceFunc(act)
	return writer(func(piece []byte) (int, error) {
		acts()
		return len(piece), nil
	})
}

func slowReaderLeaves(t *testing.T, pool *sandbox.Pool, died <-chan sandbox.Reason) {
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	inv := functionTo("left", endless, atFirst(func() {
		awaitBlocked(t)
		leave()
		awaitDeath(t, died, sandbox.ReasonCanceled)
	}))
	inv.Detached = true
	_, err := pool.Invoke(ctx, inv)
	wantBroken(t, "left", err)
	wantDeath(t, "left", err, sandbox.ReasonCanceled)
}

func killedOutside(t *testing.T, pool *sandbox.Pool, died <-chan sandbox.Reason) {
	inv := functionTo("killed", endless, atFirst(func() {
		awaitBlocked(t)
		_ = unix.Kill(youngest(processesBelow(t)), unix.SIGKILL)
		awaitDeath(t, died, sandbox.ReasonSignal)
	}))
	_, err := pool.Invoke(t.Context(), inv)
	wantBroken(t, "killed", err)
	wantDeath(t, "killed", err, sandbox.ReasonSignal)
}

func limitOnTheWhole(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	inv := functionTo("limited", endless, io.Discard)
	inv.StreamTotal = 300 * time.Millisecond
	_, err := pool.Invoke(t.Context(), inv)
	wantBroken(t, "limited", err)
	wantDeath(t, "limited", err, sandbox.ReasonStreamLimit)
}

func noMorePieces(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	inv := functionTo("idle", `function main(req, res) {
		setTimeout(() => { res.write('x'); setTimeout(() => {}, 1e8) }, 1);
	}`, io.Discard)
	inv.StreamIdle = 300 * time.Millisecond
	_, err := pool.Invoke(t.Context(), inv)
	wantBroken(t, "idle", err)
	wantDeath(t, "idle", err, sandbox.ReasonStreamIdle)
}

func callerDoesNotRead(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	inv := functionTo("unread", endless, newReader(0))
	inv.StreamUnread = 300 * time.Millisecond
	_, err := pool.Invoke(t.Context(), inv)
	wantBroken(t, "unread", err)
	wantDeath(t, "unread", err, sandbox.ReasonStreamUnread)
}

// More streams that nobody reads than there are workers do not hold up the calls of another namespace: each of them ends
// when its worker is needed.
func manyDoNotRead(t *testing.T, pool *sandbox.Pool, _ <-chan sandbox.Reason) {
	ctx, leave := context.WithCancel(t.Context())
	var streams sync.WaitGroup
	var evicted atomic.Int64
	begun := make(chan struct{}, 3)
	for range 3 {
		streams.Go(func() {
			inv := functionTo("many unread", endless, nil)
			inv.Group, inv.Detached = "unread", true
			inv.OnHead = func(sandbox.StreamHead) (io.Writer, error) {
				begun <- struct{}{}
				return newReader(0), nil
			}
			_, err := pool.Invoke(ctx, inv)
			if death, ok := errors.AsType[*sandbox.DeathError](err); ok && death.Reason == sandbox.ReasonEvicted {
				evicted.Add(1)
			}
		})
	}
	<-begun
	for range 2 {
		if _, err := pool.Invoke(t.Context(), invocation("neighbour", hello)); err != nil {
			t.Error(err)
		}
	}
	leave()
	streams.Wait()
	if evicted.Load() == 0 {
		t.Error("no stream has made room")
	}
}
