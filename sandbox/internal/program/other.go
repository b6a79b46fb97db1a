//go:build !linux

package program

import (
	"context"
	"io"
)

// Runner runs nothing here.
type Runner struct{}

// New returns ErrUnsupported.
func New(Config) (*Runner, error) { return nil, ErrUnsupported }

// Run returns ErrUnsupported.
func (*Runner) Run(context.Context, io.Reader) (*Result, error) { return nil, ErrUnsupported }

// Close does nothing.
func (*Runner) Close() error { return nil }
