// Package backlog does in the background what requests leave to be done.
package backlog

import "time"

// Work is what is done with the entries of a queue. All of it is called from one goroutine.
type Work[E any] struct {
	// Write does an entry. It may take others from the queue to do them together.
	Write func(first E)
	// Summarize is called once in the time of Summary, and last. Clean is called first, and once in that of Cleaning.
	Summarize, Clean  func()
	Summary, Cleaning time.Duration
}

// Do works until closing is closed and no entry waits.
func (w Work[E]) Do(queue <-chan E, closing <-chan struct{}) {
	summaries, cleanings := time.NewTicker(w.Summary), time.NewTicker(w.Cleaning)
	defer summaries.Stop()
	defer cleanings.Stop()
	w.Clean()
	for {
		select {
		case e := <-queue:
			w.Write(e)
		case <-summaries.C:
			w.Summarize()
		case <-cleanings.C:
			w.Clean()
		case <-closing:
			w.finish(queue)
			return
		}
	}
}

// finish does what waits.
func (w Work[E]) finish(queue <-chan E) {
	for {
		select {
		case e := <-queue:
			w.Write(e)
		default:
			w.Summarize()
			return
		}
	}
}
