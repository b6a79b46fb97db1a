package redis

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/storetest"
	"github.com/backstage/functions/internal/testenv"
)

// A write that was refused because nothing got through must not arrive later and replace the one made since.
func TestARefusedWriteDoesNotArriveOnceTheNetworkIsBack(t *testing.T) {
	network := testenv.NewNetwork(t, 1)
	server := network.Redis()
	s := open(t, "redis://"+server.Addr)
	put(t, s, ref, "1", nil)
	network.Cut(0)
	if _, err := s.script(t, "late"); !errors.Is(err, function.ErrUnavailable) {
		t.Errorf("a write through a cut cable: %v", err)
	}
	if unsent := unsentTo(t, server.Addr); len(unsent) > 0 {
		t.Errorf("the kernel goes on trying to send what was refused: %q", unsent)
	}
	network.Heal(0)
	eventually(t, func() error { return s.Ping(t.Context()) })
	put(t, s, ref, "2", nil)
	if f, err := s.Get(t.Context(), ref); err != nil || f.Code != "2" {
		t.Errorf("stored is %+v, %v", f, err)
	}
}

// script sends a write at once, without the reads that Put makes first.
func (s *Store) script(t *testing.T, code string) (*function.Function, error) {
	t.Helper()
	f := &function.Function{Ref: ref, Code: code}
	next := f.Revise(nil, function.NewStamp())
	return next, s.write(t.Context(), next, function.Packed{})
}

// unsentTo lists the connections of this machine to addr that hold data which has not arrived: proc_net_tcp(5).
func unsentTo(t *testing.T, addr string) []string {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	little := binary.LittleEndian.AppendUint32(nil, binary.BigEndian.Uint32(tcp.IP.To4()))
	remote := strings.ToUpper(hex.EncodeToString(little)) + fmt.Sprintf(":%04X", tcp.Port)
	var found []string
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line) // sl local_address rem_address st tx_queue:rx_queue …
		if len(fields) > 4 && fields[2] == remote && !strings.HasPrefix(fields[4], "00000000:") {
			found = append(found, line)
		}
	}
	return found
}

// eventually returns when try returns nil.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	timeout := time.After(5 * time.Minute)
	for err := try(); err != nil; err = try() {
		select {
		case <-timeout:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestAFullRedisIsReadAndKeepsWhatItHas(t *testing.T) {
	server := testenv.Redis(t)
	s := open(t, "redis://"+server.Addr)
	env := function.NewEnv(function.Var{Name: "A", Value: "1"})
	put(t, s, ref, "1", env)
	server.Do("CONFIG SET maxmemory 1")
	other := function.Ref{Namespace: "ns", ID: "other"}
	_, change := s.Put(t.Context(), &function.Function{Ref: ref, Code: "2"})
	_, create := s.Put(t.Context(), &function.Function{Ref: other, Code: "2"})
	for what, err := range map[string]error{"change": change, "create": create, "set": s.SetEnv(t.Context(), ref, "A", "2")} {
		if !errors.Is(err, function.ErrUnavailable) || !errors.Is(err, function.ErrFull) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if f, err := s.Get(t.Context(), ref); err != nil || f.Code != "1" || f.Env.Vars()[0].Value != "1" {
		t.Errorf("stored is %+v, %v", f, err)
	}
	page, err := s.List(t.Context(), function.Query{Page: 1, PerPage: 10})
	if err != nil || page.Total != 1 || len(page.Items) != 1 {
		t.Errorf("listed is %+v, %v", page, err)
	}
	check(t, s.Delete(t.Context(), ref))
	server.Do("CONFIG SET maxmemory 0")
	put(t, s, other, "2", nil)
}

func TestASlowRedisIsWaitedFor(t *testing.T) {
	server := testenv.Redis(t)
	s := open(t, "redis://"+testenv.SlowRelay(t, server.Addr, 300*time.Millisecond))
	put(t, s, ref, "1", nil)
	if f, err := s.Get(t.Context(), ref); err != nil || f.Code != "1" {
		t.Errorf("got %+v, %v", f, err)
	}
	changes, stop := storetest.Watching(t, s)
	put(t, s, ref, "2", nil)
	if got := storetest.Next(t, changes); got != (function.Change{Ref: ref}) {
		t.Errorf("a put was announced as %+v", got)
	}
	stop()
}
