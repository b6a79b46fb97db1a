package egress_test

import (
	"encoding/json"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// everything has a record of each kind.
var everything = `
a.example.         60 IN A     192.0.2.1
a.example.         70 IN A     192.0.2.2
a.example.         60 IN AAAA  2001:db8::1
a.example.         60 IN MX    10 mail.example.
a.example.         60 IN MX    20 a.example.
a.example.         60 IN TXT   "one" "two \"\\ \228"
a.example.         60 IN TXT   "three"
a.example.         60 IN NS    ns.example.
a.example.         60 IN SOA   ns.example. root.example. 1 2 3 4 5
a.example.         60 IN CAA   0 issue "ca.example"
a.example.         60 IN NAPTR 1 2 "s" "SIP+D2U" "" _sip._udp.example.
alias.example.     60 IN CNAME second.example.
second.example.    60 IN CNAME a.example.
four.example.      60 IN A     192.0.2.4
_443._tcp.a.example. 60 IN TLSA 3 1 1 0123456789abcdef
_x._tcp.a.example. 60 IN SRV   1 2 443 a.example.
_x._tcp.a.example. 60 IN SRV   3 4 8443 mail.example.
1.2.0.192.in-addr.arpa. 60 IN PTR a.example.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 60 IN PTR six.example.
servfail.example.  60 IN A     192.0.2.9
refused.example.   60 IN A     192.0.2.9
` + "big.example. 60 IN TXT " + `"` + longText + `"` + "\n" + "big.example. 61 IN TXT " + `"` + longText + `x"` + "\n"

var longText = strings.Repeat("a", 250)

// questions ask a dns module for all of that, one after the other.
const questions = `async function questions(dns, server) {
	const seen = {};
	const ask = (name, ...args) => new Promise((resolve) => {
		const done = (error, ...found) => {
			seen[name + ' ' + args.map(a => JSON.stringify(a))] = error ? [error.code, error.syscall, error.hostname, error.message] : found;
			resolve();
		};
		try {
			dns[name](...args, done);
		} catch (error) {
			done(error);
		}
	});
	for (const host of ['a.example', 'alias.example', 'four.example', 'A.Example.', 'none.example', 'servfail.example', 'refused.example']) {
		for (const name of ['resolve4', 'resolve6', 'resolveMx', 'resolveTxt', 'resolveNs', 'resolveSoa', 'resolveNaptr', 'resolveSrv', 'resolveCname', 'resolvePtr', 'resolveCaa']) {
			// c-ares makes odd things of these two: EBADRESP in Node.js 8, and no records without an error
			if (host === 'alias.example' && (name === 'resolveSoa' || name === 'resolveSrv')) continue;
			if (dns[name]) await ask(name, host);
		}
	}
	await ask('resolve4', 'a.example', { ttl: true });
	await ask('resolve6', 'a.example', { ttl: true });
	await ask('resolve', 'a.example', 'MX');
	await ask('resolve', 'a.example', 'A');
	await ask('resolveSrv', '_x._tcp.a.example');
	await ask('resolveCname', 'second.example');
	await ask('resolveTxt', 'big.example');
	await ask('resolveAny', 'a.example');
	await ask('resolveAny', 'second.example');
	if (dns.resolveTlsa) {
		await ask('resolveTlsa', '_443._tcp.a.example');
		seen.tlsa = await dns.promises.resolveTlsa('_443._tcp.a.example').then(all => Buffer.from(all[0].data).toString('hex'));
	}
	if (dns.promises) seen.promised = [await dns.promises.resolveTxt('a.example'), await dns.promises.resolve4('none.example').catch(e => e.message)];
	for (const address of ['192.0.2.1', '192.0.2.99', '2001:db8::1', '2001:db8:0::0.0.0.1', 'x']) await ask('reverse', address);
	if (dns.Resolver) {
		await new Promise((resolve) => {
			const r = new dns.Resolver();
			if (server) r.setServers([server]);
			r.resolve4('silent.example', (error) => { seen.cancelled = error.code; resolve(); });
			r.cancel();
		});
	}
	return seen;
}
`

// natively runs the questions in a Node.js with nothing around it.
func natively(t *testing.T, node string, server string) map[string]any {
	t.Helper()
	const script = questions + `
	const dns = require('dns');
	dns.setServers([process.argv[1]]);
	questions(dns, process.argv[1]).then(seen => console.log(JSON.stringify(seen)), error => { console.error(error); process.exit(1); });`
	out, err := exec.CommandContext(t.Context(), nodeBinary(t, node), "-e", script, server).Output()
	if err != nil {
		t.Fatal(err, string(out))
	}
	var seen map[string]any
	if err := json.Unmarshal(out, &seen); err != nil {
		t.Fatal(err, string(out))
	}
	return seen
}

func TestNameServersAnswerAsTheyDoNodeItself(t *testing.T) {
	z := newZone(t, everything)
	onEachNode(t, func(t *testing.T, name string, use func(*sandbox.Config)) {
		r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.All}, NameServers: []string{z.addr}, Resolver: &names{}},
			func(c *sandbox.Config) {
				use(c)
				c.Modules = append(c.Modules, "dns")
			})
		got := call[map[string]any](t, r, questions+`
			async function main(req, res) { res.send(await questions(require('dns'))); }`, nil)
		want := natively(t, name, z.addr)
		if name == "node8" { // which knows no CAA and says that what it knows of AAAA is 0 seconds old
			delete(want, `resolveAny "a.example"`)
			delete(got, `resolveAny "a.example"`)
		}
		for question, answer := range want {
			if !reflect.DeepEqual(got[question], answer) {
				t.Errorf("%s:\n%v, Node.js itself\n%v", question, got[question], answer)
			}
		}
		if len(got) != len(want) || len(got) < 70 {
			t.Errorf("%d answers, Node.js itself has %d", len(got), len(want))
		}
	})
}
