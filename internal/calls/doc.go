// Package calls runs queued calls: it takes them when workers are spare, keeps their leases, and settles them.
//
// A server takes no more than it can start at once, so what is queued delays no caller who waits. While it runs a call
// it renews the lease; when the lease is lost, since the store was away for too long or the call was cancelled, the
// worker is killed. What a call came to is written again until the store takes it, unless the lease is another's, was
// not renewed for ten times its length, or the server stops.
package calls
