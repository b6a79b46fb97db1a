//go:build !linux

package migration

import "syscall"

func ofThread(*syscall.SysProcAttr) {}
