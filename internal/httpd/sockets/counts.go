package sockets

import (
	"sync/atomic"

	"github.com/coder/websocket"
)

// Stats is the state of a Hub.
type Stats struct {
	// Open are the sockets and those that are being opened, Limit how many there may be.
	Open, Limit int
	// Waiting are the bytes of messages that wait to be taken, WaitingLimit how many there may be.
	Waiting, WaitingLimit int64
	// Opened counts sockets, Refused those for which there was no place.
	Opened, Refused uint64
	// Received and Sent count messages, Dropped those that were not sent for lack of room.
	Received, Sent, Dropped uint64
	// Failed counts calls for messages and for ends that have failed.
	Failed uint64
	// ByCaller, ByServer and Lost count how sockets have ended: with a close of their caller, by a decision of the server,
	// without any.
	ByCaller, ByServer, Lost uint64
}

type counts struct {
	opened, refused, received, sent, dropped, failed atomic.Uint64
	byCaller, byServer, lost                         atomic.Uint64
}

func (c *counts) ended(as closing) {
	switch {
	case as.code == websocket.StatusAbnormalClosure || as == endAway:
		c.lost.Add(1)
	case isOwn(as):
		c.byServer.Add(1)
	default:
		c.byCaller.Add(1)
	}
}

func isOwn(as closing) bool {
	for _, own := range []closing{
		endDeleted, endShutdown, endIdle, endFailed, endBusy, endMemory, endText, endPings, endSlow, endRevoked,
		endPrivate, endDisabled, endTooLong, endBroken,
	} {
		if as == own {
			return true
		}
	}
	return false
}

// Stats returns the state of the Hub.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	open := h.places.taken
	h.mu.Unlock()
	c := &h.counts
	return Stats{
		Open: open, Limit: h.o.Most, Waiting: h.waiting.Load(), WaitingLimit: h.o.Memory,
		Opened: c.opened.Load(), Refused: c.refused.Load(),
		Received: c.received.Load(), Sent: c.sent.Load(), Dropped: c.dropped.Load(), Failed: c.failed.Load(),
		ByCaller: c.byCaller.Load(), ByServer: c.byServer.Load(), Lost: c.lost.Load(),
	}
}
