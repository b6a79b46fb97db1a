package migration

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// ports are the default ports of schemes.
var ports = map[string]uint16{
	"http": 80, "https": 443, "ws": 80, "wss": 443, "redis": 6379, "rediss": 6379, "mongodb": 27017, "mongodb+srv": 27017,
	"amqp": 5672, "amqps": 5671, "postgres": 5432, "postgresql": 5432, "mysql": 3306, "ftp": 21, "smtp": 25,
	"kafka": 9092, "nats": 4222, "ldap": 389, "ldaps": 636, "mqtt": 1883, "mqtts": 8883,
}

// A host as text, also as an IPv6 address without brackets, its port after it, and what is around the text of a whole
// string.
const (
	bracketText = `\[[0-9a-f:.]{2,60}\]`
	nameText    = `[a-z0-9_.-]{1,253}`
	hostText    = `(` + bracketText + `|` + nameText + `)`
	bareText    = `(` + bracketText + `|[0-9a-f]{0,4}:[0-9a-f:.]{0,55}:[0-9a-f.]{0,15}|` + nameText + `)`
	portedText  = `(?:` + bracketText + `|` + nameText + `):\d{1,5}`
	portText    = `(?::(\d{1,5}))?`
	quote       = "[\"'`]"
)

var (
	urls = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+]{1,20})://(?:[^\s"'` + "`" + `<>/@]{1,200}@)?` + hostText + portText +
		`((?:,(?:` + bracketText + `|` + nameText + `)(?::\d+)?)*)` +
		"(:[\"'`%]|:\\$\\{|[/?#\\s\"'`,;)<>\\\\]|$)") // the port may be put in later
	// hosts are members of objects and variables, with what their names begin with.
	hosts    = regexp.MustCompile(`(?i)\b([\w$]*)(host)(?:name)?["']?\s*([:=])\s*` + quote + bareText + portText + quote)
	connects = regexp.MustCompile(`(?i)\b(?:connect|createConnection|createClient|(?:io)?redis)\(\s*` +
		`(\d{1,5})\s*,\s*` + quote + bareText + quote)
	// literals are strings of hosts and ports, and addresses after two slashes.
	literals = regexp.MustCompile(`(?i)` + quote + `(?:(//)?(` + portedText + `(?:,\s?` + portedText + `)*)|` +
		`//(\d[\d.]{6,14}|` + bracketText + `))(?:[/?#][^"'` + "`" + `\n]*)?` + quote)
	// endpoints are values of variables, or parts of them.
	endpoints = regexp.MustCompile(`(?i)^(//)?` + bareText + portText + `(?:[/?#].*)?$`)
	hostNames = regexp.MustCompile(`(?i)host(?:name)?$`)
	digits    = regexp.MustCompile(`^\d{1,5}$`)
)

// target is what code may want to reach. Port is 0 if it is not told.
type target struct {
	host string
	port uint16
}

func (t target) String() string {
	if t.port == 0 {
		return t.host
	}
	return net.JoinHostPort(t.host, strconv.Itoa(int(t.port)))
}

// newTarget is a port of a host; usual is the port if there is none.
func newTarget(host, port string, usual uint16) target {
	if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
		usual = uint16(n)
	}
	return target{strings.ToLower(strings.TrimRight(strings.Trim(host, "[]"), ".")), usual}
}

// found is a target, and whether a URL names it.
type found struct {
	target
	url bool
}

// targetList collects targets.
type targetList []found

// add adds a target, unless it is no host that can be connected to: servers listen on unspecified addresses.
func (l *targetList) add(t target, url bool) {
	addr, err := netip.ParseAddr(t.host)
	if t.host == "" || err == nil && addr.IsUnspecified() || err != nil && strings.Contains(t.host, ":") {
		return
	}
	*l = append(*l, found{t, url})
}

// told are all, each once. Of a host that no URL names, what has no port counts only where nothing else has one: a URL
// is about another service of the host.
func (l targetList) told() (told []target) {
	has, seen := map[string]bool{}, map[target]bool{}
	for _, f := range l {
		has[f.host] = has[f.host] || f.port != 0 && !f.url
	}
	for _, f := range l {
		if seen[f.target] || f.port == 0 && !f.url && has[f.host] {
			continue
		}
		seen[f.target] = true
		told = append(told, f.target)
	}
	return told
}

// targets are those in code and in variables, which may be nil.
func targets(code string, env *function.Env) []target {
	var list targetList
	list.scan(code)
	for _, v := range env.Vars() {
		if v.Name != sentryVariable {
			list.scan(v.Value)
			list.variable(v.Name, v.Value, env)
		}
	}
	return list.told()
}

// scan adds what a text has.
func (l *targetList) scan(text string) {
	l.urls(text)
	for _, m := range hosts.FindAllStringSubmatchIndex(text, maxMatches) {
		stem := text[m[2]:m[3]]
		if !isWord(stem, text[m[4]]) {
			continue
		}
		port := ""
		if m[10] >= 0 {
			port = text[m[10]:m[11]]
		}
		t := newTarget(text[m[8]:m[9]], port, 0)
		if t.port == 0 {
			t.port = beside(text, m[0], m[1], stem, text[m[6]:m[7]] == ":")
		}
		l.add(t, false)
	}
	for _, m := range connects.FindAllStringSubmatch(text, maxMatches) {
		l.add(newTarget(m[2], m[1], 0), false)
	}
	for _, m := range literals.FindAllStringSubmatch(text, maxMatches) {
		if isAddress(m[3]) {
			l.add(newTarget(m[3], "", 0), false)
		}
		for part := range strings.SplitSeq(m[2], ",") {
			host, port := cutPort(strings.TrimSpace(part))
			if isEndpoint(host, port) || m[1] != "" && isName(host) {
				l.add(newTarget(host, port, 0), false)
			}
		}
	}
}

// urls adds the hosts of URLs.
func (l *targetList) urls(text string) {
	for _, m := range urls.FindAllStringSubmatch(text, maxMatches) {
		scheme := strings.ToLower(m[1])
		usual, known := ports[scheme]
		if !known { // git+https
			scheme = scheme[strings.LastIndexByte(scheme, '+')+1:]
			usual, known = ports[scheme]
		}
		if strings.HasPrefix(m[5], ":") {
			usual = 0
		}
		more := m[4]
		switch scheme {
		case "http", "https", "ws", "wss", "ftp", "smtp":
			more = "" // what stands after a comma is another text
		}
		hostAndPort := m[2]
		if m[3] != "" {
			hostAndPort += ":" + m[3]
		}
		for part := range strings.SplitSeq(hostAndPort+more, ",") {
			host, port := cutPort(part)
			if known || port != "" || isAddress(host) { // app://open is no host
				l.add(newTarget(host, port, usual), true)
			}
		}
	}
}

// cutPort splits a host and the port after it; port is empty if there is none.
func cutPort(text string) (host, port string) {
	at := strings.LastIndexByte(text, ':')
	if at <= strings.LastIndexByte(text, ']') {
		return text, ""
	}
	return text[:at], text[at+1:]
}

// isWord says whether "host", which begins with first, is a word of a name that begins with stem: dbHost, not ghost.
func isWord(stem string, first byte) bool {
	if stem == "" {
		return true
	}
	last := stem[len(stem)-1]
	return last == '_' || last == '$' || first == 'H' && (last >= 'a' && last <= 'z' || last >= '0' && last <= '9')
}

// variable adds the hosts that the value of a variable consists of.
func (l *targetList) variable(name, value string, env *function.Env) {
	isHost := hostNames.MatchString(name)
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune(" ,;\t\n", r) }) {
		m := endpoints.FindStringSubmatch(part)
		if _, err := netip.ParsePrefix(part); m == nil || err == nil {
			continue
		}
		slashes, host, port := m[1] != "", m[2], m[3]
		sure := slashes || isHost || namesHosts(name)
		if isEndpoint(host, port) || isAddress(host) && (sure || isIPv6(host)) || isName(host) && (slashes || isHost) {
			t := newTarget(host, port, 0)
			if t.port == 0 && isHost {
				t.port = portVariable(name, env)
			}
			l.add(t, false)
		}
	}
}

var (
	capitals = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	// addressWords are those of names of variables that hold addresses.
	addressWords = strings.Fields("host hosts hostname hostnames addr addrs address addresses ip ips server servers " +
		"url urls endpoint endpoints")
)

// namesHosts says whether the name of a variable says that it holds hosts. Others hold versions and masks.
func namesHosts(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(capitals.ReplaceAllString(name, "${1}_$2")), func(r rune) bool {
		return r < 'a' || r > 'z'
	})
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(addressWords, word) })
}

// portVariable is the value of the variable that is called as one for a host is, but for a port: 0 if there is none.
func portVariable(name string, env *function.Env) uint16 {
	stem := name[:hostNames.FindStringIndex(name)[0]]
	for _, suffix := range []string{"PORT", "port", "Port"} {
		if value, ok := env.Get(stem + suffix); ok && digits.MatchString(value) {
			return newTarget("", value, 0).port
		}
	}
	return 0
}

// isEndpoint says whether host and port are one: times, ratios, places in files and names of messages are not.
func isEndpoint(host, port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return false
	}
	if isAddress(host) || strings.EqualFold(host, "localhost") {
		return true
	}
	if isName(host) {
		return n == 80 || n == 443 || n > 1023
	}
	if strings.Trim(host, "0123456789.") == "" || strings.Contains(host, ".") {
		return false
	}
	for _, usual := range ports { // redis:6379
		if usual > 1023 && uint64(usual) == n {
			return true
		}
	}
	return false
}

func isAddress(host string) bool {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && !addr.IsUnspecified()
}

// isIPv6 says whether text is an IPv6 address and no name of a language, such as A::B.
func isIPv6(host string) bool {
	return isAddress(host) && strings.Contains(host, ":") && strings.ContainsAny(host, "0123456789")
}

// dotted is a host name with a dot, which no version and no number is.
var dotted = regexp.MustCompile(`(?i)^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+([a-z]{2,}|xn--[a-z0-9-]+)\.?$`)

// fileEndings are those of files whose lines texts name: index.js:10.
var fileEndings = strings.Fields("js mjs cjs jsx ts tsx vue json html htm css md txt log yml yaml xml csv py go java " +
	"php rb rs sh c png svg jpg gif")

func isName(host string) bool {
	m := dotted.FindStringSubmatch(host)
	return m != nil && !slices.Contains(fileEndings, strings.ToLower(m[1]))
}
