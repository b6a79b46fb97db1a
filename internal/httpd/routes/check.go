package routes

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/backstage/functions/internal/function"
)

const (
	// maxSegments is how many segments the path of a route may have.
	maxSegments = 32
	// maxHost is the longest name of a host, in bytes (RFC 1035, section 2.3.4). Longer ones are no host of a route: to
	// look for each part of a long one would take long.
	maxHost = 253
)

var (
	hostPattern = regexp.MustCompile(`^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)
	ipv6Pattern = regexp.MustCompile(`^\[[0-9a-f:.]+\]$`)
	nameOfParam = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// Check says what is wrong with the host and the path of a route: the end of a sentence that begins with its field.
func Check(host, path string) error {
	if len(host)+len(path) > function.MaxPattern {
		return fmt.Errorf("path has %d bytes with its host, %d are the most that are taken",
			len(host)+len(path), function.MaxPattern)
	}
	if len(strings.TrimPrefix(host, "*.")) > maxHost {
		return fmt.Errorf("host has %d bytes, %d are the most that are taken", len(host), maxHost)
	}
	if host != "" && !hostPattern.MatchString(host) && !ipv6Pattern.MatchString(host) {
		return errors.New(`host is not a name such as "api.example.org" or "*.example.org", in lower case and without a port`)
	}
	return checkPath(path)
}

func checkPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return errors.New("path does not begin with a slash")
	}
	if !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
		return errors.New("path has control characters, or is not UTF-8")
	}
	if strings.ContainsAny(path, "%?#") {
		return errors.New("path has one of % ? #: write the characters themselves, not percent-encoded, and no query")
	}
	segments := strings.Split(path[1:], "/")
	if len(segments) > maxSegments {
		return fmt.Errorf("path has %d segments, %d are the most that are taken", len(segments), maxSegments)
	}
	seen := map[string]bool{}
	for i, segment := range segments {
		if err := checkSegment(segment, i == len(segments)-1, seen); err != nil {
			return err
		}
	}
	return nil
}

// checkSegment says what is wrong with a segment; seen has the names of the ones before it.
func checkSegment(segment string, last bool, seen map[string]bool) error {
	name, opens := strings.CutPrefix(segment, "{")
	name, closes := strings.CutSuffix(name, "}")
	switch {
	case segment == "*" && last:
	case segment == "." || segment == "..":
		return fmt.Errorf("path has the segment %q, which clients resolve before they send it", segment)
	case segment == "" && !last:
		return errors.New("path has two slashes in a row")
	case opens && closes && !nameOfParam.MatchString(name):
		return fmt.Errorf("path has the segment %q: a name has letters, digits and _, and begins with no digit", segment)
	case opens && closes && seen[name]:
		return fmt.Errorf("path has the name {%s} twice", name)
	case opens && closes:
		seen[name] = true
	case strings.HasPrefix(segment, ":") && nameOfParam.MatchString(segment[1:]):
		return fmt.Errorf("path has the segment %q: write {%s} for any segment", segment, segment[1:])
	case strings.ContainsAny(segment, "{}*"):
		return fmt.Errorf(`path has the segment %q: only a whole segment can be a {name}, and only the last one "*"`, segment)
	}
	return nil
}
