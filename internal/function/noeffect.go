package function

import (
	"fmt"
	"time"

	"github.com/backstage/functions/internal/duration"
)

// Defaults are settings of a server that hold for functions without options of their own, as far as other options
// depend on them.
type Defaults struct {
	// Rollback says that workers are put back, Cut that what is left at an answer is cut for all functions.
	Rollback, Cut bool
	// NoCalls says that there are no asynchronous calls, NoSockets that there are no WebSocket connections.
	NoCalls, NoSockets bool
	// Open says that nobody is asked for a key.
	Open bool
	// MaxInvocations is how many calls one worker may serve; 0 sets no limit.
	MaxInvocations int
	// Timeout is the time until the answer, SocketIdle how long a connection may carry no message; 0 is not known.
	Timeout, SocketIdle time.Duration
}

// pointless says of one option when it has no effect, because of others or of the server.
type pointless struct {
	option string
	// why is the end of a sentence about the option, which is set; empty where it has an effect.
	why func(o *effective) string
}

// effective are options with what holds for those that are not set.
type effective struct {
	Options
	Defaults

	state, once, rollback, warmup, alone bool
}

func (d Defaults) with(o Options) *effective {
	e := &effective{Options: o, Defaults: d}
	e.state = o.State != nil && *o.State == StateWorker
	e.once = o.Init != nil && *o.Init == InitOnce
	e.warmup = o.Warmup != nil && o.Warmup.On
	reuse := d.Rollback
	if o.Reuse != nil && *o.Reuse != "" {
		reuse = *o.Reuse == ReuseRollback
	}
	e.rollback = reuse && !e.state
	e.alone = d.MaxInvocations == 1 || o.MaxInvocations != nil && *o.MaxInvocations == 1
	return e
}

const (
	keepsState  = `"state":"worker" has workers keep what calls leave, and they are not put back`
	servesAlone = `each process serves one call (maxInvocations or WORKER_MAX_INVOCATIONS is 1)`
	noCalls     = `the server has no asynchronous calls (CALLS_MAX is 0)`
)

var pointlessOptions = []pointless{
	{"maxInvocations", func(o *effective) string {
		most := o.Defaults.MaxInvocations
		return when(most > 0 && *o.Options.MaxInvocations > most, fmt.Sprintf("WORKER_MAX_INVOCATIONS is less, %d", most))
	}},
	{"reuse", func(o *effective) string {
		switch {
		case *o.Reuse == ReuseRollback && o.state:
			return keepsState
		case *o.Reuse == ReuseRollback && o.alone && !o.warmup:
			return servesAlone
		}
		return ""
	}},
	{"afterAnswer", func(o *effective) string {
		return when(*o.AfterAnswer == AfterAnswerFinish && o.Cut, "the server has AFTER_ANSWER=cut")
	}},
	{"syncTimeout", func(o *effective) string {
		most := o.Defaults.Timeout
		if o.Options.Timeout != nil && *o.Options.Timeout > 0 {
			most = *o.Options.Timeout
		}
		return when(most > 0 && *o.SyncTimeout > most,
			"it is longer than the timeout of a call (timeout or CODE_ASYNC_TIMEOUT), "+duration.Text(most))
	}},
	{"init", func(o *effective) string {
		switch {
		case *o.Init == InitEach && o.state:
			return `"state":"worker" has the top-level code run once in each process`
		case o.once && o.alone:
			return servesAlone
		}
		return ""
	}},
	{"state", func(o *effective) string { return when(o.state && o.alone, servesAlone) }},
	{"warmup", func(o *effective) string {
		switch {
		case !o.warmup || o.rollback:
			return ""
		case o.state:
			return keepsState
		}
		return `workers of the function are not put back: that takes "reuse":"rollback" or REUSE=rollback`
	}},
	{"access", func(o *effective) string {
		names := *o.Access == AccessKey || *o.Access == AccessJWT
		return when(o.Open && names, "the server asks nobody for a key (AUTH is off)")
	}},
	{"websocket", func(o *effective) string {
		most := o.SocketIdle
		switch {
		case !o.WebSocket.On:
			return ""
		case o.NoSockets:
			return "the server has no WebSocket connections (WEBSOCKET_CONNECTIONS is 0)"
		}
		return when(most > 0 && o.WebSocket.Idle > most,
			"as for idle, which is longer than WEBSOCKET_IDLE_TIMEOUT: that is used, "+duration.Text(most))
	}},
	{"retries", func(o *effective) string { return when(o.NoCalls && *o.Retries != Retries{}, noCalls) }},
	{"idempotency", func(o *effective) string { return when(o.NoCalls && *o.Idempotency == IdempotencySync, noCalls) }},
	{"callback", func(o *effective) string { return when(o.NoCalls && *o.Callback != Callback{}, noCalls) }},
}

func when(pointless bool, why string) string {
	if pointless {
		return why
	}
	return ""
}

// WithoutEffect are sentences about options of o that have no effect on a server with these defaults, because of other
// options or of the server. They are no faults: each may have an effect when another changes.
func (d Defaults) WithoutEffect(o Options) (sentences []string) {
	e := d.with(o)
	for _, row := range pointlessOptions {
		if _, set := OptionOf(row.option).Get(&o); !set {
			continue
		}
		if why := row.why(e); why != "" {
			sentences = append(sentences, "the option "+row.option+" has no effect: "+why)
		}
	}
	return sentences
}
