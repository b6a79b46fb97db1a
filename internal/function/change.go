package function

// Change tells what a write, here or on another server, has made stale. Exactly one of its parts is set.
type Change struct {
	// Ref is the one function that was written or deleted.
	Ref Ref
	// Namespace is the namespace whose settings changed.
	Namespace string
	// Routes means that a route was written or deleted.
	Routes bool
	// Keys means that a key was written or deleted.
	Keys bool
	// Public means that the list of public functions changed.
	Public bool
	// Limits means that the limits of a namespace changed.
	Limits bool
	// Secrets is the namespace where a secret, of itself or of one of its functions, was written or deleted.
	Secrets string
	// All means that anything may have changed, such as after messages were lost.
	All bool
}
