package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/httpd/sockets"
)

// sendToSocket passes the body of r on as a message: text unless its media type is that of bytes.
func (s *server) sendToSocket(w http.ResponseWriter, r *http.Request) error {
	namespace, id, err := s.socketOf(r)
	if err != nil {
		return err
	}
	m, err := s.messageOf(r)
	if err != nil {
		return err
	}
	if err := s.Sockets.Send(r.Context(), namespace, id, m); err != nil {
		return fmt.Errorf("send to the connection %q: %w", id, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// sendToSockets is sendToSocket for all of a namespace, or of one function.
func (s *server) sendToSockets(w http.ResponseWriter, r *http.Request) error {
	namespace, err := nameOf(r, "namespace")
	if err != nil {
		return err
	}
	if s.Sockets == nil {
		return sockets.ErrOff
	}
	m, err := s.messageOf(r)
	if err != nil {
		return err
	}
	filename := ""
	if id := r.URL.Query().Get("function"); id != "" {
		filename = function.Ref{Namespace: namespace, ID: id}.Filename()
	}
	if err := s.Sockets.SendAll(r.Context(), namespace, filename, m); err != nil {
		return fmt.Errorf("send to the connections of %q: %w", namespace, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// getSocket tells of a socket.
func (s *server) getSocket(w http.ResponseWriter, r *http.Request) error {
	namespace, id, err := s.socketOf(r)
	if err != nil {
		return err
	}
	info, err := s.Sockets.Info(r.Context(), namespace, id)
	if err != nil {
		return fmt.Errorf("get the connection %q: %w", id, err)
	}
	text, err := json.Marshal(info)
	if err != nil {
		return fmt.Errorf("get the connection %q: %w", id, err)
	}
	sendJSON(w, r, http.StatusOK, text)
	return nil
}

// deleteSocket ends a socket.
func (s *server) deleteSocket(w http.ResponseWriter, r *http.Request) error {
	namespace, id, err := s.socketOf(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	code, err := strconv.Atoi(cmp.Or(query.Get("code"), "1000"))
	if err != nil {
		code = 0 // is none
	}
	if err := s.Sockets.Hangup(r.Context(), namespace, id, code, query.Get("reason")); err != nil {
		return fmt.Errorf("end the connection %q: %w", id, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// socketOf is the socket that the path names.
func (s *server) socketOf(r *http.Request) (namespace, id string, err error) {
	if namespace, err = nameOf(r, "namespace"); err != nil {
		return "", "", err
	}
	if id, err = nameOf(r, "connection"); err != nil {
		return "", "", err
	}
	if s.Sockets == nil {
		err = sockets.ErrOff
	}
	return namespace, id, err
}

// messageOf is the body of r as a message.
func (s *server) messageOf(r *http.Request) (*sockets.Message, error) {
	options := s.bodyOptions(r, true)
	options.Limit = int64(s.Sockets.Longest())
	data, err := body.ReadBytes(r, options)
	if err != nil {
		return nil, err
	}
	media, _, _ := strings.Cut(r.Header.Get(headerType), ";")
	return sockets.NewMessage(data, strings.EqualFold(strings.TrimSpace(media), contentTypeBytes)), nil
}
