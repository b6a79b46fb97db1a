package runtimes

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// Pin is a version of Node.js and the package of npm that holds its binary for one kind of machine.
type Pin struct {
	// Name is what functions ask for, such as node24; Version is such as 24.21.0.
	Name, Version string
	// Arch is the kind of machine, as Go calls it.
	Arch string
	// Package is the name of the package, of the same version. Integrity is the hash of its tarball, as npm writes it.
	Package, Integrity string
}

// Catalog is what can be installed, oldest first.
type Catalog []Pin

// Pinned is what this program knows for this machine.
func Pinned() Catalog {
	var here Catalog
	for _, pin := range pinned {
		if pin.Arch == runtime.GOARCH {
			here = append(here, pin)
		}
	}
	return here
}

// ErrUnknown means that no version of that name can be installed here.
var ErrUnknown = errors.New("there is no such runtime")

// Find is the version of that name. The error is ErrUnknown, and says which names there are.
func (c Catalog) Find(name string) (Pin, error) {
	i := slices.IndexFunc(c, func(pin Pin) bool { return pin.Name == name })
	switch {
	case i >= 0:
		return c[i], nil
	case slices.ContainsFunc(pinned, func(pin Pin) bool { return pin.Name == name }):
		return Pin{}, fmt.Errorf("%w: npm has no %s for %s: name a binary of your own in RUNTIMES", ErrUnknown, name,
			runtime.GOARCH)
	}
	return Pin{}, fmt.Errorf("%w: %s is not among %s; RUNTIMES names binaries of your own", ErrUnknown, name,
		strings.Join(c.Names(), ", "))
}

// Names are the names in c.
func (c Catalog) Names() []string {
	var names []string
	for _, pin := range c {
		names = append(names, pin.Name)
	}
	return names
}
