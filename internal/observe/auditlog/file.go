package auditlog

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// File is a file that lines are appended to. Another program may move it away: Reopen makes a new one then. It is safe
// for concurrent use.
type File struct {
	path string

	mu   sync.Mutex // guards the fields below
	file *os.File
	torn bool // the last line is there in part
}

// OpenFile opens the file, and makes it, for the server's user alone, if it is missing.
func OpenFile(path string) (*File, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	return &File{path: path, file: file}, nil
}

func openFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Write appends a line.
func (f *File) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.torn { // it is not to become a part of this one
		line = append([]byte{'\n'}, line...)
	}
	n, err := f.file.Write(line)
	if n > 0 {
		f.torn = n < len(line)
	}
	return n, err
}

// Reopen goes on with the file that has its name now. After an error the file before is still in use.
func (f *File) Reopen() error {
	file, err := openFile(f.path)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.file
	f.file, f.torn = file, false
	return old.Close()
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Close()
}
