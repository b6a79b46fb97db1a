package config

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

var (
	hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$`)
	numbers  = regexp.MustCompile(`^[0-9]+(\.[0-9]+)+\.?$`) // a wrong address, not a name
	errHost  = errors.New("must be a host name or an IP address, without scheme and port")
)

// maxHost is the most bytes of a host name.
const maxHost = 253

// host reads the name or the address of a machine; IPv6 may be in brackets.
func host(target func(*Config) *string) parser {
	return past(func(c *Config, text string) error {
		name, err := readHost(text)
		if err != nil {
			return err
		}
		*target(c) = name
		return nil
	}, []string{"localhost", "127.0.0.1", "::1", "[::1]", strings.Repeat("a.", maxHost/2) + "a"},
		[]string{
			"http://h", "h:80", "[::1]:80", "a b", "*", "h/", strings.Repeat("a.", maxHost/2) + "aa",
			strings.Repeat("a", 64), "1.2.3.4/8", "300.1.1.1", "1.2.3",
		})
}

func readHost(text string) (string, error) {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inner, "]")
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return text, nil
	}
	if len(text) > maxHost || !hostName.MatchString(text) || numbers.MatchString(text) {
		return "", errHost
	}
	return text, nil
}

// hosts reads names separated by commas.
func hosts(target func(*Config) *[]string) parser {
	return list(func(name string) error {
		if _, err := readHost(name); err != nil {
			return errors.New("is not a host name or IP address without scheme and port")
		}
		return nil
	}, "h", "udp://h:1", target)
}

// webAddress reads an http or https URL; withUser requires a user, as in Sentry's URLs.
func webAddress(withUser bool, keep func(*Config, string)) parser {
	valid, wrong := "http://h:1/p", []string{
		"h:1", "h", "//h", "ftp://h", "http://", "http:h", "http://h:x",
		"http://h:99999", "unix:///x", "http://a b",
	}
	if withUser {
		valid, wrong = "https://k@h/1", append(wrong, "https://h/1")
	}
	return past(func(c *Config, text string) error {
		if err := checkText(text); err != nil {
			return err
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !goodHost(u) || withUser && u.User.Username() == "" {
			if withUser {
				return errors.New("must be a URL such as https://KEY@host/PROJECT")
			}
			return errors.New("must be a URL with its scheme, such as http://host:4318 or https://host")
		}
		keep(c, text)
		return nil
	}, []string{valid, strings.ToUpper(valid[:4]) + valid[4:]}, append(wrong, valid+strings.Repeat("x", maxText)))
}

func goodHost(u *url.URL) bool {
	_, err := readHost(u.Hostname())
	return err == nil && (u.Port() == "" || goodPort(u.Port()))
}

func goodPort(text string) bool {
	n, err := parseInt(text)
	return err == nil && n >= 1 && n <= maxPort
}
