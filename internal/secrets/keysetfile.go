package secrets

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// maxKeysetFile is the most bytes that are read of the file of a keyset, which has some hundred for each key.
const maxKeysetFile = 1 << 20

// ReadKeyset reads a keyset from its file. An error names the file and is fs.ErrNotExist if that is missing.
func ReadKeyset(path string, log *slog.Logger) (*Keyset, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeysetFile))
	if err != nil {
		return nil, err
	}
	k, err := ParseKeyset(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if info.Mode().Perm()&0o077 != 0 { // not before it is known to be a keyset: the mode of another file may be right
		log.Warn("Other users of this machine may read the keys of secrets: run chmod 600 on their file", "file", path)
	}
	return k, nil
}

// CreateKeyset makes a file with a new keyset, which only the user can read. It replaces no file: then its error is
// fs.ErrExist.
func CreateKeyset(path string) (*Keyset, error) {
	k, err := NewKeyset()
	if err != nil {
		return nil, err
	}
	return k, writeKeyset(path, k, os.Link)
}

// ReplaceKeyset puts k into the file in place of the keyset that is there. A reader finds the one or the other.
func ReplaceKeyset(path string, k *Keyset) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	return writeKeyset(target, k, func(from, to string) error {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 { // the server's user goes on reading it
			if err := os.Chown(from, int(owner.Uid), int(owner.Gid)); err != nil {
				return err
			}
		}
		if err := os.Chmod(from, info.Mode().Perm()); err != nil {
			return err
		}
		return os.Rename(from, to)
	})
}

// writeKeyset writes a new file, and has finish give it its name.
func writeKeyset(path string, k *Keyset, finish func(from, to string) error) error {
	text, err := k.Text()
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".keyset-*") // which has mode 600
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = finish(file.Name(), path)
	}
	if removed := os.Remove(file.Name()); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}
