//go:build !linux

package server

// onTerminal is not known here.
func onTerminal() bool { return false }
