// Package identity says who a caller is and what they may do: keys and tokens of issuers, their roles, and the
// namespaces that they are for. It does no input or output.
package identity
