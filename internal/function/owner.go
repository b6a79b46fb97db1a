package function

import "strings"

// Owner is the owner of a namespace: its name up to the separator, or all of the name if it has no separator. The
// namespaces of one owner use one share of a server.
func Owner(namespace, separator string) string {
	if separator == "" {
		return namespace
	}
	owner, _, _ := strings.Cut(namespace, separator)
	return owner
}
