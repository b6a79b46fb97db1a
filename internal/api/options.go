package api

import (
	"slices"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// countLimit is the largest maxInvocations and maxConcurrency.
const countLimit = 1_000_000_000

// parseOptions reads runtime, maxInvocations and maxConcurrency, which the original does not know.
func parseOptions(given propertySet, runtimes []string) (o function.Options, faults []string) {
	if value, ok := given.get("runtime"); ok {
		name := textIn(value)
		switch {
		case !isString(value):
			faults = append(faults, "instance.runtime"+notString)
		case name != "" && !slices.Contains(runtimes, name):
			faults = append(faults, "instance.runtime is not one of enum values: "+strings.Join(runtimes, ","))
		}
		o.Runtime = &name
	}
	o.MaxInvocations, faults = parseCount(given, "maxInvocations", faults)
	o.MaxConcurrency, faults = parseCount(given, "maxConcurrency", faults)
	return o, faults
}

// parseCount reads a whole number from 0 to countLimit and adds what is wrong with it to faults; nil when it is not given.
func parseCount(given propertySet, name string, faults []string) (*int, []string) {
	value, ok := given.get(name)
	if !ok {
		return nil, faults
	}
	n, err := strconv.Atoi(string(value))
	switch {
	case err != nil:
		faults = append(faults, "instance."+name+" is not of a type(s) integer")
	case n < 0:
		faults = append(faults, "instance."+name+" must have a minimum value of 0")
	case n > countLimit:
		faults = append(faults, "instance."+name+" must have a maximum value of "+strconv.Itoa(countLimit))
	}
	return &n, faults
}
