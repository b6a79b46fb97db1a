package egress_test

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/internal/egress"
)

// connectAndWait is a process that connects to path and ends with its stdin.
func connectAndWait(path string) {
	if _, err := net.Dial("unix", path); err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// impatient are options under which what carries nothing ends soon.
func impatient(t *testing.T, addr string) egress.Options {
	options := allowing(t, addr)
	options.Limits = egress.DefaultLimits()
	options.Limits.PerCall, options.Limits.Attempts = 4, 12
	options.Limits.Connect, options.Limits.Idle = 50*time.Millisecond, 50*time.Millisecond
	return options
}

func TestDescriptorsThatAreSentAreDropped(t *testing.T) {
	addr := echo(t)
	w := newWorker(t, allowing(t, addr))
	conn := w.connect(addr)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, _, err := conn.WriteMsgUnix([]byte("x"), unix.UnixRights(int(writer.Fd())), nil); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil { // it has been read, and what came with it
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 { // ends when nobody has the other end
		t.Errorf("read %q, %v", rest, err)
	}
}

func TestWhoDoesNotReadIsCutOff(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		conn, err := listener.Accept()
		for err == nil {
			_, err = conn.Write(make([]byte, 1<<16))
		}
	}()
	defer listener.Close()
	w := newWorker(t, impatient(t, listener.Addr().String()))
	w.connect(listener.Addr().String())
	<-gone
	waitUntil(t, func() bool { return w.proxy.Open() == 0 })
}

func TestHalfAConnectionIsCutOffToo(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // what it has accepted says nothing, and does not end
	w := newWorker(t, impatient(t, listener.Addr().String()))
	conn := w.connect(listener.Addr().String())
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || len(got) > 0 {
		t.Errorf("got %q, %v", got, err)
	}
	waitUntil(t, func() bool { return w.proxy.Open() == 0 })
}

func TestHalfRequestsAreFewAndEnd(t *testing.T) {
	addr := echo(t)
	options := impatient(t, addr)
	options.Limits.Connect = 2 * time.Second // for which all of the first ones stay
	w := newWorker(t, options)
	refused := 0
	var half []net.Conn
	for range 50 {
		half = append(half, w.open("CONN"))
	}
	for _, conn := range half {
		answer, err := io.ReadAll(conn) // a reset tells as much as an answer
		if err != nil || string(answer) == "403 EGRESS_DENIED limit -\n" {
			refused++
		}
	}
	if refused < 50-options.Limits.Attempts-2*options.Limits.PerCall {
		t.Errorf("%d of 50 were refused at once", refused)
	}
	waitUntil(t, func() bool { return strings.HasPrefix(w.ask("RESERVE "+addr+"\n"), "200 ") })
}
