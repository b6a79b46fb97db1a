package secrets

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/backstage/functions/internal/function"
)

// directory is SECRETS_DIR, whose files NAMESPACE/NAME and NAMESPACE/ID/NAME are secrets; empty for none. Their names
// may be links, as those of Kubernetes are.
type directory string

// path is the directory of a scope; false for one that no file can be for.
func (d directory) path(scope function.SecretScope) (string, bool) {
	if d == "" || !isPart(scope.Namespace) || scope.ID != "" && !isPart(scope.ID) {
		return "", false
	}
	return filepath.Join(string(d), scope.Namespace, scope.ID), true
}

// isPart says whether name can be that of a directory in another one. Those that begin with a dot are of programs that
// write secrets.
func isPart(name string) bool {
	return name != "" && name[0] != '.' && len(name) <= 255 && !strings.ContainsAny(name, "/\x00")
}

// read returns the value of a file; false if there is none.
func (d directory) read(ref function.SecretRef) (value string, ok bool, err error) {
	dir, ok := d.path(ref.SecretScope)
	if !ok {
		return "", false, nil
	}
	// Without O_NONBLOCK a named pipe would be waited for.
	file, err := os.OpenFile(filepath.Join(dir, ref.Name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if isMissing(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", false, err
	}
	if info.IsDir() { // of a function with that ID
		return "", false, nil
	}
	if !info.Mode().IsRegular() {
		return "", false, errors.New("it is not a regular file")
	}
	text, err := io.ReadAll(io.LimitReader(file, function.MaxSecretBytes+3))
	if err != nil {
		return "", false, err
	}
	// Editors and echo end a file with a line break that is no part of its value.
	value = strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if fault := ValueFault(value); fault != "" {
		return "", false, errors.New("it" + fault)
	}
	return value, true, nil
}

func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// list returns the names of the files of a scope with the times of their last change.
func (d directory) list(scope function.SecretScope) (map[string]time.Time, error) {
	dir, ok := d.path(scope)
	if !ok {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("SECRETS_DIR: %w", err)
	}
	found := map[string]time.Time{}
	for _, entry := range entries {
		if function.SecretNameFault(entry.Name()) != "" {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, entry.Name())); err == nil && info.Mode().IsRegular() {
			found[entry.Name()] = info.ModTime()
		}
	}
	return found, nil
}

// ValueFault is the end of a sentence about the value of a secret; empty when nothing is wrong with it.
func ValueFault(value string) string {
	switch {
	case value == "":
		return " is empty"
	case len(value) > function.MaxSecretBytes:
		return fmt.Sprintf(" has more than %d bytes", function.MaxSecretBytes)
	case !utf8.ValidString(value):
		return " is not UTF-8: encode bytes, such as with base64"
	case strings.Contains(value, "\x00"):
		return " has a byte 0"
	}
	return ""
}
