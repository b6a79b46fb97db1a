package egress

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// Upstream is an HTTP proxy for connections to the outside, by CONNECT. It is safe for concurrent use.
type Upstream struct {
	// Names makes the proxy look up names: it gets the name, and not the address that was checked here. A name that the
	// server cannot look up is checked by the rules for names alone.
	Names bool
	// Roots are the certificates that are trusted for a proxy with an https URL; nil for those of the system.
	Roots *x509.CertPool

	secure        bool   // uses TLS
	host, address string // of the proxy; address is host:port
	authorization string // the value of Proxy-Authorization, or nothing
	through       func(*url.URL) (*url.URL, error)
	told          reminder
}

var errUpstream = errors.New("must be the URL of an HTTP proxy, such as http://proxy.example:3128 or " +
	"https://user:password@proxy.example")

// NewUpstream returns the proxy of an http or https URL, which may contain a user and a password. Exceptions are the
// targets that are reached without it, in the form of NO_PROXY; those on this machine always are. Its errors never show
// the URL.
func NewUpstream(address, exceptions string) (*Upstream, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" {
		return nil, errUpstream
	}
	port := u.Port()
	switch u.Scheme {
	case "http", "https":
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
	default:
		return nil, errUpstream
	}
	if _, err := parsePort(port); err != nil {
		return nil, errUpstream
	}
	up := &Upstream{secure: u.Scheme == "https", host: u.Hostname(), address: net.JoinHostPort(u.Hostname(), port)}
	if u.User != nil {
		password, _ := u.User.Password()
		up.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
	}
	up.through = (&httpproxy.Config{HTTPSProxy: "http://proxy", NoProxy: exceptions}).ProxyFunc()
	return up, nil
}

// String is the proxy's URL without user and password.
func (u *Upstream) String() string {
	if u.secure {
		return "https://" + u.address
	}
	return "http://" + u.address
}

// isFor says whether t uses the proxy if addr, if there is one, is its address.
func (u *Upstream) isFor(t target, addr netip.Addr) bool {
	hosts := []string{t.host()}
	if addr.IsValid() {
		hosts = append(hosts, addr.String())
	}
	for _, host := range hosts {
		to, err := u.through(&url.URL{Scheme: "https", Host: net.JoinHostPort(host, strconv.Itoa(int(t.port)))})
		if err != nil || to == nil {
			return false
		}
	}
	return true
}

// reminderPause is the shortest time between two lines about the proxy.
const reminderPause = 10 * time.Second

// reminder limits how often something is logged.
type reminder struct {
	mu     sync.Mutex // guards the fields below
	last   time.Time
	untold int
}

// now says whether to log now, and how often it was not logged since the last time.
func (r *reminder) now() (tell bool, untold int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.last) < reminderPause {
		r.untold++
		return false, 0
	}
	untold = r.untold
	r.last, r.untold = time.Now(), 0
	return true, untold
}
