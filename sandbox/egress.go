package sandbox

// Egress is how functions reach the outside.
type Egress struct {
	// Socket is the path of a Unix socket through which the TCP connections of functions leave. Under IsolationStrict
	// nothing else leads out, and the directory of the socket is what workers see of it, so it should hold nothing else.
	// It must be there when the pool starts. Empty: functions connect by themselves, where the tier lets them.
	Socket string
	// KeepAlive makes the default HTTP agents keep connections for later requests of the same call.
	KeepAlive bool
	// CA holds certificates in PEM that functions trust instead of those of Node.js; empty for those. ExtraCA holds some
	// that they trust beside those of Node.js, where CA is empty.
	CA, ExtraCA string
	// TLSInsecure lets functions connect by TLS to a peer whatever certificate it shows, unless they ask for a check.
	TLSInsecure bool
	// Watcher is told which process serves which call; nil when nobody wants to know.
	Watcher CallWatcher
}

// CallWatcher is told of the calls of each worker, which is named by its process ID as this process sees it. Its
// methods are called from many goroutines, but for one worker from one at a time.
type CallWatcher interface {
	// CallsQueued says that the worker may serve several calls until settled is closed. Just before that comes CallStarted
	// for the one that is in progress then, or CallEnded when none is. The one that asks meanwhile for the worker's call
	// has to wait.
	CallsQueued(pid int, settled <-chan struct{})
	// CallStarted comes before the worker sees the call.
	CallStarted(pid int, inv *Invocation)
	// CallEnded comes before the worker gets another call, and when it has died. What the call still holds must be taken
	// from it.
	CallEnded(pid int)
}

// nobody is a CallWatcher.
type nobody struct{}

func (nobody) CallsQueued(int, <-chan struct{}) {}
func (nobody) CallStarted(int, *Invocation)     {}
func (nobody) CallEnded(int)                    {}
