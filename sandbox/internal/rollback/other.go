//go:build !linux || !amd64

package rollback

import (
	"context"
	"fmt"
)

// Probe returns ErrUnsupported: the stub is written for Linux on x86-64.
func Probe() error { return fmt.Errorf("%w: it needs Linux on x86-64", ErrUnsupported) }

// Handover cannot be made here.
type Handover struct{}

// NewHandover returns ErrUnsupported.
func NewHandover() (*Handover, error) { return nil, Probe() }

// Descriptors are none.
func (*Handover) Descriptors() []int { return nil }

// Sent does nothing.
func (*Handover) Sent() error { return nil }

// Close does nothing.
func (*Handover) Close() error { return nil }

// Take returns ErrUnsupported.
func (*Handover) Take(context.Context, int, *Store) (*Worker, error) { return nil, Probe() }

// Store keeps nothing here.
type Store struct{}

// Pages is 0.
func (*Store) Pages() int { return 0 }

// Worker is never one that can be rolled back here.
type Worker struct{}

// Parks says that the worker is in no stub.
func (*Worker) Parks() bool { return false }

// Soon says that nothing is known.
func (*Worker) Soon() bool { return false }

// AwaitPark returns ErrUnsupported.
func (*Worker) AwaitPark(context.Context) error { return Probe() }

// Release returns ErrUnsupported.
func (*Worker) Release() error { return Probe() }

// Snapshot returns ErrUnsupported.
func (*Worker) Snapshot() error { return Probe() }

// Rollback returns ErrUnsupported.
func (*Worker) Rollback(context.Context) error { return Probe() }

// Compare returns ErrUnsupported.
func (*Worker) Compare(context.Context) error { return Probe() }

// Close does nothing.
func (*Worker) Close() error { return nil }
