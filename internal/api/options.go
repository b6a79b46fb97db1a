package api

import (
	"slices"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// maxInvocationsLimit is the largest maxInvocations of a function.
const maxInvocationsLimit = 1_000_000_000

// parseOptions reads runtime and maxInvocations, which the original does not know.
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
	if value, ok := given.get("maxInvocations"); ok {
		n, err := strconv.Atoi(string(value))
		switch {
		case err != nil:
			faults = append(faults, "instance.maxInvocations is not of a type(s) integer")
		case n < 0:
			faults = append(faults, "instance.maxInvocations must have a minimum value of 0")
		case n > maxInvocationsLimit:
			faults = append(faults, "instance.maxInvocations must have a maximum value of "+strconv.Itoa(maxInvocationsLimit))
		}
		o.MaxInvocations = &n
	}
	return o, faults
}
