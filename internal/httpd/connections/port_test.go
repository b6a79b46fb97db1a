package connections

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestOneAddressMayHaveAllPlacesUntilOthersWantThem(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		const places = 12
		s := over.start(t, Options{Most: places})
		var first []*caller
		for i := range places {
			c := s.dial(t, 1, get("/"))
			c.expect(t, http.StatusOK)
			s.awaitIdle(t, i+1)
			first = append(first, c)
		}
		var second []*caller
		for range places / 2 { // 127.0.0.2 takes as many as 127.0.0.1 has in the end
			c := s.dial(t, 2, get("/"))
			c.expect(t, http.StatusOK)
			s.awaitIdle(t, places)
			second = append(second, c)
		}
		for i, c := range first {
			if i < places/2 { // those that were idle for longest
				if !c.ended() {
					t.Errorf("connection %d stays", i)
				}
				continue
			}
			c.send(t, get("/"))
			c.expect(t, http.StatusOK)
		}
		s.awaitIdle(t, places)
		third := s.dial(t, 3, get("/"))
		third.expect(t, http.StatusOK)
		second[len(second)-1].send(t, get("/"))
		second[len(second)-1].expect(t, http.StatusOK)
		if got := s.Stats(); got.Open != places || got.Ended != places/2+1 || got.Refused != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestCallsThatRunKeepTheirPlacesAndProbesAreAnswered(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		const places = 4
		s := over.start(t, Options{Most: places})
		var calls []*caller
		for range places {
			calls = append(calls, s.dial(t, 1, get("/hold")))
			<-s.begun
		}
		for n := 1; n <= 3; n++ {
			for range 2 {
				c := s.dial(t, n, get("/"))
				c.expect(t, http.StatusServiceUnavailable)
				if !c.ended() {
					t.Error("a refused caller stays connected")
				}
				c = s.dial(t, n, get("/livez"))
				c.expect(t, http.StatusOK)
				if !c.ended() {
					t.Error("a probe stays connected")
				}
			}
		}
		for range places {
			s.hold <- struct{}{}
		}
		for _, c := range calls {
			c.expect(t, http.StatusOK)
		}
		if got := s.Stats(); got.Refused != 6 || got.Ended != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestProbesAreAnsweredBesideAnyNumberOfSilentCallers(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		const places = 4
		s := over.start(t, Options{Most: places})
		for range places {
			s.dial(t, 1, get("/hold"))
			<-s.begun
		}
		for range 5 * Reserve {
			s.dial(t, 1, "GET /")
		}
		s.awaitOpen(t, places+Reserve)
		for _, n := range []int{1, 2} {
			s.dial(t, n, get("/livez")).expect(t, http.StatusOK)
		}
		if got := s.Stats().Open; got > places+Reserve {
			t.Errorf("%d connections", got)
		}
	})
}

func TestRequestTakesAPlaceThatItsOwnAddressDoesNotUse(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		const places = 3
		s := over.start(t, Options{Most: places})
		s.dial(t, 1, "GET / HTTP/1.1\r\n") // never ends its headers
		for range places - 1 {
			s.dial(t, 1, get("/hold"))
			<-s.begun
		}
		eventually(t, "a place", func() bool { return s.dial(t, 1, get("/")).status() == http.StatusOK })
		if got := s.Stats(); got.Ended != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestSlowBodiesAndAnswersMakePlaceForOthers(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Most: 2})
		slow := []*caller{s.dial(t, 1, post(10, 1)), s.dial(t, 1, get("/long"))}
		for range slow {
			<-s.begun
		}
		eventually(t, "a place", func() bool { return s.dial(t, 2, get("/")).status() == http.StatusOK })
		if got := s.Stats(); got.Ended != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestPlacesAreGivenBack(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Most: 5})
		for range 50 {
			c := s.dial(t, 1, get("/"))
			c.expect(t, http.StatusOK)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			s.awaitOpen(t, 0)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.places.peers) != 0 || len(s.places.byCount) != 0 {
			t.Errorf("%d peers, %d counts are left", len(s.places.peers), len(s.places.byCount))
		}
	})
}

func TestPeersAreAddressesOrNetworks(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8::1": "2001:db8::/64", "2001:db8::ffff:1": "2001:db8::/64", "fe80::1%eth0": "fe80::/64",
	} {
		ip := netip.MustParseAddr(address)
		addr := net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 1))
		if got := peerOf(addr).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if got := peerOf(&net.UnixAddr{Name: "@"}); got.IsValid() {
		t.Errorf("a Unix socket: %s", got)
	}
}

// TestRoomKeepsCount changes a room at random and compares it with what is easy to count.
func TestRoomKeepsCount(t *testing.T) {
	r := newRoom(50)
	var all []*Conn
	for range 20_000 {
		switch n := rand.IntN(3); {
		case n == 0 && !r.full():
			c := &Conn{address: netip.PrefixFrom(netip.AddrFrom4([4]byte{1, 1, 1, byte(rand.IntN(8))}), 32)}
			r.add(c)
			all = append(all, c)
		case n == 1 && len(all) > 0:
			r.move(all[rand.IntN(len(all))], phase(rand.IntN(int(phases))), time.Time{})
		case n == 2 && len(all) > 0:
			i := rand.IntN(len(all))
			r.remove(all[i])
			all = append(all[:i], all[i+1:]...)
		}
		counts, evictable, most := map[netip.Prefix]int{}, map[netip.Prefix]bool{}, 0
		for _, c := range all {
			counts[c.address]++
			evictable[c.address] = evictable[c.address] || c.phase != busy
		}
		for address := range evictable {
			if evictable[address] {
				most = max(most, counts[address])
			}
		}
		victim := r.victim(1, idle, waiting)
		if (victim != nil) != (most > 1) || victim != nil && (counts[victim.address] != most || victim.phase == busy) {
			t.Fatalf("victim %v of %v", victim, counts)
		}
		if r.taken != len(all) || len(r.peers) != len(counts) {
			t.Fatalf("%d places, %d peers; want %d and %d", r.taken, len(r.peers), len(all), len(counts))
		}
	}
}

// failing is a listener that cannot accept for a while.
type failing struct {
	net.Listener
	mu     sync.Mutex
	errors []error
}

func (f *failing) Accept() (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.errors) == 0 {
		return f.Listener.Accept()
	}
	err := f.errors[0]
	f.errors = f.errors[1:]
	return nil, err
}

func TestPortOutlivesFailuresToAccept(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	broken := errors.New("broken")
	var log strings.Builder
	p := New(&failing{Listener: l, errors: []error{
		&net.OpError{Op: "accept", Err: unix.EMFILE}, &net.OpError{Op: "accept", Err: unix.ECONNABORTED}, unix.ENOMEM, broken,
	}}, Options{Name: "api", Most: 5, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if _, err := p.Accept(); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if got := p.Stats().AcceptErrors; got != 3 {
		t.Errorf("%d failures are counted", got)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "level=WARN") || !strings.Contains(text, "too many open files") {
		t.Errorf("logged %q", text)
	}
}

func TestWantOfDescriptorsEndsAnIdleConnection(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Most: 5})
		c := s.dial(t, 1, get("/"))
		c.expect(t, http.StatusOK)
		eventually(t, "an idle connection", func() bool { s.acceptFailed(unix.EMFILE); return s.Stats().Ended == 1 })
		if !c.ended() {
			t.Error("it stays")
		}
	})
}
