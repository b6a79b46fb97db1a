package store

import "context"

// Messages passes messages between servers on the same data. Nothing is kept: a message that nobody listens for is
// lost, and so are those that come while a connection with the store is away.
type Messages interface {
	// Publish passes message to all who listen to that name, which is letters and digits. Heard says whether anybody
	// does.
	Publish(ctx context.Context, to string, message []byte) (heard bool, err error)
	// Subscribe calls receive with each message to one of names, one at a time, until ctx ends. It returns after the last
	// call.
	Subscribe(ctx context.Context, names []string, receive func(message []byte))
}
