// Package smallfile reads files that an operator names: certificates, keys, settings. Nothing in their place can block
// a start or take memory without an end.
package smallfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/backstage/functions/internal/bytesize"
)

// ErrTooLarge is the error of a file with more bytes than allowed.
var ErrTooLarge = errors.New("is larger than")

// Read returns what is in the regular file at path, or at the end of symbolic links from there, of at most limit bytes.
// Anything else, such as a pipe or a device, is an error, and is not waited for. Its errors name the path.
func Read(path string, limit int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe without a writer is opened, too
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, fmt.Errorf("%s %w %s", path, ErrTooLarge, bytesize.Text(limit))
	}
	return text, err
}
