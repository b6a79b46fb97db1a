package npm

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/backstage/functions/internal/outcome"
)

// cache keeps tarballs in a directory, each under its SHA-512. What it returns has been read and checked, so a file
// that a crash has cut off is fetched again. Several servers may share a directory.
type cache struct {
	dir  string
	size int64 // the most bytes

	mu      sync.Mutex     // guards the fields below
	pins    map[string]int // by SHA-512: how many use the file
	used    int64          // bytes, as far as this server knows
	counted time.Time      // when used was counted
}

// errFull means that nothing more can be kept until what is in use no longer is.
var errFull = errors.New("everything that is kept is in use")

const (
	suffix    = ".tgz"
	temporary = "new-"
	// recently is how long other servers leave a file that one of them has used.
	recently = time.Minute
	// abandoned is the age of temporary files that no server writes any more.
	abandoned = time.Hour
	// recount is how long the count of bytes is good for, which other servers change too.
	recount = time.Minute
)

// openCache makes the directory, if it is not there, and removes what crashed servers have left.
func openCache(dir string, size int64) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := &cache{dir: dir, size: size, pins: map[string]int{}}
	old, err := filepath.Glob(filepath.Join(dir, temporary+"*"))
	if err != nil {
		return nil, err
	}
	for _, path := range old {
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(path) // it is tried again at the next start
		}
	}
	return c, nil
}

func (c *cache) path(sum string) string { return filepath.Join(c.dir, sum+suffix) }

// pin keeps the file of sum until unpin, whether it is there already or comes later.
func (c *cache) pin(sum string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pins[sum]++
}

func (c *cache) unpin(sum string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pins[sum]--; c.pins[sum] <= 0 {
		delete(c.pins, sum)
	}
}

// find returns the size of the file of sum, which the caller has pinned. It is not found if it is not there, is larger
// than most, or is damaged, which removes it.
func (c *cache) find(sum string, most int64) (size int64, found bool) {
	now := time.Now()
	if os.Chtimes(c.path(sum), now, now) != nil {
		return 0, false
	}
	file, err := os.Open(c.path(sum))
	if err != nil {
		return 0, false
	}
	defer file.Close()
	hash := sha512.New()
	size, err = io.Copy(hash, io.LimitReader(file, most+1))
	if err != nil {
		return 0, false
	}
	if size > most {
		return size, true // the caller refuses it
	}
	if hex.EncodeToString(hash.Sum(nil)) != sum {
		_ = os.Remove(c.path(sum)) // if it stays, the new one takes its place
		return 0, false
	}
	return size, true
}

// put keeps what body holds as the file of sum, which the caller has pinned. Spend is told of the bytes as they come,
// and its error ends the copy.
func (c *cache) put(ctx context.Context, sum string, body io.Reader, spend func(int) error) error {
	file, err := os.CreateTemp(c.dir, temporary)
	if err != nil {
		return &diskError{err}
	}
	defer os.Remove(file.Name()) // it has another name by then, if all went well
	defer file.Close()
	hash := sha512.New()
	size, err := io.Copy(io.MultiWriter(spender(spend), hash, diskWriter{file}), body)
	if err != nil {
		return err
	}
	if hex.EncodeToString(hash.Sum(nil)) != sum {
		return errSum
	}
	if err := c.makeRoom(ctx, size); err != nil {
		return err
	}
	if err := errors.Join(file.Close(), os.Rename(file.Name(), c.path(sum))); err != nil {
		return &diskError{err}
	}
	return nil
}

// spender passes the count of bytes on before they are written.
type spender func(int) error

func (s spender) Write(p []byte) (int, error) { return len(p), s(len(p)) }

// diskError is an error of the directory, and not of the registry.
type diskError struct{ cause error }

func (e *diskError) Error() string { return fmt.Sprintf("packages cannot be kept: %v", e.cause) }
func (e *diskError) Unwrap() error { return e.cause }

// Outcome implements outcome.Teller.
func (e *diskError) Outcome() outcome.Outcome {
	return outcome.Outcome{
		Status: http.StatusServiceUnavailable, Reason: reasonRegistry, Retry: true, Hidden: true,
		Message: "Packages cannot be kept: the disk of DATA_DIR is full, or the server may not write there",
	}
}

// diskWriter tells errors of the disk from those of what is read.
type diskWriter struct{ file *os.File }

func (w diskWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	if err != nil {
		return n, &diskError{err}
	}
	return n, nil
}

// sumOf is the SHA-512 in the name of a file of the cache; empty for another file.
func sumOf(name string) string {
	sum, ok := strings.CutSuffix(name, suffix)
	if !ok || len(sum) != 2*sha512Bytes {
		return ""
	}
	return sum
}
