package config

import (
	"encoding/json"
	"errors"
	"net/netip"
	"regexp"
)

// maxDatagram is the most that one UDP datagram carries over IPv4.
const maxDatagram = 65_507

// logsVariables are about what is written where.
var logsVariables = []Variable{
	{
		Name: "LOG_LEVEL", Live: true, Default: "info",
		Meaning: "Lowest level of the server's messages that are written: `error`, `warn`, `info`, `verbose`, " +
			"`debug` or `silly`.",
		parse: oneOf(func(c *Config) *string { return &c.LogLevel }, "error", "warn", "info", "verbose", "debug", "silly"),
	},
	{
		Name: "LOG_APP_FORMAT", Default: "text",
		Meaning: "Form of everything that the server writes, of the access log and of what functions print: " +
			"`text`, or `json` for one object per line. `console` is another word for `text`.",
		parse: alias("console", LogAppText,
			oneOf(func(c *Config) *string { return &c.LogAppFormat }, LogAppText, LogAppJSON)),
	},
	{
		Name: "LOG_MONGAN_FORMAT", Default: "tiny",
		Meaning: "Form of the access log, as for morgan: `tiny`, `short`, `common`, `combined`, `dev` or a text with " +
			"tokens " +
			"such as `:method :url :status :response-time ms`. The name is the original's.",
		parse: text(func(c *Config) *string { return &c.AccessFormat }),
	},
	{
		Name: "LOG_ACCESS", Default: AccessOn,
		Meaning: "Which requests have a line in the access log: `on` is all except the probes `/livez` and " +
			"`/readyz`; `no-probes` leaves out `/healthcheck` too; `all` is every request; `off` is none.",
		parse: oneOf(func(c *Config) *string { return &c.Access }, AccessOn, AccessNoProbes, AccessAll, AccessOff),
	},
	{
		Name: "TRUSTED_PROXIES", Default: "none", derive: none,
		Meaning: "Addresses and networks, such as `10.0.0.0/8,192.0.2.7`, of proxies that are believed: their " +
			"`X-Forwarded-For` says who the caller is, in the access log for one, and their `X-Forwarded-Host` which " +
			"host a [route](http-api.md#routes) is looked up for. The headers are not believed from others.",
		parse: prefixes(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }),
	},
	{
		Name: "LOG_TYPE", Default: "local",
		Meaning: "`gelf` sends what functions print to a GELF server over UDP; `local`, and anything else with a warning, " +
			"writes it to standard output and error.",
		parse: oneOfOr(LogTypeLocal, func(c *Config) *string { return &c.LogType }, LogTypeLocal, LogTypeGELF),
	},
	{
		Name: "LOG_HOSTS", Default: "localhost",
		Meaning: "GELF servers, separated by commas; each receives every message.",
		parse:   hosts(func(c *Config) *[]string { return &c.LogHosts }),
	},
	{
		Name: "LOG_PORT", Default: "12201",
		Meaning: "Port of the GELF servers.",
		parse:   leading(1, maxPort, func(c *Config) *int { return &c.LogPort }),
	},
	{
		Name: "LOG_FIELDS", Default: "{}",
		Meaning: "JSON object of fields that are added to every GELF message.",
		parse: object("", `[1,{"b":null}]`, readLogField,
			func(c *Config) *map[string]json.RawMessage { return &c.LogFields }),
	},
	{
		Name: "LOG_FIELDS_FROM_HTTP_HEADERS", Default: "{}",
		Meaning: "JSON object of GELF fields and the request headers whose values they carry, such as " +
			"`{\"request_id\":\"x-request-id\"}`.",
		parse: headerFields(),
	},
	{
		Name: "LOG_MAX_FULL_MESSAGE", Default: "3000",
		Meaning: "Characters of the output of one run that a GELF message holds; the rest is cut off.",
		parse:   leading(0, 10_000_000, func(c *Config) *int { return &c.LogMaxMessage }),
	},
	{
		Name: "LOG_MAX_CHUNK_SIZE", Default: "32766",
		Meaning: "Bytes of one GELF datagram; longer messages are sent in chunks.",
		parse:   leading(64, maxDatagram, func(c *Config) *int { return &c.LogMaxChunk }),
	},
}

var (
	headerName  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	errNoField  = errors.New("is not the name of a field")
	errNoHeader = errors.New("does not name a request header")
)

func readLogField(name string, value json.RawMessage) (json.RawMessage, error) {
	if name == "" {
		return nil, errNoField
	}
	return value, nil
}

// headerFields reads LOG_FIELDS_FROM_HTTP_HEADERS.
func headerFields() parser {
	p := object(" of texts", `"x-h"`, func(name string, value json.RawMessage) (string, error) {
		if name == "" {
			return "", errNoField
		}
		header, err := readString(value)
		if err != nil || !headerName.MatchString(header) {
			return "", errNoHeader
		}
		return header, nil
	}, func(c *Config) *map[string]string { return &c.LogHeaderFields })
	p.beyond = append(p.beyond, `{"a":1}`, `{"a":null}`, `{"a":""}`, `{"a":"x h"}`, `{"a":{}}`)
	return p
}
