package egress_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// withDNS is a rig whose functions may require dns, and whose server asks z.
func withDNS(t *testing.T, policy egress.Policy, z *zone, use func(*sandbox.Config)) *rig {
	t.Helper()
	return newRig(t, egress.Options{
		Policy: policy, NameServers: []string{z.addr},
		Resolver: &names{answers: map[string][]string{
			"two.example": {"2001:4860:4860::8888,8.8.8.8"}, "four.example": {"8.8.8.8"}, "in.example": {"10.0.0.1"}, "site.example": {"127.0.0.1"},
		}},
	}, func(c *sandbox.Config) {
		use(c)
		c.Modules = append(c.Modules, "dns", "http", "util")
	})
}

func TestFunctionsLookNamesUp(t *testing.T) {
	site := newSite(t, false)
	_, port := split(t, site.Listener.Addr().String())
	z := newZone(t, mixed)
	policy := egress.Policy{Mode: egress.Public, Allow: mustRules(t, "site.example:"+port)}
	onEachNode(t, func(t *testing.T, name string, use func(*sandbox.Config)) {
		r := withDNS(t, policy, z, use)
		first := "2001:4860:4860::8888"
		if name == "node8" { // which puts IPv4 first
			first = "8.8.8.8"
		}
		run := func(code, want string) {
			t.Helper()
			got := call[string](t, r, `
			const [dns, http, util] = ['dns', 'http', 'util'].map(require);
			const show = found => (Array.isArray(found) ? found.map(show).join(' ') : found && found.address ? found.address + '/' + found.family : String(found));
			const ask = (name, ...args) => new Promise((resolve) => dns[name](...args, (error, ...found) => resolve(
				error ? [error.code, error.syscall, error.hostname || args[0]].join(' ') : show(found))));
			const lookup = (host, options) => new Promise((resolve) => dns.lookup(host, options === undefined ? {} : options, (error, found) => resolve(
				error ? [error.code, error.syscall, error.hostname].join(' ') : show(found))));
			async function main(req, res) { res.send(await (`+code+`)); }`, nil)
			if got != want {
				t.Errorf("%s: %s, want %s", code, got, want)
			}
		}
		for code, want := range map[string]string{
			`lookup('two.example')`:                                                      first,
			`lookup('two.example', { family: 4 })`:                                       "8.8.8.8",
			`lookup('two.example', 6)`:                                                   "2001:4860:4860::8888",
			`lookup('two.example', { all: true, verbatim: true })`:                       "2001:4860:4860::8888/6 8.8.8.8/4",
			`lookup('two.example', { all: true, family: 4 })`:                            "8.8.8.8/4",
			`lookup('four.example', { family: 6 })`:                                      "ENOTFOUND getaddrinfo four.example",
			`lookup('four.example', { family: 6, hints: dns.V4MAPPED })`:                 "::ffff:8.8.8.8",
			`lookup('in.example')`:                                                       "ENOTFOUND getaddrinfo in.example",
			`lookup('none.example', { all: true })`:                                      "ENOTFOUND getaddrinfo none.example",
			`lookup('no name')`:                                                          "ENOTFOUND getaddrinfo no name",
			`lookup('10.0.0.1')`:                                                         "10.0.0.1",
			`lookup('')`:                                                                 "null",
			`ask('lookupService', '8.8.8.8', 443)`:                                       "out.example https",
			`ask('lookupService', '8.8.8.8', 4711)`:                                      "out.example 4711",
			`ask('lookupService', '10.0.0.1', 80)`:                                       "ENOTFOUND getnameinfo 10.0.0.1",
			`ask('resolve4', 'in.example')`:                                              "ENOTFOUND queryA in.example",
			`ask('reverse', '10.0.0.1')`:                                                 "ENOTFOUND getHostByAddr 10.0.0.1",
			`ask('resolve4', 'no name')`:                                                 "EBADNAME queryA no name",
			`ask('resolveTxt', 'out.example')`:                                           "text",
			`util.promisify(dns.lookup)('four.example').then(a => a.address + a.family)`: "8.8.8.84",
			`dns.promises ? dns.promises.lookup('four.example').then(a => a.address) : '8.8.8.8'`: "8.8.8.8",
		} {
			run(code, want)
		}
		if n := r.seen.of(sandbox.ReasonRetired); n != 0 {
			t.Errorf("%d workers were not used again", n)
		}
		run(`Promise.all(Array.from({ length: 100 }, () => ask('resolve4', 'out.example'))).then(all => all.filter(a => a === '8.8.8.8').length + '')`, "100")
		run("get({ url: 'http://site.example:"+port+"/a' }).then(a => a.body)", "GET /a ")
		run(`new Promise(done => http.get({ host: 'site.example', port: `+port+`, path: '/a', lookup: dns.lookup }, (answer) => {
			let body = '';
			answer.on('data', (d) => { body += d; }).on('end', () => done(body));
		}))`, "GET /a ")
	})
}

// What MongoDB does with mongodb+srv://: SRV and TXT first, then a connection to each host.
func TestSeedlistsAreFound(t *testing.T) {
	site := newSite(t, false)
	_, port := split(t, site.Listener.Addr().String())
	z := newZone(t, fmt.Sprintf(`
_mongodb._tcp.cluster.example. 60 IN SRV 0 0 %s shard.cluster.example.
_mongodb._tcp.cluster.example. 60 IN SRV 0 0 %s hidden.cluster.example.
cluster.example.               60 IN TXT "authSource=admin&replicaSet=x"
shard.cluster.example.         60 IN A   127.0.0.1
hidden.cluster.example.        60 IN A   10.0.0.1
`, port, port))
	for _, name := range nodes {
		t.Run(name, func(t *testing.T) {
			r := withDNS(t, egress.Policy{Mode: egress.Public, Allow: mustRules(t, "shard.cluster.example:"+port)}, z,
				func(c *sandbox.Config) { c.Node = nodeBinary(t, name) })
			got := call[[]string](t, r, `const dns = require('dns');
			const ask = (name, host) => new Promise((resolve, reject) => dns[name](host, (error, found) => (error ? reject(error) : resolve(found))));
			async function main(req, res) {
				const hosts = await ask('resolveSrv', '_mongodb._tcp.cluster.example');
				res.send([hosts.map(h => h.name + ':' + h.port).join(), (await ask('resolveTxt', 'cluster.example'))[0].join('')]);
			}`, nil)
			if want := "shard.cluster.example:" + port + " authSource=admin&replicaSet=x"; strings.Join(got, " ") != want {
				t.Errorf("got %v, want %s", got, want)
			}
		})
	}
}
