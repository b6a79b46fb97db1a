package runtimes

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxBinary is the most bytes of a binary, and maxUnpacked those of all that is in a package.
const (
	maxBinary   = 512 << 20
	maxUnpacked = 1 << 30
)

// wanted are the files of a package that are kept, and what they may do.
var wanted = map[string]os.FileMode{"bin/node": 0o755, "LICENSE": 0o644}

var errNoBinary = errors.New("there is no bin/node in it")

// unpack writes the wanted files of a tarball below dir, and nothing else of it.
func unpack(ctx context.Context, tarball, dir string) error {
	file, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	archive := tar.NewReader(io.LimitReader(plain, maxUnpacked))
	found := false
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) && !found {
			return errNoBinary
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name, err := filepath.Rel("package", filepath.Clean(header.Name))
		mode, keep := wanted[name]
		if err != nil || !keep || header.Typeflag != tar.TypeReg {
			continue
		}
		if header.Size > maxBinary {
			return fmt.Errorf("%s is larger than %d MB", name, maxBinary>>20)
		}
		if err := writeFile(filepath.Join(dir, name), archive, mode); err != nil {
			return err
		}
		found = found || name == "bin/node"
	}
}

// writeFile makes a file that is on the disk when it returns.
func writeFile(path string, from io.Reader, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
}
