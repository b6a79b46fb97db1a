// Package backup serves copies of a running server's store over a Unix socket beside it, since bbolt lets no other
// process open the file. Only the server's own user and root may connect: a copy holds all code and all secrets.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// socketName is the socket's in the directory of the store.
const socketName = "backup.sock"

// maxPath is the longest path that fits the address of a socket on every system (unix(7)).
const maxPath = 100

// Source makes a copy of a store, complete and as of one moment. The caller closes it. It must be safe for concurrent
// use.
type Source interface {
	Copy(ctx context.Context) (io.ReadCloser, int64, error)
}

// Serve answers Fetch with copies of source until close is called. The store in dir must be this process's: a socket
// that an earlier server left is replaced.
func Serve(dir string, source Source, log *slog.Logger) (stop func() error, err error) {
	path, release, err := socketPath(dir)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	defer release()
	if err := removeSocket(path); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	// Where it lies when it is closed may have no such name any more.
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("backup: %w", err), listener.Close())
	}
	server := &http.Server{
		Handler:           handler{source, log},
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(trusted{listener}) })
	return func() error {
		err := server.Close()
		serving.Wait()
		return errors.Join(err, removeSocket(filepath.Join(dir, socketName)))
	}, nil
}

type handler struct {
	source Source
	log    *slog.Logger
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, size, err := h.source.Copy(r.Context())
	if err != nil {
		h.log.ErrorContext(r.Context(), "A backup could not be made", "error", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	if _, err := io.CopyN(w, file, size); err != nil {
		h.log.WarnContext(r.Context(), "A backup was not read to its end", "error", err)
		return
	}
	h.log.InfoContext(r.Context(), "A backup was made", "bytes", size)
}

// ErrNoServer says that no server answers for the store.
var ErrNoServer = errors.New("no server answers")

// Fetch writes to w a copy of the store in dir, made by the server that has it open. It returns ErrNoServer if there is
// none. After any other error the copy is not complete.
func Fetch(ctx context.Context, dir string, w io.Writer) (err error) {
	path, release, err := socketPath(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	defer release()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoServer, err)
		}
		return conn, nil
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://backup/", http.NoBody)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10)) // what there is of it
		return fmt.Errorf("the server says: %s", text)
	}
	_, err = io.Copy(w, response.Body) // an answer that is too short is an error
	return err
}

// socketPath is the path of the socket. A path that is too long is replaced by one through /proc, until release is
// called.
func socketPath(dir string) (path string, release func(), err error) {
	if path = filepath.Join(dir, socketName); len(path) <= maxPath {
		return path, func() {}, nil
	}
	opened, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	release = func() { _ = opened.Close() } // read only
	return fmt.Sprintf("/proc/self/fd/%d/%s", opened.Fd(), socketName), release, nil
}

// removeSocket removes the socket, if there is one, and nothing else.
func removeSocket(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != os.ModeSocket:
		return fmt.Errorf("%s is in the way: it is no socket", path)
	}
	return os.Remove(path)
}
