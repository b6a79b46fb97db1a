package callbacks

import (
	"cmp"
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Defaults of Options.
const (
	DefaultTimeout      = 15 * time.Second
	DefaultPoll         = time.Second
	DefaultMost         = 256
	DefaultPerReceiver  = 8
	DefaultPerNamespace = 48
	DefaultAnswerLimit  = 64 << 10
)

// Queue keeps callbacks and their calls: store.Calls. It must be safe for concurrent use.
type Queue interface {
	TakeCallbacks(
		ctx context.Context, server string, most int, lease time.Duration,
	) (taken []*queue.Call, next time.Duration, err error)
	SettleCallback(ctx context.Context, s *queue.Settlement) (queue.Status, error)
	GetCall(ctx context.Context, ref function.Ref, id string) (*queue.Call, error)
}

// Observer is told what becomes of callbacks. Its methods must be safe for concurrent use.
type Observer interface {
	// CallbackSent is told what an attempt has made of its callback: one of queue.Statuses, "back" when it did not start,
	// or "lost", and how long it took.
	CallbackSent(how string, took time.Duration)
}

// Options configure a Sender. Queue, Dial, Secret, Record and Answer are required.
type Options struct {
	Queue Queue
	// Dial connects to "host:port" as far as that namespace may reach it.
	Dial func(ctx context.Context, namespace, address string) (net.Conn, error)
	// Secret returns the value of a secret of a function or of its namespace.
	Secret func(ctx context.Context, ref function.Ref, name string) (string, error)
	// Record is a call as callers see it: a JSON object.
	Record func(c *queue.Call) []byte
	// Answer returns what a call was answered with, or queue.ErrNotFound.
	Answer func(ctx context.Context, ref function.Ref, id string) (*calls.Answer, error)
	// Disabled says whether a namespace is disabled: its callbacks wait then. Nil says no.
	Disabled func(namespace string) bool
	// Server names this server in records. Empty stands for the name of the host.
	Server string
	// Roots are the certificates that are trusted; nil for those of the system.
	Roots *x509.CertPool
	// Timeout bounds an attempt, from the lookup of the name to the head of the answer. 0 stands for DefaultTimeout.
	Timeout time.Duration
	// Poll is how often the store is asked when nothing says that there is something to take. 0 stands for DefaultPoll.
	Poll time.Duration
	// Most is how many are sent at a time, PerNamespace and PerReceiver how many of one namespace, and of it to one host
	// and port. A namespace has no more than it leaves for others. 0 stands for the defaults.
	Most, PerNamespace, PerReceiver int
	// AnswerLimit is the longest answer that an event has, in bytes. 0 stands for DefaultAnswerLimit.
	AnswerLimit int
	// Observer may be nil.
	Observer Observer
	// Logger may be nil.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Disabled == nil {
		o.Disabled = func(string) bool { return false }
	}
	if o.Server == "" {
		o.Server, _ = os.Hostname() // an unknown host has no name in records
	}
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.Poll = cmp.Or(o.Poll, DefaultPoll)
	o.Most = cmp.Or(o.Most, DefaultMost)
	o.PerNamespace = cmp.Or(o.PerNamespace, DefaultPerNamespace)
	o.PerReceiver = cmp.Or(o.PerReceiver, DefaultPerReceiver)
	o.AnswerLimit = cmp.Or(o.AnswerLimit, DefaultAnswerLimit)
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

type unobserved struct{}

func (unobserved) CallbackSent(string, time.Duration) {}
