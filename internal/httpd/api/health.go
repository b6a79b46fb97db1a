package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// checkTimeout bounds the check of one service.
const checkTimeout = 3 * time.Second

// Service is one thing whose state /status shows.
type Service struct {
	Name string
	// Check returns what to show next to the name, or why the service does not work. It must respect ctx and be safe
	// for concurrent use. Of an error, callers see the message that came with it; if that is empty, the error's own
	// text when it is one of package function's. The log sees all of it.
	Check func(ctx context.Context) (message string, err error)
}

// sentryUnset stands for the error tracker where none is set up; its text is the contract's.
var sentryUnset = Service{
	"Sentry",
	func(context.Context) (string, error) { return "SENTRY_DSN is not setted yet", nil },
}

// healthcheck says whether the store can be reached.
func (s *server) healthcheck(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	status, text := http.StatusOK, "WORKING"
	if err := s.Store.Ping(ctx); err != nil {
		status, text = http.StatusInternalServerError, s.failureText(r, s.Store.Name(), err)
	}
	w.Header().Set(headerType, contentTypeHTML)
	send(w, r, status, []byte(text))
	return nil
}

// probe makes a handler of one that answers by itself.
func probe(h http.HandlerFunc) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		h(w, r)
		return nil
	}
}

func allWell(w http.ResponseWriter, r *http.Request) {
	sendJSON(w, r, http.StatusOK, []byte(`{"status":"ok"}`))
}

// status shows the state of every service, and is 500 if one does not work.
func (s *server) status(w http.ResponseWriter, r *http.Request) error {
	services := append([]Service{{s.Store.Name(), s.pong}}, s.Services...)
	reports := make([]report, len(services))
	var checks sync.WaitGroup
	for i, service := range services {
		checks.Go(func() { reports[i] = s.check(r, service) })
	}
	checks.Wait()
	status, list := http.StatusOK, []byte{'['}
	for i, rep := range reports {
		if rep.failed {
			status = http.StatusInternalServerError
		}
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, rep.json()...)
	}
	o := rawjson.NewObject(nil)
	o.Raw("services", append(list, ']'))
	if runtimes := s.Runtimes(); len(runtimes) > 1 {
		o.Raw("runtimes", runtimeList(runtimes))
	}
	sendJSON(w, r, status, o.End())
	return nil
}

// runtimeList is the runtimes with their versions, the first one first. A server with one alone shows none, as the
// original.
func runtimeList(runtimes []sandbox.Runtime) []byte {
	list := []byte{'['}
	for i, rt := range runtimes {
		if i > 0 {
			list = append(list, ',')
		}
		o := rawjson.NewObject(nil)
		o.String("name", rt.Name)
		o.String("version", rt.Version)
		list = append(list, o.End()...)
	}
	return append(list, ']')
}

func (s *server) pong(ctx context.Context) (string, error) {
	if err := s.Store.Ping(ctx); err != nil {
		return "", err
	}
	if err := s.StoreFault(); err != nil {
		return "", err
	}
	return "PONG", nil
}

// report is the outcome of one check.
type report struct {
	name, message string
	failed        bool
	took          time.Duration
}

func (p report) json() []byte {
	state := "WORKING"
	if p.failed {
		state = "FAILED"
	}
	o := rawjson.NewObject(nil)
	o.String("name", p.name)
	o.String("status", state)
	o.String("message", p.message)
	o.Int("time", p.took.Milliseconds())
	return o.End()
}

func (s *server) check(r *http.Request, service Service) report {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	start := time.Now()
	message, err := service.Check(ctx)
	took := time.Since(start)
	if err != nil {
		text := s.failureText(r, service.Name, err)
		if message != "" {
			text = "Error: " + message
		}
		return report{service.Name, text, true, took}
	}
	return report{service.Name, message, false, took}
}

// failureText is what a caller may know of err; the log gets the whole.
func (s *server) failureText(r *http.Request, service string, err error) string {
	s.Logger.ErrorContext(r.Context(), "Service is not working", "service", service, "error", err)
	return "Error: " + outcome.Of(err).Message
}

// httpStats tells of the connections that functions have open.
func (s *server) httpStats(w http.ResponseWriter, r *http.Request) error {
	sendJSON(w, r, http.StatusOK, s.HTTPStats())
	return nil
}

func noConnections() []byte {
	const none = `{"sockets":[],"freeSockets":[]}`
	return []byte(`{"http":` + none + `,"https":` + none + `}`)
}
