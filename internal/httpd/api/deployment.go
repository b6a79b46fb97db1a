package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/httpd/upload"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox/rawjson"
)

// A deploy brings code or files as JSON, or files as an archive with the options in the query.

// The members that only deploys with files have.
const (
	memberFiles = "files"
	memberEntry = "entry"
)

// deployment is what a deploy brings.
type deployment struct {
	// given is nil when there are faults.
	given  *function.Function
	faults []string
	// meant says that the request is meant to be a deploy, whether there are faults or not.
	meant bool
}

// readDeployment reads what r brings.
func (s *server) readDeployment(r *http.Request) (deployment, error) {
	if isArchive(r) {
		return s.readArchive(r)
	}
	options, others, named := s.bodyOptions(r, true), s.bodyOptions(r, true), false
	options.Extended = 2 * s.CodeLimit // texts grow in JSON, and bytes in base64
	options.Extends = func(beginning []byte) bool {
		named = bytes.Contains(beginning, []byte(`"`+memberFiles+`"`))
		return named
	}
	text, ignored, err := s.readLonger(r, options, others, isDeployment)
	files := err == nil && hasFiles(text)
	if wrong, ok := errors.AsType[*body.Error](err); ok && named && wrong.Status == http.StatusRequestEntityTooLarge {
		return deployment{meant: true}, upload.TooLarge(s.CodeLimit)
	}
	if err == nil && named && !files { // it is code, which names files
		err = &body.Error{Status: http.StatusRequestEntityTooLarge, Message: "request entity too large"}
	}
	if err != nil {
		return deployment{}, err
	}
	d := deployment{meant: ignored != "" || files || isDeployment(text)}
	if files && ignored == "" {
		d.given, d.faults, err = s.parseFiles(properties(text))
		return d, err
	}
	d.given, d.faults = parseFunction(text, s.optionParser())
	if ignored != "" {
		d.faults = append(d.faults, ignored)
	}
	return d, nil
}

func (s *server) optionParser() *optionParser {
	return &optionParser{s.Runtimes(), s.Bounds}
}

// hasFiles says whether text is an object with files.
func hasFiles(text []byte) bool {
	_, ok := properties(text).get(memberFiles)
	return ok
}

// parseFiles reads a deploy with files from its members.
func (s *server) parseFiles(given propertySet) (f *function.Function, faults []string, err error) {
	if given.more {
		return nil, []string{tooMany("instance")}, nil
	}
	faults = nameFaults(given)
	if _, both := given.get("code"); both {
		faults = append(faults, "instance.code and instance.files are both given: send one of them")
	}
	f, more := parseSettings(given, s.optionParser())
	faults = append(faults, more...)
	value, _ := given.get(memberFiles)
	files, more, err := upload.FromObject(value, s.CodeLimit)
	if err != nil {
		return nil, nil, err
	}
	faults = append(faults, more...)
	entry := ""
	if value, ok := given.get(memberEntry); ok {
		entry, more = parseEntry(value, files)
		faults = append(faults, more...)
	}
	if len(faults) > 0 {
		return nil, faults, nil
	}
	f.Source = &function.Source{Entry: entry, Files: files}
	return f, nil, nil
}

// parseEntry reads the path of the file with the handler. Files is nil if they are not known.
func parseEntry(value json.RawMessage, files map[string][]byte) (entry string, faults []string) {
	if !rawjson.IsString(value) {
		return "", []string{"instance." + memberEntry + notString}
	}
	entry = strings.TrimPrefix(rawjson.Unquote(value), "./")
	if _, there := files[entry]; !there && files != nil {
		faults = []string{fmt.Sprintf("instance.%s is %q, which is none of the files", memberEntry, entry)}
	}
	return entry, faults
}

// isArchive says whether the body of r is a tar archive that is compressed by gzip.
func isArchive(r *http.Request) bool {
	media, _, ok := parseType(r.Header.Get(headerType))
	types := []string{"application/gzip", "application/x-gzip", "application/x-gtar-compressed"}
	return ok && slices.Contains(types, media)
}

// readArchive reads a deploy whose body is an archive.
func (s *server) readArchive(r *http.Request) (deployment, error) {
	d := deployment{meant: true}
	grow := func(bytes int) bool { return s.Grow(r, bytes) }
	packed, err := body.ReadBytes(r, body.Options{Limit: s.CodeLimit, Grow: grow})
	if wrong, ok := errors.AsType[*body.Error](err); ok && wrong.Status == http.StatusRequestEntityTooLarge {
		return d, upload.TooLarge(s.CodeLimit)
	}
	if err != nil {
		return d, err
	}
	files, faults, err := upload.FromArchive(packed, s.CodeLimit, grow)
	if err != nil {
		return d, err
	}
	members, err := queryMembers(r.URL.RawQuery)
	if err != nil {
		return d, err
	}
	f, more := parseSettings(members, s.optionParser())
	if faults = append(faults, more...); len(faults) > 0 {
		d.faults = faults
		return d, nil
	}
	f.Source = &function.Source{Files: files}
	if value, ok := members.get(memberEntry); ok {
		f.Source.Entry, d.faults = parseEntry(value, files)
	}
	if len(d.faults) == 0 {
		d.given = f
	}
	return d, nil
}

// queryMembers are the members of a deploy that its query has, as JSON would have them. Variables are not taken: URLs
// are written to logs.
func queryMembers(query string) (members propertySet, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return members, outcome.BadRequest("Failed to decode the query")
	}
	for name, all := range values {
		option := function.OptionOf(name)
		value := json.RawMessage(rawjson.AppendString(nil, all[len(all)-1]))
		switch {
		case option != nil && option.JSON:
			value = json.RawMessage(all[len(all)-1])
		case option == nil && name != memberEntry:
			return members, outcome.BadRequest(fmt.Sprintf("The query has %q: with an archive it may have entry and %s",
				name, strings.Join(function.OptionNames(), ", ")))
		}
		members.list = append(members.list, property{name, value})
	}
	slices.SortFunc(members.list, func(a, b property) int { return strings.Compare(a.name, b.name) })
	return members, nil
}
