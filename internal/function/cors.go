package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/backstage/functions/internal/duration"
	"github.com/backstage/functions/internal/members"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Limits of CORS.
const (
	maxCORS        = 8 << 10 // bytes of all of it
	maxCORSOrigins = 50
	maxCORSNames   = 50 // of each list of headers or methods
	maxCORSAge     = 24 * time.Hour
)

// CORS says which pages of other sites may call a function from a browser (Fetch standard, "CORS protocol"). The zero
// value lets none.
type CORS struct {
	// Origins are such as "https://app.example.org"; "*" alone is every one, "null" that of sandboxed frames and files.
	Origins []string
	// Methods and Headers are those that a request may have beside what every page may send. Nil methods stand for
	// DefaultCORSMethods.
	Methods, Headers []string
	// Expose are headers of the answer that the page may read.
	Expose []string
	// Credentials says that browsers may send cookies and passwords with requests.
	Credentials bool
	// MaxAge is how long a browser may remember what it was told; 0 leaves that to it.
	MaxAge time.Duration
}

// DefaultCORSMethods are the methods that pages may use where CORS has none.
var DefaultCORSMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

// Allows says whether pages of origin may call.
func (c *CORS) Allows(origin string) bool {
	return slices.Contains(c.Origins, origin) || c.AllowsAll()
}

// AllowsAll says whether pages of every origin may call.
func (c *CORS) AllowsAll() bool { return slices.Contains(c.Origins, "*") }

// cors is an option that is a CORS; {} stands for none.
func cors(name string, at func(*Options) **CORS) Option {
	option := newOption(name, at, CORS.json, func(text string) (CORS, bool) {
		c, err := parseCORS([]byte(text))
		return c, err == nil
	})
	option.JSON = true
	option.sample = `{"origins":["https://app.example.org"],"methods":["PUT"],"headers":["X-A"],"expose":["X-B"],` +
		`"credentials":true,"maxAge":"10m"}`
	option.fault = func(text string) string {
		_, err := parseCORS([]byte(text))
		return err.Error()
	}
	return option
}

// json is the inverse of parseCORS, without white space.
func (c CORS) json() string {
	o := rawjson.NewObject(nil)
	for name, list := range c.lists() {
		if *list != nil {
			o.Strings(name, *list)
		}
	}
	if c.Credentials {
		o.Raw("credentials", []byte("true"))
	}
	if c.MaxAge > 0 {
		o.String("maxAge", duration.Text(c.MaxAge))
	}
	return string(o.End())
}

// lists yields the members that are lists of texts, in the order in which they are written.
func (c *CORS) lists() func(yield func(string, *[]string) bool) {
	return func(yield func(string, *[]string) bool) {
		_ = yield("origins", &c.Origins) && yield("methods", &c.Methods) && yield("headers", &c.Headers) &&
			yield("expose", &c.Expose)
	}
}

// listNames are the names of the members that lists yields.
func listNames() (names []string) {
	for name := range new(CORS).lists() {
		names = append(names, name)
	}
	return names
}

// parseCORS reads the option. Its error is the end of a sentence that begins with its name.
func parseCORS(text []byte) (c CORS, err error) {
	if len(text) > maxCORS {
		return c, fmt.Errorf(" has %d bytes, %d are the most that are taken", len(text), maxCORS)
	}
	given, err := members.Of(text, "")
	if err != nil {
		return c, err
	}
	if len(given) == 0 {
		return c, nil
	}
	if err := members.Set(given, c.set); err != nil {
		return CORS{}, err
	}
	return c, c.check()
}

// set reads one member.
func (c *CORS) set(name string, value json.RawMessage) error {
	for list, to := range c.lists() {
		if name != list {
			continue
		}
		if json.Unmarshal(value, to) != nil || *to == nil {
			return fmt.Errorf(".%s is not an array of strings", name)
		}
		return nil
	}
	switch name {
	case "credentials":
		if json.Unmarshal(value, &c.Credentials) != nil || string(value) == "null" {
			return errors.New(".credentials is not of a type(s) boolean")
		}
		return nil
	case "maxAge":
		var text string
		if json.Unmarshal(value, &text) == nil {
			if d, err := duration.Parse(text); err == nil && d >= time.Second && d <= maxCORSAge {
				c.MaxAge = d.Truncate(time.Second)
				return nil
			}
		}
		return fmt.Errorf(".maxAge is not a duration from 1s to %s with its unit, such as \"10m\"", duration.Text(maxCORSAge))
	}
	known := append(listNames(), "credentials", "maxAge")
	return members.Unknown(name, known...)
}

func (c *CORS) check() error {
	if n := len(c.Origins); n == 0 || n > maxCORSOrigins {
		return fmt.Errorf(".origins has %d entries, it needs from 1 to %d", n, maxCORSOrigins)
	}
	for _, origin := range c.Origins {
		if err := checkOrigin(origin); err != nil {
			return fmt.Errorf(".origins has %q, %w", origin, err)
		}
	}
	all := c.AllowsAll()
	switch {
	case all && len(c.Origins) > 1:
		return errors.New(`.origins has "*", which is every origin, and others beside it`)
	case all && c.Credentials:
		return errors.New(`.origins is "*" and .credentials is true, which browsers refuse: name the origins`)
	}
	for name, list := range c.lists() {
		if name == "origins" {
			continue
		}
		if len(*list) > maxCORSNames {
			return fmt.Errorf(".%s has %d entries, %d are the most that are taken", name, len(*list), maxCORSNames)
		}
		for _, entry := range *list {
			if entry == "*" {
				return fmt.Errorf(`.%s has "*", which stands for nothing here: name each of them`, name)
			}
			if !httpguts.ValidHeaderFieldName(entry) { // methods are tokens too: RFC 9110, section 9.1
				return fmt.Errorf(".%s has %q, which is no name of one", name, entry)
			}
		}
	}
	return nil
}

// checkOrigin finds what a browser would never send as its origin.
func checkOrigin(origin string) error {
	if origin == "*" || origin == "null" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "" || u.Host == "" || origin != strings.ToLower(u.Scheme+"://"+u.Host) {
		return errors.New(`which is no origin such as "https://app.example.org" or "http://localhost:3000", in lower case`)
	}
	if u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		return errors.New("whose port is that of its scheme: browsers leave it out")
	}
	if strings.Contains(u.Host, "*") {
		return errors.New(`which has a "*": an origin is named as a whole, or all are by "*"`)
	}
	return nil
}
