// Package sentry reports failed runs of functions to Sentry: to the project that the function or its namespace names,
// and to the server's own.
//
// Addresses (DSNs), exceptions and breadcrumbs are those of getsentry/sentry-go. Its client is not used: it reports on
// the Go program around it, keeps a buffer and a goroutine for each of what may be thousands of addresses, and its
// event has no place for extra and culprit, which the contract asks for.
package sentry
