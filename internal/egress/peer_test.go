package egress

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestAConnectionIsWorthNothingAfterItsProcess is what keeps a worker's connection from becoming that of the next process with its ID.
func TestAConnectionIsWorthNothingAfterItsProcess(t *testing.T) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"CONNECT_TO=" + listener.Addr().String()}
	var said bytes.Buffer
	cmd.Stderr = &said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if pid, err := peerOf(conn); err != nil || pid != cmd.Process.Pid {
		t.Errorf("the peer is %d (%v), want %d", pid, err, cmd.Process.Pid)
	}
	if !peerLives(conn) {
		t.Error("a living peer is said to be dead")
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil { // until it has ended, reaped or not
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	if peerLives(conn) {
		t.Error("a dead peer is said to live")
	}
}
