package migration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// targetTexts are the targets in code and in variables as text.
func targetTexts(code string, env *function.Env) (all []string) {
	for _, t := range targets(code, env) {
		all = append(all, t.String())
	}
	return all
}

func TestTargetsAreFoundInCode(t *testing.T) {
	for text, want := range map[string][]string{
		`fetch("http://a.example/x")`:                          {"a.example:80"},
		"`https://A.example:8443/${id}`":                       {"a.example:8443"},
		`'http://user:p@w@10.0.0.1:80'`:                        nil,
		`'http://user:pw@10.0.0.1:8080'`:                       {"10.0.0.1:8080"},
		`"https://[fd00::1]:9/"`:                               {"[fd00::1]:9"},
		`mongodb+srv://u:p@db.internal/x`:                      {"db.internal:27017"},
		`redis://cache:6380`:                                   {"cache:6380"},
		"`http://${host}/x`":                                   nil,
		`localhost and ghost: 'y'`:                             nil,
		`http://a/ http://a/ http://b/`:                        {"a:80", "b:80"},
		`http://`:                                              nil,
		strings.Repeat("http://a.example/ ", 3*maxPerFunction): {"a.example:80"},

		// more than one host
		`'mongodb://a:27017,b:27018/db'`:                {"a:27017", "b:27018"},
		`"mongodb://u:p@10.0.0.1,10.0.0.2:1,db.inner/"`: {"10.0.0.1:27017", "10.0.0.2:1", "db.inner:27017"},
		`http://a.example,b.example/`:                   {"a.example:80"},
		`http://a.example,http://b.example`:             {"a.example:80", "b.example:80"},

		// a port beside
		`{ host: 'inner', port: 1 }`:                                           {"inner:1"},
		`{host:'192.168.0.7',port:81}`:                                         {"192.168.0.7:81"},
		`{port:"81",'host':'192.168.0.7'}`:                                     {"192.168.0.7:81"},
		"{\n  \"hostname\": `10.0.0.1`,\n  path: '/',\n  port: 81 // inner\n}": {"10.0.0.1:81"},
		`{ port: 81, a: { b: {} }, host: 'x', headers: { port: 9 } }`:          {"x:81"},
		`{ host: 'a', port: 1 }, { host: 'b', port: 2 }, { port: 3 }`:          {"a:1", "b:2"},
		`{ server: { host: 'a' }, port: 3 }`:                                   {"a"},
		`{ host: 'inner', port: PORT }`:                                        {"inner"},
		`{ host: 'inner', report: 5, port: 80 * 2 }`:                           {"inner"},
		`{ host: 'inner', port: 70000 }`:                                       {"inner"},
		`{"hostname": "inner.example:81"}`:                                     {"inner.example:81"},
		`{ host: '[fd00::1]', port: 81 }`:                                      {"[fd00::1]:81"},
		`const host = "x", port = 6379; f()`:                                   {"x:6379"},
		`a.host = 'x'; a.port = 1; b.host = 'y'; b.port = 2;`:                  {"x", "y"},
		`host = "x"`: {"x"},
		`{ protocol: 'http:', hostname: '10.0.0.1' }`:                   {"10.0.0.1:80"},
		`https.request({ path: '/', hostname: '10.0.0.1' }, done)`:      {"10.0.0.1:443"},
		`http.get({ hostname: '10.0.0.1', port })`:                      {"10.0.0.1"},
		`new Redis({ host: '10.0.0.1' })`:                               {"10.0.0.1"},
		`{ host: '10.0.0.1' }; const url = 'redis://10.0.0.1/'`:         {"10.0.0.1:6379", "10.0.0.1"},
		`http.get('http://10.0.1.1/'); f({host:'10.0.1.1', port: P.n})`: {"10.0.1.1:80", "10.0.1.1"},
		`{ host: '10.0.1.1', port: 1 }, { host: '10.0.1.1', port: P }`:  {"10.0.1.1:1"},
		`net.connect(6379,'10.4.4.6')`:                                  {"10.4.4.6:6379"},
		"tls.connect( 6380 , `inner` )":                                 {"inner:6380"},
		`net.createConnection(1, "inner", done); s.connect(2, 'i')`:     {"inner:1", "i:2"},
		`connect(port, 'inner'); reconnect(5, 'x')`:                     nil,
		`const BASE='10.3.3.3:8080'`:                                    {"10.3.3.3:8080"},
		`const A = "inner.host:8081/x?y", B = '//10.4.4.15/x';`:         {"inner.host:8081", "10.4.4.15"},
		`['localhost:3000', 'redis:6379', '//10.0.0.1:81/']`:            {"localhost:3000", "redis:6379", "10.0.0.1:81"},
		`['10:30', '1.2.3', '1.2.3:4', '16:9', 'a:1', 'v1.2.3:80']`:     nil,
		`['index.js:10', '0.0.0.0:80', 'a.b:0', 'a.b:70000', '10.1:9']`: nil,
		`['127.0.0.1', '10.0.0.0/8', 'css:hover', '12:30:45']`:          nil,
		`['user.name:5', 'res.status:200', '//inner.host:81/x']`:        {"inner.host:81"},
		`['a.vue:8000', 'a.php:8000', 'a.png:8000', 'a.rb:8000']`:       nil,

		// ends of sentences, addresses to listen on, ports of others
		`"call http://10.9.1.1. It"`:                                  {"10.9.1.1:80"},
		`{ hostname: '0.0.0.0', port: 80 }; '[::]:80' { host: '::' }`: nil,
		`http.get({ host: '10.0.0.9', defaultPort: 8080 })`:           {"10.0.0.9"},
		`const host='10.0.2.1'; const server={}; server.port=3000`:    {"10.0.2.1"},
		`{ host: '10.0.2.2', 'x-port': 1 }`:                           {"10.0.2.2"},
		`{report:5,aport:6,port:81,host:'10.0.2.2'}`:                  {"10.0.2.2:81"},

		// a port that is put in later
		`fetch('http://10.0.0.3:' + port + '/x')`:       {"10.0.0.3"},
		"`http://u:p@10.0.0.2:${port}/x`":               {"10.0.0.2"},
		`format("mongodb://10.0.0.2:1,10.0.0.3:%d", n)`: {"10.0.0.2:1", "10.0.0.3"},

		// IPv6
		`http.get({ host: 'fd00::7', port: 80 })`:          {"[fd00::7]:80"},
		`net.connect(81, 'fd00::8'); x = '[fd00::6]:8080'`: {"[fd00::8]:81", "[fd00::6]:8080"},
		`['//[fd00::6]/', 'a::b', 'fd00::6', '[a::b]']`:    {"fd00::6"},
		`mongodb://a:b@[fd00::1]:27017,[fd00::2]:27018/x`:  {"[fd00::1]:27017", "[fd00::2]:27018"},

		// names of members and variables, ways to connect
		`const dbHost='10.0.0.1', REDIS_HOST="10.0.0.2";`:               {"10.0.0.1", "10.0.0.2"},
		`{redisHost:'10.0.0.1',redisPort:1,db_host:'x',DB_PORT:2}`:      {"10.0.0.1:1", "x:2"},
		`{ dbHost: '10.0.0.1', port: 3000 }; { GHOST: 'y' }`:            {"10.0.0.1"},
		`new Redis(6379,'10.3.0.7'); redis.createClient(1, "10.3.0.8")`: {"10.3.0.7:6379", "10.3.0.8:1"},

		// any scheme, and many hosts in a string
		`"kafka://10.0.0.1", 'nats://n:1', 'tcp://10.0.0.2', 'xy://h:2'`: {"10.0.0.1:9092", "n:1", "10.0.0.2", "h:2"},
		`['app://open', 'file:///etc', 'git+https://a.example/b.git']`:   {"a.example:443"},
		`'10.3.0.1:9092,10.3.0.2:9093'; "a.inner:9092, b.inner:9092"`: {
			"10.3.0.1:9092", "10.3.0.2:9093", "a.inner:9092", "b.inner:9092",
		},
	} {
		if got := targetTexts(text, nil); !slices.Equal(got, want) {
			t.Errorf("%.60s: got %q, want %q", text, got, want)
		}
	}
}

func TestHostsThatAreNotLookedAtAreCounted(t *testing.T) {
	for _, row := range []struct {
		hosts, private, told int
		last                 string
	}{
		{maxPerFunction, maxPerFunction, maxPerFunction, "h19:80: private"},
		{60, 60, maxPerFunction + 1, "and 40 more of its hosts, which the check does not look at"},
		{60, 1, 1, "h0:80: private"},
		{maxLooks + 1, 0, 1, "and 1 more of its hosts, which the check does not look at"},
	} {
		var code strings.Builder
		private := map[string]bool{}
		for i := range row.hosts {
			host := fmt.Sprintf("h%d", i)
			private[host] = i < row.private
			fmt.Fprintf(&code, "http://%s/ ", host)
		}
		var got []string
		check := &Check{
			Reach: func(_ context.Context, _, host string, port uint16) (why, allow string) {
				if !private[host] {
					return "", ""
				}
				return "private", target{host, port}.String()
			},
			Found: func(f Finding) error {
				got = append(got, f.Text)
				if strings.Contains(f.Text, " more ") != (f.Allow == "") {
					t.Errorf("%q is allowed by %q", f.Text, f.Allow)
				}
				return nil
			},
		}
		if err := check.egress(t.Context(), &function.Function{Code: code.String()}); err != nil {
			t.Fatal(err)
		}
		if len(got) != row.told || got[len(got)-1] != row.last {
			t.Errorf("%d of %d hosts: got %q, want %d, the last %q", row.private, row.hosts, got, row.told, row.last)
		}
	}
}

func TestTargetsAreFoundInVariables(t *testing.T) {
	for text, want := range map[string][]string{
		`{"DB":"mongodb://u:p@a:1,b:2/x"}`:                                                                     {"a:1", "b:2"},
		`{"A":"10.4.4.4:6379","B_IP":"10.4.4.5","C":"inner.host:8081"}`:                                        {"10.4.4.4:6379", "10.4.4.5", "inner.host:8081"},
		`{"A":"//10.4.4.15/x","B":"//inner.host/x"}`:                                                           {"10.4.4.15", "inner.host"},
		`{"A":"10.0.0.1:1, 10.0.0.2:2;[fd00::1]:3"}`:                                                           {"10.0.0.1:1", "10.0.0.2:2", "[fd00::1]:3"},
		`{"REDIS_HOST":"10.0.0.1","REDIS_PORT":"6379","PORT":"1"}`:                                             {"10.0.0.1:6379"},
		`{"hostname":"inner.host","port":"81"}`:                                                                {"inner.host:81"},
		`{"DB_HOST":"inner.host"}`:                                                                             {"inner.host"},
		`{"CONFIG":"{\"host\":\"inner\",\"port\":81}"}`:                                                        {"inner:81"},
		`{"A":"10:30","B":"1.2.3","C":"16:9","D":"12:30:45","E":"v1.2"}`:                                       nil,
		`{"A":"10.0.0.0/8","B":"inner.host","C":"a:1","D":"0.0.0.0","E":"10:30-11:45"}`:                        nil,
		`{"A":"main.js:7","B":"see 1.2.3, at 10:30","C":"x=10.0.0.1"}`:                                         nil,
		`{"APP_VERSION":"10.2.0.1","MASK":"255.255.255.0","MODEL":"gpt.large:3","SKIP":"10.0.0.1"}`:            nil,
		`{"redisServers":"10.0.0.1,10.0.0.2","ipAddress":"10.0.0.3","API_URL":"10.0.0.4"}`:                     {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"},
		`{"A":"fd00::a","DB_HOST":"fd00::b","DB_PORT":"1","C":"A::B","D":"[fd00::c]","E":"00:1a:2b:3c:4d:5e"}`: {"fd00::a", "[fd00::b]:1", "fd00::c"},
		`{"sentryDSN":"https://k@10.0.0.1/1","N":5}`:                                                           nil,
	} {
		env := &function.Env{}
		if err := json.Unmarshal([]byte(text), env); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := targetTexts("", env); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestWaysOfAnsweringThatDifferAreTold(t *testing.T) {
	for code, want := range map[string]int{
		`res.set('X-A', ['a', 'b'])`:      1,
		`res.set('X-A', 'a')`:             0,
		`throw 'text'`:                    1,
		`throw new Error('text')`:         0,
		`res.status(42)`:                  1,
		`res.status(404)`:                 0,
		`res.status(99999)`:               1,
		`if (e instanceof Error) throw e`: 1,
	} {
		if got := answers(code); len(got) != want {
			t.Errorf("%s: got %q", code, got)
		}
	}
}

func TestReportsAreForPeopleAndPrograms(t *testing.T) {
	findings := []Finding{
		{Kind: Variables, Text: "X has no effect"},
		{Kind: Names, Ref: function.Ref{Namespace: "b", ID: "x"}, Text: "third"},
		{Kind: Names, Ref: function.Ref{Namespace: "a/b", ID: "c"}, Text: "second"},
		{Kind: Names, Ref: function.Ref{Namespace: "a", ID: "b/c"}, Text: "first"},
		{Kind: Egress, Ref: function.Ref{Namespace: "b", ID: "x"}, Text: "one", Allow: "inner:80"},
		{Kind: Egress, Ref: function.Ref{Namespace: "b", ID: "y"}, Text: "again", Allow: "inner:80"},
		{Kind: Egress, Ref: function.Ref{Namespace: "c"}, Text: "denied"},
		{Kind: Egress, Ref: function.Ref{Namespace: "b"}, Text: "whole", Allow: "10.0.0.1:443"},
		{Kind: Code, Ref: function.Ref{Namespace: "a\x1b[2J", ID: "b\n"}, Text: "text with \"quotes\"\u202e\u009b2J\x7f"},
	}
	var people, programs, none strings.Builder
	for _, r := range []*Report{NewReport(&people, false), NewReport(&programs, true)} {
		for _, f := range findings {
			if err := r.Add(f); err != nil {
				t.Fatal(err)
			}
		}
		r.Note("not looked for\x1b")
		if err := r.End(7); err != nil || r.Total() != len(findings) {
			t.Errorf("%v, %d", err, r.Total())
		}
	}
	const want = "names      namespace a, function b/c: first\n" +
		"names      namespace a/b, function c: second\n" +
		"names      namespace b, function x: third\n" +
		"code       namespace a\\u001b[2J, function b\\n: text with \"quotes\"\\u202e\\u009b2J\\u007f\n" +
		"egress     namespace b: whole\n" +
		"egress     namespace b, function x: one\n" +
		"egress     namespace b, function y: again\n" +
		"egress     namespace c: denied\n" +
		"variables  X has no effect\n" +
		"EGRESS_ALLOW=10.0.0.1:443,inner:80 allows all of these except 1, in addition to what it lists already\n" +
		"not looked for\\u001b\n" +
		"7 functions were looked at, and nothing was changed. 9 things to look at: 3 names, 1 code, 4 egress, 1 variables.\n"
	if people.String() != want {
		t.Errorf("got %q, want %q", people.String(), want)
	}
	var read struct {
		Findings  []map[string]string
		Functions int
		Counts    map[string]int
		Allow     string `json:"egressAllow"`
		Notes     []string
	}
	if err := json.Unmarshal([]byte(programs.String()), &read); err != nil || len(read.Findings) != len(findings) || read.Functions != 7 ||
		read.Counts["code"] != 1 || read.Findings[3]["id"] != "b\n" || read.Allow != "10.0.0.1:443,inner:80" ||
		!slices.Equal(read.Notes, []string{"not looked for\x1b"}) ||
		!strings.HasSuffix(read.Findings[3]["text"], "\u202e\u009b2J\x7f") || strings.ContainsAny(programs.String(), "\x1b\x7f\u009b\u202e") {
		t.Errorf("%v: %s", err, programs.String())
	}
	if err := NewReport(&none, true).End(0); err != nil || !strings.HasPrefix(none.String(), `{"findings":[],"functions":0,`) || !strings.Contains(none.String(), `"notes":[]`) {
		t.Errorf("%v: %s", err, none.String())
	}
}
