package function

import "strings"

// Owner is whose share of a server a namespace uses: what its name has before the separator, or all of it where there is none.
func Owner(namespace, separator string) string {
	if separator == "" {
		return namespace
	}
	owner, _, _ := strings.Cut(namespace, separator)
	return owner
}
