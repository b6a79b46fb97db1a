package runtimes

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
)

// maxTarball is the most bytes of a tarball: those of today have about 50 MB.
const maxTarball = 256 << 20

// ErrHash means that the registry has sent something else than what was pinned.
var ErrHash = errors.New("what the registry has sent does not have the hash that this program knows")

// RegistryError means that the registry did not deliver a package.
type RegistryError struct {
	Package, Version string
	Cause            error
}

func (e *RegistryError) Error() string {
	return fmt.Sprintf("the registry did not deliver %s %s: %v", e.Package, e.Version, e.Cause)
}

// Unwrap returns the cause.
func (e *RegistryError) Unwrap() error { return e.Cause }

// fetch writes the tarball of pin to path. Nothing reads it before its hash is right.
func fetch(ctx context.Context, path string, pin Pin, source Source, progress func(done, all int64)) error {
	body, size, err := source(ctx, pin.Package, pin.Version)
	if err != nil {
		return &RegistryError{pin.Package, pin.Version, err}
	}
	defer body.Close()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha512.New()
	counted := &counter{sum: sum, all: size, told: progress}
	read, err := io.Copy(io.MultiWriter(file, counted), io.LimitReader(body, maxTarball+1))
	closed := file.Close()
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	disk, isDisk := errors.AsType[*fs.PathError](errors.Join(err, closed))
	switch {
	case isDisk:
		return disk
	case err != nil:
		return &RegistryError{pin.Package, pin.Version, err}
	case read > maxTarball:
		return &RegistryError{pin.Package, pin.Version, fmt.Errorf("it is larger than %d MB", maxTarball>>20)}
	case pin.Integrity != "sha512-"+base64.StdEncoding.EncodeToString(sum.Sum(nil)):
		return fmt.Errorf("%w: %s %s is to have %s; nothing of it was used", ErrHash, pin.Package, pin.Version,
			pin.Integrity)
	}
	return nil
}

// counter sums up what is written to it and tells how much that is.
type counter struct {
	sum       hash.Hash
	done, all int64
	told      func(done, all int64)
}

func (c *counter) Write(p []byte) (int, error) {
	c.done += int64(len(p))
	c.told(c.done, c.all)
	return c.sum.Write(p)
}
