package sockets

import (
	"net/http"
	"time"

	"github.com/backstage/functions/internal/outcome"
)

// The errors of the Hub. Each says itself what it means to a caller.
var (
	// ErrGone: there is no such socket, or not any more.
	ErrGone = outcome.New(outcome.Outcome{
		Status: http.StatusNotFound, Fault: outcome.FaultCaller,
		Message: "The WebSocket connection does not exist, or is closed",
	})
	// ErrTooLong: the message is longer than Options.Message.
	ErrTooLong = outcome.New(outcome.Outcome{
		Status: http.StatusRequestEntityTooLarge, Fault: outcome.FaultCaller,
		Message: "The message is longer than WEBSOCKET_MESSAGE_LIMIT allows",
	})
	// ErrText: a text message is not UTF-8.
	ErrText = outcome.BadRequest(
		"The message is not UTF-8: send bytes with Content-Type: application/octet-stream",
	)
	// ErrCode: no server may close a connection with that code or reason.
	ErrCode = outcome.BadRequest(
		"code must be 1000, 1001, 1007 to 1014 or 3000 to 4999, and reason UTF-8 of at most 123 bytes",
	)
	// ErrSlow: the outbox is full, for its caller does not take what is sent.
	ErrSlow = busy("websocket_slow", "The caller at the WebSocket connection does not take its messages")
	// ErrMemory: no memory is left for messages.
	ErrMemory = busy("websocket_memory", "No memory for more messages to WebSocket connections (WEBSOCKET_SEND_MEMORY)")
	// ErrFull: there are as many sockets as there may be, or the caller's address or the owner has its share.
	ErrFull = busy("websocket_connections", "Too many WebSocket connections (WEBSOCKET_CONNECTIONS)")
	// ErrClosed: the server is about to stop.
	ErrClosed = busy("shutdown", "The server is about to stop")
	// ErrAway: the server that has the socket does not answer.
	ErrAway = busy("websocket_server", "The server that has the WebSocket connection does not answer")
	// ErrOff: there are none.
	ErrOff = outcome.New(outcome.Outcome{
		Status: http.StatusNotImplemented, Fault: outcome.FaultCaller,
		Message: "This server holds no WebSocket connections: WEBSOCKET_CONNECTIONS says how many it may",
	})
)

// busy is an error that may be over soon.
func busy(reason, message string) *outcome.Error {
	return outcome.New(outcome.Outcome{
		Status: http.StatusServiceUnavailable, Fault: outcome.FaultServer, Reason: reason, Message: message,
		Retry: true, RetryAfter: time.Second,
	})
}
