package api

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/spelling"
	"github.com/backstage/functions/sandbox/rawjson"
)

// optionParser reads the options of a function, which the original does not know.
type optionParser struct {
	// values are those that an option may have apart from the empty one, for the options that have a choice.
	values map[string][]string
}

func newOptionParser(runtimes []string) optionParser {
	return optionParser{values: map[string][]string{
		"runtime": runtimes, "afterAnswer": {function.AfterAnswerFinish, function.AfterAnswerCut},
	}}
}

// parse says all that is wrong with the options that are given, and which other member was probably meant to be one.
func (p optionParser) parse(given propertySet) (o function.Options, faults []string) {
	for i := range function.AllOptions {
		option := &function.AllOptions[i]
		if value, ok := given.get(option.Name); ok {
			if fault := p.read(option, &o, value); fault != "" {
				faults = append(faults, "instance."+option.Name+fault)
			}
		}
	}
	return o, append(faults, misspelt(given)...)
}

// read puts value into o; fault is the end of a sentence about it.
func (p optionParser) read(option *function.Option, o *function.Options, value json.RawMessage) (fault string) {
	if option.Number {
		if fault := countFault(value); fault != "" {
			return fault
		}
		option.Set(o, string(value))
		return ""
	}
	text := rawjson.Unquote(value)
	if !rawjson.IsString(value) {
		return notString
	}
	if choice, ok := p.values[option.Name]; ok && text != "" && !slices.Contains(choice, text) {
		return " is not one of enum values: " + strings.Join(choice, ",")
	}
	option.Set(o, text)
	return ""
}

// misspelt tells of members that are like the name of an option and are none of the names that mean something.
func misspelt(given propertySet) (faults []string) {
	options := function.OptionNames()
	for _, member := range given.list {
		if slices.Contains(options, member.name) || slices.Contains(ofTheOriginal, member.name) {
			continue
		}
		if like := spelling.DidYouMean(member.name, options); like != "" {
			faults = append(faults, "instance"+suffix(member.name)+" is not known"+like)
		}
	}
	return faults
}

// ofTheOriginal are the members that its schema and its answers have.
var ofTheOriginal = []string{
	"namespace", "id", "code", "hash", "versionID", "env", "created", "updated", "namespaceSettings", "sentryDSN",
}

// parseCount reads a whole number from 0 to function.MaxCount and adds what is wrong with it to faults; nil when it is
// not given.
func parseCount(given propertySet, name string, faults []string) (*int, []string) {
	value, ok := given.get(name)
	if !ok {
		return nil, faults
	}
	if fault := countFault(value); fault != "" {
		return nil, append(faults, "instance."+name+fault)
	}
	n, _ := strconv.Atoi(string(value)) // as was found
	return &n, faults
}

// countFault is the end of a sentence that says what is wrong with value; empty for a whole number within the bounds.
func countFault(value json.RawMessage) string {
	n, err := strconv.Atoi(string(value))
	switch {
	case err != nil:
		return " is not of a type(s) integer"
	case n < 0:
		return " must have a minimum value of 0"
	case n > function.MaxCount:
		return " must have a maximum value of " + strconv.Itoa(function.MaxCount)
	}
	return ""
}
