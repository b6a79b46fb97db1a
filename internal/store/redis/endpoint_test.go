package redis

import (
	"crypto/tls"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEndpointsAreRead(t *testing.T) {
	for text, want := range map[string]endpoint{
		"redis://h":                 {addrs: []string{"h:6379"}},
		"redis://h:1/":              {addrs: []string{"h:1"}},
		"REDIS://:pw@h:1/3":         {addrs: []string{"h:1"}, password: "pw", database: 3},
		"redis://pw@h":              {addrs: []string{"h:6379"}, password: "pw"},
		"redis://user:p%40w%2F@h:1": {addrs: []string{"h:1"}, username: "user", password: "p@w/"},
		"redis://:p@w:x@h:1":        {addrs: []string{"h:1"}, password: "p@w:x"},
		"redis://[::1]:7/2":         {addrs: []string{"[::1]:7"}, database: 2},
		"redis://[::1]":             {addrs: []string{"[::1]:6379"}},
		"redis://h?db=2":            {addrs: []string{"h:6379"}, database: 2},
		"redis://h/3?db=2&family=6": {addrs: []string{"h:6379"}, database: 3},
		"redis://h?password=p@w%25": {addrs: []string{"h:6379"}, password: "p@w%"},
		"redis://:one@h?password=two&username=u&allowUsernameInURI=true": {addrs: []string{"h:6379"}, username: "u", password: "one"},
		"redis+cluster://a,b?password=p":                                 {addrs: []string{"a:6379", "b:6379"}, password: "p", cluster: true},
		"rediss://user:p?w=1@h":                                          {addrs: []string{"h:6379"}, username: "user", password: "p?w=1", tls: true},
		"h:1?db=2":                                                       {addrs: []string{"h:1"}, database: 2},
		":pw@h:1":                                                        {addrs: []string{"h:1"}, password: "pw"},
		"6380":                                                           {addrs: []string{"127.0.0.1:6380"}},
		"unix:///run/redis.sock?password=p&db=1":                         {addrs: []string{"/run/redis.sock"}, password: "p", database: 1},
		"127.0.0.1:6380":                                                 {addrs: []string{"127.0.0.1:6380"}},
		"rediss://:pw@h":                                                 {addrs: []string{"h:6379"}, password: "pw", tls: true},
		"unix:///run/redis.sock":                                         {addrs: []string{"/run/redis.sock"}},
		"unix://:pw@/run/redis.sock?db=2":                                {addrs: []string{"/run/redis.sock"}, password: "pw", database: 2},
		"/run/redis.sock":                                                {addrs: []string{"/run/redis.sock"}},
		"redis+cluster://a:1,b,c:3":                                      {addrs: []string{"a:1", "b:6379", "c:3"}, cluster: true},
		"redis+cluster://user:pw@a:1,b:2":                                {addrs: []string{"a:1", "b:2"}, username: "user", password: "pw", cluster: true},
		"rediss+cluster://:pw@a:1/":                                      {addrs: []string{"a:1"}, password: "pw", cluster: true, tls: true},
		"sentinel://:@a:1,b:2/service_name:main":                         {addrs: []string{"a:1", "b:2"}, master: "main"},
		"sentinel://:@127.0.0.1:16380,127.0.0.1:16381,127.0.0.1:16382/service_name:redis-cluster": {
			addrs: []string{"127.0.0.1:16380", "127.0.0.1:16381", "127.0.0.1:16382"}, master: "redis-cluster",
		},
		"sentinel://:p%40@:/?w@a:1/service_name:main": {addrs: []string{"a:1"}, password: "p%40@:/?w", master: "main"},
		"sentinel://user:pw@a/service_name:main":      {addrs: []string{"a:26379"}, password: "pw", master: "main"},
		"sentinel://a:1,b:2/service_name:main":        {addrs: []string{"a:1", "b:2"}, master: "main"},
		"sentinel://:p@a:1/service_name:m?sentinel_password=s%40%2F&db=3": {
			addrs: []string{"a:1"}, password: "p", master: "m", sentinelPassword: "s@/", database: 3,
		},
		"rediss+sentinel://user:p%40@a:1,b/service_name:m?sentinel_user=u&sentinel_password=s": {
			addrs: []string{"a:1", "b:26379"}, username: "user", password: "p@", master: "m", sentinelUser: "u", sentinelPassword: "s", tls: true,
		},
		"redis://u%40@h?password=p":                       {addrs: []string{"h:6379"}, username: "u@", password: "p"},
		"redis://u@h?password=p&username=v":               {addrs: []string{"h:6379"}, username: "u", password: "p"},
		"redis://u:p@h?password=q":                        {addrs: []string{"h:6379"}, username: "u", password: "p"},
		"redis://u:@h?password=q":                         {addrs: []string{"h:6379"}, username: "u", password: "q"},
		"redis://p@h?username=u":                          {addrs: []string{"h:6379"}, username: "u", password: "p"},
		"redis://p@h?password=":                           {addrs: []string{"h:6379"}, password: "p"},
		"unix://u@/run/redis.sock?password=p":             {addrs: []string{"/run/redis.sock"}, username: "u", password: "p"},
		"redis+cluster://u@a,b?password=p":                {addrs: []string{"a:6379", "b:6379"}, username: "u", password: "p", cluster: true},
		"redis+sentinel://u@a/service_name:m?password=p":  {addrs: []string{"a:26379"}, username: "u", password: "p", master: "m"},
		"redis+sentinel://p@a/service_name:m?username=u":  {addrs: []string{"a:26379"}, username: "u", password: "p", master: "m"},
		"redis+sentinel://:p@a/service_name:m?username=u": {addrs: []string{"a:26379"}, username: "u", password: "p", master: "m"},
		"sentinel://any@a/service_name:m?password=p":      {addrs: []string{"a:26379"}, password: "p", master: "m"},
		"redis+sentinel://a/service_name:m":               {addrs: []string{"a:26379"}, master: "m"},
	} {
		got, err := parseEndpoint(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
}

func TestBadEndpointsAreNamedWithoutThePassword(t *testing.T) {
	for text, want := range map[string]error{
		"http://:secret@h":                          errScheme,
		"secret://h":                                errScheme,
		"redis://:secret@":                          errHost,
		"redis://:secret@:1":                        errHost,
		"redis://:secret@h:1:2":                     errHost,
		"redis://:secret@h:port":                    errPort,
		"redis://:secret@h:0":                       errPort,
		"redis://:secret@h:65536":                   errPort,
		"redis://:secret@h/db":                      errDatabase,
		"redis://:secret@h/-1":                      errDatabase,
		"redis://:secret%zz@h":                      errLogin,
		"redis://:secret@a,b":                       errHosts,
		"redis://h?passwort=secret":                 errQuery,
		"redis://h?password=secret&password=secret": errQuery,
		"redis://h?db=secret":                       errDatabase,
		"redis://h?password=%zzsecret":              errQuery,
		"redis+cluster://h?db=secret":               errQuery,
		"unix://:secret@h/path":                     errSocket,
		"unix://:secret@":                           errSocket,
		"unix:///path?secret=1":                     errQuery,
		"unix:///path?db=secret":                    errDatabase,
		"sentinel://:secret@h:1":                    errMasterName,
		"sentinel://:secret@h:1/main":               errMasterName,
		"sentinel://:secret@/service_name:main":     errHost,
		"sentinel://:secret@a,,b/service_name:main": errHost,
		"sentinel://:secret@a/service_name:m?a=1":   errQuery,
		"redis+sentinel://:secret@a/service_name:m?sentinel_password=secret&sentinel_password=secret": errQuery,
		"redis+sentinel://:secret@a/service_name:m?sentinel_password=%zzsecret":                       errQuery,
		"redis+sentinel://:secret%zz@a/service_name:m":                                                errLogin,
		"redis+sentinel://:secret@a/service_name:m?db=secret":                                         errDatabase,
		"redis+cluster://:secret@a:1,b:x":                                                             errPort,
		"redis://secret%zz@h?password=secret":                                                         errLogin,
		"redis+cluster://:secret@a:1/2":                                                               errPath,
		"":                                                                                            errHost,
	} {
		e, err := parseEndpoint(text)
		if !errors.Is(err, want) || !reflect.DeepEqual(e, endpoint{}) {
			t.Errorf("%s: got %+v, %v, want %v", text, e, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells the password: %v", text, err)
		}
	}
}

func TestTLSIsUsedWhereTheEndpointAsksForIt(t *testing.T) {
	for text, want := range map[string]bool{"redis://h": false, "rediss://h": true, "redis+cluster://h": false, "rediss+cluster://h": true, "rediss+sentinel://h/service_name:m": true} {
		e, err := parseEndpoint(text)
		if got := e.options(new(tls.Config)).TLSConfig != nil; got != want || err != nil {
			t.Errorf("%s: TLS is %v, %v", text, got, err)
		}
	}
}

func FuzzParseEndpoint(f *testing.F) {
	f.Add("sentinel://:pw@a:1,b:2/service_name:main")
	f.Add("redis://user:pw@h:1/2")
	f.Add("unix:///a?db=1")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseEndpoint(text)
		if err == nil && len(e.addrs) == 0 {
			t.Error("neither an address nor an error")
		}
	})
}

// A Redis with TLS that takes connections and says nothing would be waited for without end, but for the timeout.
func TestDialTimeoutBoundsTheHandshake(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	e, err := parseEndpoint("rediss://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	e.dialTimeout = time.Millisecond
	o := e.options(&tls.Config{MinVersion: tls.VersionTLS12})
	if o.DialTimeout != time.Millisecond {
		t.Errorf("the client waits %s", o.DialTimeout)
	}
	if conn, err := o.Dialer(t.Context(), "tcp", listener.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("connected")
	}
}
