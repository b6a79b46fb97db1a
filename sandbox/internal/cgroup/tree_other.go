//go:build !linux

package cgroup

// New reports ErrUnsupported: cgroups are Linux's.
func New(string) (Tree, error) { return nil, ErrUnsupported }

// NewBeside reports ErrUnsupported: cgroups are Linux's.
func NewBeside(string) (Tree, error) { return nil, ErrUnsupported }
