package egress_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
)

// mixed has names inside and names outside.
const mixed = `
out.example.       60 IN A    8.8.8.8
out.example.       60 IN TXT  "text"
out.example.       60 IN MX   1 out.example.
out.example.       60 IN MX   2 in.example.
out.example.       60 IN MX   3 nowhere.example.
out.example.       60 IN MX   4 servfail.example.
out.example.       60 IN NS   in.example.
out.example.       60 IN SOA  in.example. root.example. 1 2 3 4 5
out.example.       60 IN CAA  0 issue "ca.example"
in.example.        60 IN A    10.0.0.1
in.example.        60 IN TXT  "secret"
in.example.        60 IN MX   1 out.example.
in.example.        60 IN NS   out.example.
both.example.      60 IN A    10.0.0.1
both.example.      60 IN A    8.8.4.4
both.example.      60 IN AAAA ::1
metadata.example.  60 IN A    169.254.169.254
v6.example.        60 IN A    10.0.0.1
v6.example.        60 IN AAAA 2001:4860:4860::8888
alias.example.     60 IN CNAME in.example.
away.example.      60 IN CNAME out.example.
service.example.   60 IN A    10.1.2.3
service.example.   60 IN TXT  "service"
denied.example.    60 IN A    8.8.8.8
db.corp.           60 IN A    10.0.0.1
_db._tcp.example.  60 IN SRV  1 1 1 out.example.
_db._tcp.example.  60 IN SRV  1 1 2 in.example.
_in._tcp.example.  60 IN SRV  1 1 2 in.example.
_x._tcp.denied.example. 60 IN TXT "denied"
_x._tcp.service.example. 60 IN TXT "of the service"
8.8.8.8.in-addr.arpa. 60 IN PTR out.example.
1.0.0.10.in-addr.arpa. 60 IN PTR in.example.
9.9.9.9.in-addr.arpa. 60 IN PTR in.example.
10.in-addr.arpa.   60 IN NS   out.example.
in-addr.arpa.      60 IN NS   out.example.
2.0.0.10.in-addr.arpa. 60 IN PTR nowhere.example.
2.0.0.10.in-addr.arpa. 60 IN TXT "of 10.0.0.2"
2.0.0.10.in-addr.arpa. 60 IN NS  nowhere.example.
8.9.9.9.in-addr.arpa.  60 IN PTR nowhere.example.
back.example.          60 IN CNAME 2.0.0.10.in-addr.arpa.
back9.example.         60 IN CNAME 8.9.9.9.in-addr.arpa.
7.8.8.8.in-addr.arpa.  60 IN CNAME 2.0.0.10.in-addr.arpa.
6.8.8.8.in-addr.arpa.  60 IN CNAME 6.0-127.0.0.10.in-addr.arpa.
6.0-127.0.0.10.in-addr.arpa. 60 IN PTR nowhere.example.
5.8.8.8.in-addr.arpa.  60 IN CNAME 5.0-127.8.8.8.in-addr.arpa.
5.0-127.8.8.8.in-addr.arpa. 60 IN PTR nowhere.example.
to-denied.example.     60 IN CNAME sub.denied.example.
sub.denied.example.    60 IN TXT "denied"
tags.example.          60 IN CAA 128 critical "a"
tags.example.          60 IN CAA 1 type "b"
tags.example.          60 IN CAA 2 certUsage "c"
tags.example.          60 IN CAA 3 issueMail "d"
4.8.8.8.in-addr.arpa.  60 IN CNAME 4.customer.example.
4.customer.example.    60 IN PTR nowhere.example.
`

// asking is a worker whose server asks a name server with these records.
func asking(t *testing.T, policy egress.Policy, records string, change func(*egress.Options)) (*worker, *zone) {
	t.Helper()
	z := newZone(t, records)
	options := egress.Options{Policy: policy, NameServers: []string{z.addr}, Resolver: &names{answers: map[string][]string{
		"out.example": {"8.8.8.8"}, "in.example": {"10.0.0.1"}, "both.example": {"10.0.0.1,8.8.4.4,::1"}, "localhost": {"127.0.0.1"},
		"service.example": {"10.1.2.3"}, "denied.example": {"8.8.8.8"},
	}}}
	if change != nil {
		change(&options)
	}
	return newWorker(t, options), z
}

func TestLookupsAreAnsweredAsFarAsThePolicyGoes(t *testing.T) {
	policy := egress.Policy{
		Mode: egress.Public, Allow: mustRules(t, "service.example:5432"), Deny: mustRules(t, "denied.example,*.denied.example,9.9.9.0/24"),
	}
	w, _ := asking(t, policy, mixed, nil)
	const none, deniedByName = "502 ENOTFOUND - -", "403 EGRESS_DENIED rule -"
	for question, want := range map[string]string{
		"LOOKUP out.example":     `200 ["8.8.8.8"]`,
		"LOOKUP both.example":    `200 ["8.8.4.4"]`,
		"LOOKUP service.example": `200 ["10.1.2.3"]`,
		"LOOKUP in.example":      none, "LOOKUP localhost": none, "LOOKUP none.example": none, "LOOKUP 2130706433": none, "LOOKUP denied.example": deniedByName,
		"LOOKUP 10.0.0.1": `200 ["10.0.0.1"]`, // as it is: nobody has looked it up

		"RESOLVE A/out.example":     `200 {"addresses":["8.8.8.8"],"ttls":[60]}`,
		"RESOLVE A/OUT.example.":    `200 {"addresses":["8.8.8.8"],"ttls":[60]}`,
		"RESOLVE A/both.example":    `200 {"addresses":["8.8.4.4"],"ttls":[60]}`,
		"RESOLVE AAAA/both.example": "502 ENODATA - -",
		"RESOLVE AAAA/v6.example":   `200 {"addresses":["2001:4860:4860::8888"],"ttls":[60]}`,
		"RESOLVE A/v6.example":      "502 ENODATA - -",
		"RESOLVE A/away.example":    `200 {"addresses":["8.8.8.8"],"ttls":[60]}`,
		"RESOLVE TXT/out.example":   `200 [["text"]]`,
		"RESOLVE MX/out.example":    `200 [{"exchange":"out.example","priority":1},{"exchange":"nowhere.example","priority":3}]`,
		"RESOLVE CAA/out.example":   `200 [{"critical":0,"issue":"ca.example"}]`,
		"RESOLVE ANY/out.example": `200 [{"address":"8.8.8.8","ttl":60,"type":"A"},{"exchange":"out.example","priority":1,"type":"MX"},` +
			`{"exchange":"nowhere.example","priority":3,"type":"MX"},{"entries":["text"],"type":"TXT"},{"critical":0,"issue":"ca.example","type":"CAA"}]`,
		"RESOLVE SRV/_db._tcp.example": `200 [{"name":"out.example","port":1,"priority":1,"weight":1}]`,
		// what leads inside, or tells of what is there, is not there
		"RESOLVE A/in.example": none, "RESOLVE AAAA/in.example": none, "RESOLVE TXT/in.example": none, "RESOLVE MX/in.example": none,
		"RESOLVE NS/in.example": none, "RESOLVE CNAME/in.example": none, "RESOLVE ANY/in.example": none, "RESOLVE SOA/in.example": none,
		"RESOLVE A/metadata.example": none, "RESOLVE A/alias.example": none, "RESOLVE CNAME/alias.example": none, "RESOLVE A/db.corp": none,
		"RESOLVE NS/out.example": none, "RESOLVE SOA/out.example": none, "RESOLVE SRV/_in._tcp.example": none,
		"RESOLVE A/none.example": none, "RESOLVE TXT/none.example": none,
		"RESOLVE PTR/1.0.0.10.in-addr.arpa": none, "RESOLVE PTR/10.in-addr.arpa": none, "RESOLVE NS/10.in-addr.arpa": none,
		"RESOLVE NS/in-addr.arpa.": none, "RESOLVE PTR/x.ip6.arpa": none, "RESOLVE SOA/ip6.ARPA": none,
		"RESOLVE PTR/1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa": none,
		"RESOLVE CAA/tags.example": `200 [{"critical":128},{"critical":1},{"critical":2},{"critical":3,"issueMail":"d"}]`,
		"RESOLVE ANY/tags.example": `200 [{"critical":128,"type":"CAA"},{"critical":1,"type":"CAA"},{"critical":2,"type":"CAA"},` +
			`{"critical":3,"issueMail":"d","type":"CAA"}]`,
		// however it is written, and whatever leads there
		"RESOLVE PTR/2.0.0.10.in-addr.arpa": none, "RESOLVE PTR/2.0.0.10.in-addr.ａrpa": none, "RESOLVE PTR/2.0.0.10.in-addr。arpa": none,
		"RESOLVE PTR/２.0.0.10.in-addr.arpa": none, "RESOLVE PTR/2．0．0．10.IN-ADDR.ARPA。": none, "RESOLVE PTR/2.0.0.10.in\u00ad-addr.arpa": none,
		"RESOLVE TXT/2.0.0.10.in-addr.ａrpa": none, "RESOLVE NS/2.0.0.10.in-addr。arpa": none, "RESOLVE ANY/2.0.0.10.in-addr.arpａ": none,
		"RESOLVE PTR/8.9.9.9.in-addr.ａrpa": "403 EGRESS_DENIED rule 9.9.9.8",
		"RESOLVE PTR/back.example":         none, "RESOLVE TXT/back.example": none, "RESOLVE PTR/back9.example": "403 EGRESS_DENIED rule 9.9.9.8",
		"RESOLVE PTR/7.8.8.8.in-addr.arpa": none, "RESOLVE PTR/6.8.8.8.in-addr.arpa": none,
		"RESOLVE PTR/5.8.8.8.in-addr.arpa": `200 ["nowhere.example"]`, "RESOLVE PTR/4.8.8.8.in-addr.arpa": `200 ["nowhere.example"]`,
		// what a rule opens is there
		"RESOLVE A/service.example":           `200 {"addresses":["10.1.2.3"],"ttls":[60]}`,
		"RESOLVE TXT/service.example":         `200 [["service"]]`,
		"RESOLVE TXT/_x._tcp.service.example": `200 [["of the service"]]`,
		"RESOLVE PTR/8.8.8.8.in-addr.arpa":    `200 ["out.example"]`,
		// and what a rule closes is refused
		"RESOLVE A/denied.example": deniedByName, "RESOLVE TXT/_x._tcp.denied.example": deniedByName,
		"RESOLVE TXT/to-denied.example": deniedByName, "RESOLVE ANY/to-denied.example": deniedByName,
		"RESOLVE PTR/9.9.9.9.in-addr.arpa": "403 EGRESS_DENIED rule 9.9.9.9",
		// no names
		"RESOLVE A/8.8.8.8": "502 EBADNAME - -", "RESOLVE A/": "502 EBADNAME - -", "RESOLVE A/a..b": "502 EBADNAME - -", "RESOLVE A": "502 EBADNAME - -",
		"RESOLVE A/" + strings.Repeat("a.", 200): "502 EBADNAME - -", "RESOLVE A/2130706433": "502 EBADNAME - -",
		"RESOLVE AXFR/out.example": "403 EGRESS_DENIED protocol -", "RESOLVE a/out.example": "403 EGRESS_DENIED protocol -",
		"RESOLVE A/refused.example": "502 EREFUSED - -", "RESOLVE A/servfail.example": "502 ESERVFAIL - -",
	} {
		w.begin()
		if got := w.ask(question + "\n"); got != want {
			t.Errorf("%s:\n%s, want\n%s", question, got, want)
		}
	}
}

// wild has names below one that is allowed.
const wild = `
_m._tcp.wild.example. 60 IN SRV 1 1 1 a.wild.example.
_m._tcp.wild.example. 60 IN SRV 1 1 1 out.example.
_m._tcp.wild.example. 60 IN SRV 1 1 1 both.example.
a.wild.example.       60 IN A   8.8.8.8
b.wild.example.       60 IN A   10.0.0.1
`

func TestWithoutEgressOnlyNamesThatAreAllowedAreLookedUp(t *testing.T) {
	policy := egress.Policy{Mode: egress.Off, Allow: mustRules(t, "out.example:443,*.wild.example")}
	w, z := asking(t, policy, mixed+wild, nil)
	for question, want := range map[string]string{
		"RESOLVE A/out.example": `200 {"addresses":["8.8.8.8"],"ttls":[60]}`, "LOOKUP out.example": `200 ["8.8.8.8"]`,
		"RESOLVE SRV/_m._tcp.wild.example": `200 [{"name":"a.wild.example","port":1,"priority":1,"weight":1},` +
			`{"name":"out.example","port":1,"priority":1,"weight":1}]`,
		"RESOLVE A/b.wild.example": "502 ENOTFOUND - -",
	} {
		if got := w.ask(question + "\n"); got != want {
			t.Errorf("%s:\n%s, want\n%s", question, got, want)
		}
	}
	before := z.questions()
	for _, question := range []string{"RESOLVE A/both.example", "RESOLVE TXT/leak.evil.example", "LOOKUP leak.evil.example"} {
		if got := w.ask(question + "\n"); got != "403 EGRESS_DENIED off -" {
			t.Errorf("%s: %s", question, got)
		}
	}
	if after := z.questions(); after != before {
		t.Errorf("name servers were asked %d times about names that may not be asked about", after-before)
	}
}

func TestTheLogNamesWhatRefusedRecordsLeadTo(t *testing.T) {
	const zone = `
_m._tcp.out.example. 60 IN SRV 1 1 1 a.other.example.
_m._tcp.out.example. 60 IN SRV 2 1 2 b.other.example.
_m._tcp.out.example. 60 IN SRV 3 1 3 b.other.example.
a.other.example.     60 IN A   8.8.8.8
`
	log := &buffer{}
	policy := egress.Policy{Mode: egress.Off, Allow: mustRules(t, "out.example")}
	w, _ := asking(t, policy, mixed+zone, func(o *egress.Options) { o.Logger = slog.New(slog.NewTextHandler(log, nil)) })
	if got := w.ask("RESOLVE SRV/_m._tcp.out.example\n"); got != "403 EGRESS_DENIED off -" {
		t.Errorf("the function learns %s", got)
	}
	if said := log.take(); !strings.Contains(said, "target=SRV/_m._tcp.out.example") ||
		!strings.Contains(said, "leadsTo=a.other.example,b.other.example\n") {
		t.Errorf("said %s", said)
	}
	if got := w.ask("RESOLVE SRV/_n._tcp.evil.example\n"); got != "403 EGRESS_DENIED off -" {
		t.Errorf("the function learns %s", got)
	}
	if said := log.take(); said == "" || strings.Contains(said, "leadsTo") {
		t.Errorf("said %s", said)
	}
}

func TestLookupsAreBounded(t *testing.T) {
	var records strings.Builder
	for i := range 60 {
		fmt.Fprintf(&records, "many.example. 60 IN MX %d m%d.example.\n", i, i)
	}
	for i := range 300 {
		fmt.Fprintf(&records, "huge.example. 60 IN TXT %q\n", strings.Repeat("é", 60)+fmt.Sprint(i))
	}
	log := &buffer{}
	w, z := asking(t, egress.Policy{Mode: egress.Public}, records.String()+mixed, func(o *egress.Options) {
		o.Limits = egress.DefaultLimits()
		o.Limits.Attempts = 40
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
	})
	var mx []any
	if got := w.ask("RESOLVE MX/many.example\n"); json.Unmarshal([]byte(strings.TrimPrefix(got, "200 ")), &mx) != nil || len(mx) != 32 {
		t.Errorf("%d records of names that were looked at: %s", len(mx), got)
	}
	var txt [][]string
	got := w.ask("RESOLVE TXT/huge.example\n")
	if json.Unmarshal([]byte(strings.TrimPrefix(got, "200 ")), &txt) != nil || len(txt) != 300 {
		t.Errorf("%d records of 300: %.200s", len(txt), got)
	}
	for range 6 {
		w.ask("RESOLVE A/in.example\n")
	}
	before := z.questions()
	for range 20 {
		if got := w.ask("RESOLVE A/out.example\n"); got != "403 EGRESS_DENIED limit -" {
			t.Errorf("after too many lookups: %s", got)
		}
		if got := w.ask("CONNECT 8.8.8.8:80\n"); got != "403 EGRESS_DENIED limit -" {
			t.Errorf("lookups are no attempts: %s", got)
		}
	}
	if after := z.questions(); after != before {
		t.Errorf("%d more questions", after-before)
	}
	w.proxy.CallEnded(os.Getpid())
	if text := log.take(); strings.Count(text, "\n") != 7 || !strings.Contains(text, "target=A/in.example reason=private address=10.0.0.1") {
		t.Errorf("logged %s", text)
	}
}

func TestSlowNameServersAreGivenUp(t *testing.T) {
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	limits := egress.DefaultLimits()
	limits.Connect = 200 * time.Millisecond
	w, z := asking(t, egress.Policy{Mode: egress.Public}, mixed, func(o *egress.Options) { o.Limits = limits })
	if got := w.ask("RESOLVE A/silent.example\n"); got != "502 ETIMEOUT - -" {
		t.Error(got)
	}
	limits.Connect = time.Minute
	for servers, want := range map[string]string{
		closed.LocalAddr().String():                "502 ECONNREFUSED - -",
		closed.LocalAddr().String() + "," + z.addr: `200 {"addresses":["8.8.8.8"],"ttls":[60]}`,
	} {
		w, _ := asking(t, egress.Policy{Mode: egress.Public}, mixed, func(o *egress.Options) {
			o.NameServers, o.Limits = strings.Split(servers, ","), limits
		})
		if got := w.ask("RESOLVE A/out.example\n"); got != want {
			t.Errorf("%s: %s, want %s", servers, got, want)
		}
	}
}

// Programs that look a name up first and connect to the address go where the name may go, and nowhere else.
func TestAnAddressIsOpenedByTheNameThatWasLookedUp(t *testing.T) {
	addr := echo(t)
	_, port := split(t, addr)
	_, other := split(t, echo(t))
	policy := egress.Policy{Mode: egress.Public, Allow: mustRules(t, "local.example:"+port+",*.wild.example"), Deny: mustRules(t, "no.example")}
	const records = "local.example. 60 IN A 127.0.0.1\nin.example. 60 IN A 127.0.0.1\na.wild.example. 60 IN A 127.0.0.1\n"
	const refused, opened = "403 EGRESS_DENIED loopback 127.0.0.1", "200 127.0.0.1 "
	for _, question := range []string{"RESOLVE A/local.example", "LOOKUP local.example"} {
		w, _ := asking(t, policy, records, func(o *egress.Options) {
			o.Resolver = &names{answers: map[string][]string{"local.example": {"127.0.0.1"}, "in.example": {"127.0.0.1"}}}
		})
		step := func(asked, want string) {
			t.Helper()
			if got := w.ask(asked + "\n"); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s, want %s", asked, got, want)
			}
		}
		step("RESERVE "+addr, refused)
		for _, inside := range []string{"RESOLVE A/in.example", "RESOLVE A/a.wild.example", "LOOKUP in.example"} {
			step(inside, "502 ENOTFOUND")
		}
		step("RESERVE "+addr, refused)
		step(question, "200 ")
		step("RESERVE "+addr, opened)
		step("RESERVE 127.0.0.1:"+other, refused)
		w.begin() // another call was told nothing
		step("RESERVE "+addr, refused)
	}
}
