package api

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/spelling"
	"github.com/backstage/functions/sandbox"
)

// optionParser reads the options of a function, which the original does not know.
type optionParser struct {
	runtimes []sandbox.Runtime
	bounds   function.Bounds
}

// firstModern is the first major version of Node.js that has the globals of the web platform, fetch among them. To name
// a runtime of this version or a later one asks for them.
const firstModern = 18

// modern says whether the runtime of that name is one.
func (p *optionParser) modern(name string) bool {
	return slices.ContainsFunc(p.runtimes, func(rt sandbox.Runtime) bool {
		return rt.Name == name && rt.Major() >= firstModern
	})
}

func (p *optionParser) names() []string {
	var names []string
	for _, rt := range p.runtimes {
		names = append(names, rt.Name)
	}
	return names
}

// parse says all that is wrong with the options that are given, and which other member was probably meant to be one.
func (p *optionParser) parse(given propertySet) (o function.Options, faults []string) {
	for i := range function.AllOptions {
		option := &function.AllOptions[i]
		if value, ok := given.get(option.Name); ok {
			if fault := p.read(option, &o, value); fault != "" {
				faults = append(faults, "instance."+option.Name+fault)
			}
		}
	}
	p.modernize(&o)
	for _, fault := range p.bounds.Faults(&o) {
		faults = append(faults, "instance."+fault)
	}
	return o, append(faults, misspelt(given)...)
}

// modernize gives the code on a modern runtime web globals, unless it asks for others.
func (p *optionParser) modernize(o *function.Options) {
	if o.Globals == nil && o.Runtime != nil && p.modern(*o.Runtime) {
		web := function.GlobalsWeb
		o.Globals = &web
	}
}

// read puts value into o; fault is the end of a sentence about it.
func (p *optionParser) read(option *function.Option, o *function.Options, value json.RawMessage) (fault string) {
	fault = option.Parse(o, value)
	if option.Name != "runtime" || o.Runtime == nil || *o.Runtime == "" {
		return fault
	}
	if names := p.names(); !slices.Contains(names, *o.Runtime) {
		return function.OneOf(names) + "; functions runtimes add gives the server others"
	}
	return fault
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
	if fault := function.CountFault(string(value)); fault != "" {
		return nil, append(faults, "instance."+name+fault)
	}
	n, _ := strconv.Atoi(string(value)) // as was found
	return &n, faults
}
