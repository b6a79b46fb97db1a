//go:build !linux

package cgroup

// New reports ErrUnsupported: control groups are Linux's.
func New(string) (Tree, error) { return nil, ErrUnsupported }
