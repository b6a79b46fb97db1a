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

// Upstream is an HTTP proxy through which connections to the outside lead, by CONNECT. It is safe for concurrent use.
type Upstream struct {
	// Names lets the proxy look names up: it is sent the name, and not the address that was checked here. A name that
	// nobody here knows is judged by the rules for names alone.
	Names bool
	// Roots are the certificates that a proxy with an https URL is checked against; nil for those of the system.
	Roots *x509.CertPool

	secure        bool   // it is spoken to over TLS
	host, address string // of the proxy; address is host:port
	authorization string // the value of Proxy-Authorization, or nothing
	through       func(*url.URL) (*url.URL, error)
	told          reminder
}

var errUpstream = errors.New("must be the URL of an HTTP proxy, such as http://proxy.example:3128 or " +
	"https://user:password@proxy.example")

// NewUpstream returns the proxy of an http or https URL, which may hold a user and a password. Exceptions are the
// targets that are reached without it, in the form of NO_PROXY; those on this machine always are. Its errors never
// show the URL.
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

// isFor says whether t leads through the proxy when addr, if there is one, is its address.
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

// reminderPause is the least time between two lines about the proxy.
const reminderPause = 10 * time.Second

// reminder lets something be told now and then.
type reminder struct {
	mu     sync.Mutex // guards the fields below
	last   time.Time
	untold int
}

// now says whether to tell, and how often it was not told since it last was.
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
