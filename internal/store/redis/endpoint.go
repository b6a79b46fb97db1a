package redis

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// endpoint is where Redis is, read from Options.Endpoint.
type endpoint struct {
	addrs    []string // host:port, or one absolute path
	username string
	password string
	database int
	master   string // what Sentinel calls it; empty without Sentinel
	cluster  bool
	tls      bool
	// sentinelUser and sentinelPassword are for the Sentinels themselves.
	sentinelUser     string
	sentinelPassword string
	// dialTimeout bounds a try to connect; 0 stands for DefaultDialTimeout.
	dialTimeout time.Duration
}

// The errors of parseEndpoint. None holds a piece of the text, which could be the password.
var (
	errScheme = errors.New(
		"begins with none of redis:// rediss:// unix:// sentinel:// redis+sentinel:// rediss+sentinel:// redis+cluster:// " +
			"rediss+cluster://",
	)
	errLogin    = errors.New("user or password is not percent-encoded")
	errHost     = errors.New("a host is missing or malformed")
	errHosts    = errors.New("more than one host; for a cluster write redis+cluster://")
	errPort     = errors.New("a port is not a number from 1 to 65535")
	errDatabase = errors.New("the database is not a number from 0")
	errPath     = errors.New("a path after the hosts is not supported")
	errQuery    = errors.New(
		"the query is not supported: it takes ?db= &password= &username= and, with Sentinel, &sentinel_user= " +
			"&sentinel_password=",
	)
	errSocket     = errors.New("the path of the socket is not absolute")
	errMasterName = errors.New("/service_name:NAME is missing")
)

func parseEndpoint(text string) (endpoint, error) {
	u := split(text)
	e, err := u.endpoint()
	if err != nil {
		return endpoint{}, fmt.Errorf("redis: endpoint: %w", err)
	}
	return e, nil
}

// parts are the pieces of an endpoint's text, as they stand.
type parts struct{ scheme, login, hosts, path, query string }

// knownQuery begins a query: a password in front of the hosts may hold a question mark too, and one in the query an
// "@".
var knownQuery = regexp.MustCompile(
	`\?(db|password|username|sentinel_user|sentinel_password|family|allowUsernameInURI)=`,
)

// split cuts text at the last "@", as a password may hold one; url.Parse would refuse a list of hosts.
func split(text string) parts {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		scheme, rest = "redis", text
		if strings.HasPrefix(text, "/") {
			scheme = "unix"
		}
	}
	p := parts{scheme: strings.ToLower(scheme)}
	if at := knownQuery.FindStringIndex(rest); at != nil {
		rest, p.query = rest[:at[0]], rest[at[0]+1:]
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		p.login, rest = rest[:at], rest[at+1:]
	}
	if p.query == "" {
		rest, p.query, _ = strings.Cut(rest, "?")
	}
	p.hosts = rest
	if slash := strings.Index(rest, "/"); slash >= 0 {
		p.hosts, p.path = rest[:slash], rest[slash:]
	}
	return p
}

func (p parts) endpoint() (endpoint, error) {
	switch p.scheme {
	case "redis", "rediss":
		return p.single()
	case "unix":
		return p.unix()
	case "sentinel":
		return p.sentinel()
	case "redis+sentinel", "rediss+sentinel":
		return p.ofSentinel()
	case "redis+cluster", "rediss+cluster":
		return p.ofCluster()
	}
	return endpoint{}, errScheme
}

func (p parts) single() (e endpoint, err error) {
	e.tls = p.scheme == "rediss"
	if strings.Contains(p.hosts, ",") {
		return e, errHosts
	}
	path := strings.TrimPrefix(p.path, "/")
	if e.database, err = database(path); err != nil {
		return e, err
	}
	if e.addrs, err = addrs(p.hosts, "6379"); err != nil {
		return e, err
	}
	if e.username, e.password, err = p.credentials(); err != nil {
		return e, err
	}
	err = e.readQuery(p.query, queryFields{"db": path == "", "password": true, "username": true})
	return e, err
}

func (p parts) unix() (e endpoint, err error) {
	if p.hosts != "" || p.path == "" {
		return e, errSocket
	}
	e.addrs = []string{p.path}
	if e.username, e.password, err = p.credentials(); err != nil {
		return e, err
	}
	err = e.readQuery(p.query, queryFields{"db": true, "password": true, "username": true})
	return e, err
}

func (p parts) sentinel() (e endpoint, err error) {
	_, e.master, _ = strings.Cut(p.path, ":")
	if e.master == "" {
		return e, errMasterName
	}
	_, e.password, _ = strings.Cut(p.login, ":")
	if err = e.readQuery(p.query, sentinelQuery); err != nil {
		return e, err
	}
	e.addrs, err = addrs(p.hosts, "26379")
	return e, err
}

// ofSentinel is sentinel with a login that is read as all others are, and TLS.
func (p parts) ofSentinel() (endpoint, error) {
	e, err := p.sentinel()
	if err != nil {
		return e, err
	}
	e.tls = p.scheme == "rediss+sentinel"
	username, password, err := p.credentials()
	setFull(&e.username, username)
	setFull(&e.password, password)
	return e, err
}

func (p parts) ofCluster() (e endpoint, err error) {
	e.cluster = true
	e.tls = p.scheme == "rediss+cluster"
	if p.path != "" && p.path != "/" {
		return e, errPath
	}
	if e.addrs, err = addrs(p.hosts, "6379"); err != nil {
		return e, err
	}
	if e.username, e.password, err = p.credentials(); err != nil {
		return e, err
	}
	err = e.readQuery(p.query, queryFields{"password": true, "username": true})
	return e, err
}
