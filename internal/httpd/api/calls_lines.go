package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox/rawjson"
)

const (
	// linesWait is how long lines of a call are waited for until its state is looked at again.
	linesWait = time.Second
	// lastLinesWait is how long the last lines of a call that has ended are waited for: they are stored in the background.
	lastLinesWait = 300 * time.Millisecond
)

// linePlaces are how far the lines of the functions of a call were read, each once, in the order of their first steps.
// Places among the lines of one function say nothing about those of another: the ID of an event has all.
type linePlaces struct{ of []linePlace }

type linePlace struct {
	ref         function.Ref
	first, last int // steps of the call that run it, from 0
	after       function.LogCursor
}

// placesOf are those that an event with that ID has told of, or where the call was put. C is nil for one that has
// ended.
func placesOf(event string, ref function.Ref, c *queue.Call) (p linePlaces, err error) {
	refs := []function.Ref{ref}
	var put function.LogCursor
	if c != nil {
		refs = c.Functions()
		put.Millis = uint64(max(c.Created.UnixMilli()-1, 0))
	}
	for step, ref := range refs {
		i := slices.IndexFunc(p.of, func(known linePlace) bool { return known.ref == ref })
		if i < 0 {
			p.of = append(p.of, linePlace{ref: ref, first: step, after: put})
			i = len(p.of) - 1
		}
		p.of[i].last = step
	}
	if event == "" {
		return p, nil
	}
	for i, text := range strings.SplitN(event, ",", len(p.of)) {
		if p.of[i].after, err = function.ParseLogCursor(text); err != nil {
			return p, outcome.BadRequest("Last-Event-ID is " + err.Error())
		}
	}
	return p, nil
}

// event is the ID of the event that tells of the last of the lines which were read.
func (p *linePlaces) event() string {
	ids := make([]string, len(p.of))
	for i := range p.of {
		ids[i] = p.of[i].after.String()
	}
	return strings.Join(ids, ",")
}

// reached is how many of the functions have begun.
func (p *linePlaces) reached(c *queue.Call) (n int) {
	for n < len(p.of) && p.of[n].first <= c.Step {
		n++
	}
	return n
}

// sendLines sends the lines of the call that the function at i prints, until none have come for a moment after the call
// has ended, or has gone on with steps of others. Without the store there are none: the states tell of that.
func (f *callFollower) sendLines(ctx context.Context, i int) {
	f.mu.Lock()
	place := f.places.of[i]
	f.mu.Unlock()
	for {
		wait, last := linesWait, f.isOver(&place)
		select {
		case <-f.ended:
			wait, last = lastLinesWait, true
		default:
		}
		lines, err := f.Logs.AwaitLog(ctx, place.ref, place.after, followStep, wait)
		if err != nil || ctx.Err() != nil || last && len(lines) == 0 {
			return
		}
		if len(lines) == 0 {
			continue
		}
		place.after = lines[len(lines)-1].Cursor
		if f.send(func() error { return f.sendThose(lines, i) }) != nil {
			return
		}
	}
}

// isOver says whether no step of the function will run any more.
func (f *callFollower) isOver(p *linePlace) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.step > p.last
}

// sendThose sends an event for each line that is of the call. The follower must be locked.
func (f *callFollower) sendThose(lines []function.LogLine, i int) error {
	var text []byte
	for n := range lines {
		line := &lines[n]
		f.places.of[i].after = line.Cursor
		if f.owns(line) {
			text = append(append(append(text, "event: line\nid: "...), f.places.event()...), "\ndata: "...)
			text = append(appendStepLine(text, line), "\n\n"...)
		}
	}
	if len(text) == 0 {
		return nil
	}
	return f.events.send(text)
}

// owns says whether a line is of an attempt of the call. Who waits for an answer may choose the same request ID.
func (f *callFollower) owns(line *function.LogLine) bool {
	rest, ok := strings.CutPrefix(line.RequestID, f.id)
	return ok && line.Queued && (rest == "" || rest[0] == '-')
}

// appendStepLine appends a line as logs have it, and of a pipeline its step before that.
func appendStepLine(dst []byte, line *function.LogLine) []byte {
	o := rawjson.NewObject(dst)
	if line.Step > 0 {
		o.Int("step", int64(line.Step))
	}
	lineMembers(&o, line)
	return o.End()
}
