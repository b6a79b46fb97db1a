package storetest

import (
	"bytes"
	"context"
	"strconv"
	"testing"
	"time"
)

// messageTests are of messages between servers.
var messageTests = table{
	"MessagesReachThoseWhoListen": testMessagesReachThoseWhoListen,
	"NobodyListens":               testNobodyListens,
}

// Listening starts a Subscribe on s to names and returns when it is known to get messages to the first one. Stop ends
// it and returns when it has returned.
func Listening(t *testing.T, s Store, names ...string) (messages <-chan []byte, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	seen, done := make(chan []byte, 100), make(chan struct{})
	go func() {
		defer close(done)
		s.Subscribe(ctx, names, func(message []byte) {
			select {
			case seen <- message:
			case <-ctx.Done():
			}
		})
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(patience)
	for probe := 0; ; probe++ {
		text := []byte(strconv.Itoa(probe))
		_, err := s.Publish(t.Context(), names[0], text)
		wantNoError(t, err)
		select {
		case got := <-seen:
			if bytes.Equal(got, text) { // not of an earlier probe
				return seen, func() {
					cancel()
					<-done
				}
			}
		case <-tick.C:
		case <-timeout:
			t.Fatal("nobody listens")
		}
	}
}

func testMessagesReachThoseWhoListen(t *testing.T, s Store) {
	one, stopOne := Listening(t, s, "ONE", "all")
	two, stopTwo := Listening(t, s, "TWO", "all")
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, row := range []struct {
		to      string
		message []byte
	}{{"ONE", every}, {"all", []byte("x")}, {"TWO", bytes.Repeat(every, 4096)}, {"all", nil}} {
		if heard, err := s.Publish(t.Context(), row.to, row.message); !heard || err != nil {
			t.Fatalf("a message to %s was heard: %v, %v", row.to, heard, err)
		}
	}
	wantMessages(t, one, every, []byte("x"), nil)
	wantMessages(t, two, []byte("x"), bytes.Repeat(every, 4096), nil)
	stopOne()
	stopTwo()
}

func wantMessages(t *testing.T, seen <-chan []byte, want ...[]byte) {
	t.Helper()
	for i, message := range want {
		select {
		case got := <-seen:
			if !bytes.Equal(got, message) {
				t.Errorf("message %d has %d bytes, want %d", i, len(got), len(message))
			}
		case <-time.After(patience):
			t.Fatalf("message %d did not come", i)
		}
	}
}

func testNobodyListens(t *testing.T, s Store) {
	_, stop := Listening(t, s, "ONE")
	if heard, err := s.Publish(t.Context(), "TWO", []byte("x")); heard || err != nil {
		t.Errorf("a message to nobody was heard: %v, %v", heard, err)
	}
	stop()
	timeout := time.After(patience)
	for {
		heard, err := s.Publish(t.Context(), "ONE", []byte("x"))
		wantNoError(t, err)
		if !heard {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond): // a server may learn late that a connection is closed
		case <-timeout:
			t.Fatal("somebody listens who has stopped")
		}
	}
}
