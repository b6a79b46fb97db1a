package sockets

import (
	"time"

	"github.com/coder/websocket"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/sandbox"
)

// The kinds of Event.
const (
	EventOpen    = "open"
	EventMessage = "message"
	EventClose   = "close"
)

// Event is what a function is called for.
type Event struct {
	Kind string
	// ID is that of the socket.
	ID string
	// Data is that of a message; Binary says that it is not text.
	Data   []byte
	Binary bool
	// Code and Reason are those of the close: 1006 where the connection was lost without one (RFC 6455, section 7.4.1).
	Code   int
	Reason string
}

// Opening is what a socket keeps of the request that has opened it.
type Opening struct {
	// Request makes that of the call for an event. It must be safe for concurrent use.
	Request func(Event) sandbox.Request
	// URI is what the caller asked for, for the log.
	URI string
	// Key is that of the caller, whose limits count.
	Key limits.Key
	// Address is the caller's.
	Address string
	// Nesting is that of what comes over the connection.
	Nesting invoke.Nesting
	// Watch is called with what ends the socket when its caller may not have it any more, and returns what is called when
	// the socket has ended. Nil lets it be.
	Watch func(revoke func()) (stop func())
	// WatchNamespace is Watch for the namespace of the function: the socket ends when it is disabled.
	WatchNamespace func(disabled func()) (stop func())
	// Ended is told, from any goroutine, of the end of the socket; nil for nobody.
	Ended func(End)
	// Access is what lets its caller run the function, who has the socket only as long as that does:
	// function.AccessPublic, or AccessJWT, which AccessPublic includes. Empty stands for a role.
	Access string
}

// End is what is told of a socket that has ended.
type End struct {
	// Code is that of the close: 1006 where the connection was lost without one.
	Code int
	// Took is for how long it was open.
	Took time.Duration
	// Received and Sent are the messages that came and that were written, with their bytes.
	Received, ReceivedBytes, Sent, SentBytes int64
}

// closing is how a socket ends.
type closing struct {
	code   websocket.StatusCode
	reason string
}

// The ends that the server decides upon.
var (
	endDeleted  = closing{websocket.StatusGoingAway, "the function is gone"}
	endShutdown = closing{websocket.StatusGoingAway, "the server stops"}
	endIdle     = closing{websocket.StatusGoingAway, "idle"}
	endFailed   = closing{websocket.StatusInternalError, "the function fails"}
	endBusy     = closing{websocket.StatusTryAgainLater, "the server is busy"}
	endMemory   = closing{websocket.StatusTryAgainLater, "no memory for more messages"}
	endText     = closing{websocket.StatusInvalidFramePayloadData, "text is not UTF-8"}
	endPings    = closing{websocket.StatusPolicyViolation, "too many pings"}
	endSlow     = closing{websocket.StatusPolicyViolation, "a message took too long"}
	endRevoked  = closing{websocket.StatusPolicyViolation, "the key is not valid any more"}
	endDisabled = closing{websocket.StatusPolicyViolation, "the namespace is disabled"}
	endPrivate  = closing{websocket.StatusPolicyViolation, "the function is not public any more"}
	endAway     = closing{websocket.StatusPolicyViolation, "no pong"}
	endTooLong  = closing{websocket.StatusMessageTooBig, "the message is too long"}
	endBroken   = closing{websocket.StatusProtocolError, "the protocol is broken"}
	endLost     = closing{websocket.StatusAbnormalClosure, ""}
)
