// Package answer watches the answer to a request go by, and adds to the head what its handlers agree on.
package answer

import "net/http"

// maxValues is how many headers of an answer take no memory of their own.
const maxValues = 4

// Recorder is a ResponseWriter that remembers the status of the answer. It is used by one goroutine at a time.
type Recorder struct {
	http.ResponseWriter
	// Status is 0 until the answer has begun.
	Status int
	// Route is the template of the route that serves the request; the handler that finds it sets it. Empty when there
	// is none.
	Route string
	// KeyID names the key that the caller has shown; empty without one.
	KeyID string
	// Sent counts the bytes of the body.
	Sent int64
	// Aborted says that the answer ended before its end; the handler that ends it so sets it.
	Aborted bool
	// Actor names the caller; empty for nobody.
	Actor string
	// Claimed is the ID in a key that was not taken; empty without one. Reason is the one in the answer to an error.
	Claimed, Reason string
	// OfFunction says that a function has answered, not the server; the handler that passes its answer on sets it.
	OfFunction bool
	// Begins, if it is not nil, is called once, with the status, before the head of the answer is sent.
	Begins func(status int)
	// values are those of the headers that were set by Set.
	values [maxValues]string
	set    int

	// before are called when the answer begins.
	before []func(http.Header)
}

// WriteHeader implements http.ResponseWriter.
func (w *Recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *Recorder) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.Sent += int64(n)
	return n, err
}

func (w *Recorder) begin(status int) {
	if w.Status != 0 {
		return
	}
	w.Status = status
	for _, change := range w.before {
		change(w.Header())
	}
	if w.Begins != nil {
		w.Begins(status)
	}
}

// BeforeHead has change called when the answer begins, to change its headers, after those that were given before it.
func (w *Recorder) BeforeHead(change func(http.Header)) { w.before = append(w.before, change) }

// Unwrap serves http.ResponseController.
func (w *Recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Set sets a header of w, whose name is in its canonical form, as http.Header does. The list of values takes no
// memory of its own where w is a Recorder.
func Set(w http.ResponseWriter, name, value string) {
	rec, ok := w.(*Recorder)
	if !ok || rec.set == maxValues {
		w.Header()[name] = []string{value}
		return
	}
	i := rec.set
	rec.set++
	rec.values[i] = value
	rec.Header()[name] = rec.values[i : i+1 : i+1]
}
