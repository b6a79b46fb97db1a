// Package rollback tells whether this kernel can put a worker back to a snapshot after each of its calls: promises.go
// lists what that rests on, each with the version of Linux that made the promise and a test by effect. Anything but
// Linux on x86-64 is ErrUnsupported.
package rollback
