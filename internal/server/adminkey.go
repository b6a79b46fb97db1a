package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/smallfile"
)

// adminName is what the key of the administrator is called.
const adminName = "administrator"

// maxKeyFile is the most bytes that are read of its file.
const maxKeyFile = 1 << 10

// adminKey reads the key of the administrator from path. If there is no such file, it makes a key and the file, which
// only the server's user can read.
func adminKey(path string, log *slog.Logger) (key identity.Key, made bool, err error) {
	text, err := readKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		token := NewAdminKey()
		made, err = true, writeKeyFile(path, token)
		if errors.Is(err, fs.ErrExist) { // another server was faster
			made = false
			text, err = readKeyFile(path)
		} else {
			text = token
		}
	}
	if err != nil {
		return key, false, err
	}
	key, ok := identity.Of(strings.TrimSpace(text), adminName, identity.Admin)
	if !ok {
		return key, false, fmt.Errorf("%s has no key: name another file; or, if this one was to have it, delete it, and a "+
			"new one is made at the next start", path)
	}
	warnOfReaders(path, log)
	return key, made, nil
}

// warnOfReaders is for a file that is known to have a key: the mode of any other is right as it is.
func warnOfReaders(path string, log *slog.Logger) {
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		log.Warn("Other users of this machine may read the administrator's key: run chmod 600 on its file", "file", path)
	}
}

// checkKeyFolder returns an error if the folder of ADMIN_KEY_FILE is missing, unless it is the default one, which is
// made: in the folder of a mistyped path a second key would be made.
func checkKeyFolder(cfg *config.Config) error {
	folder := filepath.Dir(cfg.AdminKeyFile)
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) || cfg.AdminKeyIsDefault() {
		return nil
	}
	return fmt.Errorf("%s is not there, so neither is a key in it: name another file, or make that folder to have a new "+
		"key made in it", folder)
}

// NewAdminKey returns the text of a key that no server knows yet, for ADMIN_KEY_FILE.
func NewAdminKey() string {
	_, token := identity.New(identity.Key{})
	return token
}

func readKeyFile(path string) (string, error) {
	text, err := smallfile.Read(path, maxKeyFile)
	if errors.Is(err, smallfile.ErrTooLarge) {
		return "", nil // it holds something else
	}
	return string(text), err
}

// writeKeyFile makes the file with all of its text at once, or returns an error that is fs.ErrExist.
func writeKeyFile(path, token string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".key-*") // which has mode 600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = io.WriteString(file, token+"\n")
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Link(file.Name(), path)
}
