//go:build !linux

package server

// onTerminal is unknown here.
func onTerminal() bool { return false }
