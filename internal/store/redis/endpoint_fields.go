package redis

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// credentials are those in front of the hosts. One word there is the password, but the user if the query has the
// password.
func (p parts) credentials() (username, password string, err error) {
	username, password, err = readLogin(p.login)
	if strings.Contains(p.login, ":") {
		return username, password, err
	}
	if query, queryErr := url.ParseQuery(p.query); queryErr == nil && query.Get("password") != "" {
		username, password = password, ""
	}
	return username, password, err
}

// readLogin reads "user:password" or "password", percent-encoded.
func readLogin(text string) (username, password string, err error) {
	username, password, found := strings.Cut(text, ":")
	if !found {
		username, password = "", text
	}
	username, userErr := url.PathUnescape(username)
	password, passwordErr := url.PathUnescape(password)
	if userErr != nil || passwordErr != nil {
		return "", "", errLogin // not wrapped: they hold the text
	}
	return username, password, nil
}

// database reads a number; an empty text is 0.
func database(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, errDatabase
	}
	return int(n), nil
}

// addrs reads a list of hosts.
func addrs(hosts, defaultPort string) ([]string, error) {
	var all []string
	for host := range strings.SplitSeq(hosts, ",") {
		addr, err := address(strings.TrimSpace(host), defaultPort)
		if err != nil {
			return nil, err
		}
		all = append(all, addr)
	}
	return all, nil
}

// address completes host, host:port or [IPv6]:port. A number is a port of this machine, as it was in Backstage
// Functions.
func address(text, defaultPort string) (string, error) {
	if n, err := strconv.ParseUint(text, 10, 16); err == nil && n > 0 {
		return net.JoinHostPort("127.0.0.1", text), nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil { // no port
		host, port = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"), defaultPort
	}
	if _, err := netip.ParseAddr(host); host == "" || (strings.Contains(host, ":") && err != nil) {
		return "", errHost
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errPort
	}
	return net.JoinHostPort(host, port), nil
}
