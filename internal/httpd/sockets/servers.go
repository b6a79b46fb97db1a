package sockets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// everyServer is the name that all servers listen to.
const everyServer = "all"

// answerTime is how long the server that has a socket may take to answer another one.
const answerTime = 3 * time.Second

// What an envelope asks for.
const (
	doSend   = "send"
	doHangup = "hangup"
	doInfo   = "info"
	doAnswer = "answer"
)

// envelope is what servers send each other. Only they, and those who can write to their store, can send one.
type envelope struct {
	Do        string `json:"do"`
	From      string `json:"from"`
	Seq       uint64 `json:"seq,omitempty"` // 0 wants no answer
	Namespace string `json:"namespace,omitempty"`
	Filename  string `json:"filename,omitempty"`
	ID        string `json:"id,omitempty"` // empty for all sockets of the function, or of the namespace
	Binary    bool   `json:"binary,omitempty"`
	Data      []byte `json:"data,omitempty"`
	Code      int    `json:"code,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Fault     string `json:"fault,omitempty"` // of an answer
	Info      *Info  `json:"info,omitempty"`
}

// faults are the errors that servers tell each other, by name.
var faults = map[string]error{
	"gone": ErrGone, "long": ErrTooLong, "text": ErrText, "slow": ErrSlow, "memory": ErrMemory,
}

// asked are the questions of this server to others.
type asked struct {
	mu      sync.Mutex // guards the fields below
	last    uint64
	waiting map[uint64]chan envelope
}

// ask sends e to the server that has its socket and returns what that answers.
func (h *Hub) ask(ctx context.Context, e envelope) (envelope, error) {
	server, ok := serverOf(e.ID)
	if !ok || server == h.name {
		return envelope{}, ErrGone
	}
	answer := make(chan envelope, 1)
	h.asked.mu.Lock()
	h.asked.last++
	e.Seq = h.asked.last
	h.asked.waiting[e.Seq] = answer
	h.asked.mu.Unlock()
	defer func() {
		h.asked.mu.Lock()
		delete(h.asked.waiting, e.Seq)
		h.asked.mu.Unlock()
	}()
	heard, err := h.publish(ctx, server, e)
	switch {
	case err != nil:
		return envelope{}, err
	case !heard: // that server is gone, and its sockets with it
		return envelope{}, ErrGone
	}
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	select {
	case got := <-answer:
		return got, faults[got.Fault]
	case <-timer.C:
		return envelope{}, ErrAway
	case <-ctx.Done():
		return envelope{}, context.Cause(ctx)
	}
}

// tell sends e to all servers.
func (h *Hub) tell(ctx context.Context, e envelope) error {
	_, err := h.publish(ctx, everyServer, e)
	return err
}

func (h *Hub) publish(ctx context.Context, to string, e envelope) (heard bool, err error) {
	e.From = h.name
	text, err := json.Marshal(e)
	if err != nil {
		return false, fmt.Errorf("sockets: %w", err)
	}
	return h.o.Exchange.Publish(ctx, to, text)
}

// received does what another server asks for. It does not wait for callers.
func (h *Hub) received(text []byte) {
	var e envelope
	if len(text) > 2*h.o.Message+piece || json.Unmarshal(text, &e) != nil || e.From == h.name {
		return
	}
	if e.Do == doAnswer {
		h.asked.mu.Lock()
		defer h.asked.mu.Unlock()
		if waiting := h.asked.waiting[e.Seq]; waiting != nil {
			delete(h.asked.waiting, e.Seq)
			waiting <- e
		}
		return
	}
	answer := envelope{Do: doAnswer, Seq: e.Seq}
	err := h.serve(&e, &answer)
	if e.Seq == 0 || len(e.From) != serverName || !isBase32(e.From) {
		return
	}
	for name, fault := range faults {
		if errors.Is(err, fault) {
			answer.Fault = name
		}
	}
	ctx, cancel := context.WithTimeout(h.life, answerTime)
	defer cancel()
	if _, err := h.publish(ctx, e.From, answer); err != nil {
		h.o.Logger.WarnContext(ctx, "Another server's message about a WebSocket connection is not answered", "error", err)
	}
}

// serve does what e asks for on this server.
func (h *Hub) serve(e, answer *envelope) error {
	m := NewMessage(e.Data, e.Binary)
	if e.Do == doSend && e.ID == "" {
		if err := h.enter(m); err != nil {
			return err
		}
		defer m.done()
		h.pushAll(e.Namespace, e.Filename, m)
		return nil
	}
	s := h.find(e.Namespace, e.ID)
	switch {
	case s == nil:
		return ErrGone
	case e.Do == doSend:
		return s.send(m)
	case e.Do == doHangup && isCode(e.Code) && isReason(e.Reason):
		s.end(closing{websocket.StatusCode(e.Code), e.Reason})
	case e.Do == doInfo:
		info := s.info()
		answer.Info = &info
	}
	return nil
}
