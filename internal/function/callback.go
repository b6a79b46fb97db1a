package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/backstage/functions/internal/members"
	"github.com/backstage/functions/sandbox/rawjson"
)

// maxCallbackURL is the longest URL of a callback, in bytes.
const maxCallbackURL = 2048

// Callback says where the ends of asynchronous calls of a function are told. The zero value is nowhere.
type Callback struct {
	// URL is where each end is sent; empty leaves it to callers, as far as the server lets them.
	URL string
	// Secret is the name of the secret of the function or its namespace that signs what is sent.
	Secret string
}

// ParseCallbackURL returns text as the URL of a callback. Its error is the end of a sentence.
func ParseCallbackURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", len(text) > maxCallbackURL:
		return nil, fmt.Errorf(" is not an http or https URL of at most %d bytes", maxCallbackURL)
	case u.User != nil:
		return nil, errors.New(" must not have a user and a password: what is sent is signed")
	case u.Fragment != "":
		return nil, errors.New(" must not have a fragment")
	case strings.Contains(text, " "): // one in the query would be sent as it is, in the first line of the request
		return nil, errors.New(" must not have a space: write %20")
	}
	return u, nil
}

// callback is an option that is a Callback: an object, {} for none.
func callback(name string, at func(*Options) **Callback) Option {
	option := newOption(name, at, Callback.json, func(text string) (Callback, bool) {
		c, err := parseCallback([]byte(text))
		return c, err == nil
	})
	option.JSON = true
	option.sample = `{"url":"https://hooks.example.org/done","secret":"DONE"}`
	option.fault = func(text string) string {
		_, err := parseCallback([]byte(text))
		return err.Error()
	}
	return option
}

// json is the inverse of parseCallback, without white space.
func (c Callback) json() string {
	o := rawjson.NewObject(nil)
	if c.URL != "" {
		o.String("url", c.URL)
	}
	if c.Secret != "" {
		o.String("secret", c.Secret)
	}
	return string(o.End())
}

// parseCallback reads the option. Its error is the end of a sentence that begins with its name.
func parseCallback(text []byte) (c Callback, err error) {
	given, err := members.Of(text, "")
	if err != nil {
		return c, err
	}
	if err := members.Set(given, c.set); err != nil {
		return Callback{}, err
	}
	return c, c.check()
}

// set reads one member.
func (c *Callback) set(name string, value json.RawMessage) error {
	to := map[string]*string{"url": &c.URL, "secret": &c.Secret}[name]
	if to == nil {
		return members.Unknown(name, "url", "secret")
	}
	if err := json.Unmarshal(value, to); err != nil {
		return fmt.Errorf(".%s is not of a type(s) string", name)
	}
	return nil
}

func (c *Callback) check() error {
	if c.URL != "" {
		if _, err := ParseCallbackURL(c.URL); err != nil {
			return fmt.Errorf(".url%w", err)
		}
	}
	switch {
	case c.Secret != "" && SecretNameFault(c.Secret) != "":
		return errors.New(".secret" + SecretNameFault(c.Secret))
	case c.URL != "" && c.Secret == "":
		return errors.New(".secret is missing: the name of the secret that signs what is sent")
	}
	return nil
}
