// Package usage says what calls use and how much they may use: rates, daily quotas, and the limits of namespaces. It
// does no input or output.
package usage
