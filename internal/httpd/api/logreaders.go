package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
)

const (
	// DefaultMaxLogReaders is how many requests may read the output of functions at the same time.
	DefaultMaxLogReaders = 32
	// maxLogText bounds the texts of the lines of one answer, in bytes: the last line may go beyond it.
	maxLogText = 1 << 20
)

var errReaders = tooManyRequests("Too many requests read the output of functions")

// sendLogs answers with the lines that are asked for. It holds them until the caller has taken them, so there are
// places for those who read, which are shared as those of followers are.
func (s *server) sendLogs(w http.ResponseWriter, r *http.Request, ref function.Ref, asked logsRequest) error {
	ctx, leave, err := s.readers.join(r.Context(), s.Owner(ref.Namespace), s.Client(r))
	if err != nil {
		return errReaders
	}
	defer leave()
	lines, err := s.readLogs(ctx, ref, asked)
	if errors.Is(context.Cause(ctx), errOutnumbered) {
		return errReaders
	}
	if err != nil {
		return err
	}
	w.Header().Set(headerType, contentTypeLines)
	w.Header().Set(headerCache, "no-store")
	control := http.NewResponseController(w)
	defer context.AfterFunc(ctx, func() { _ = control.SetWriteDeadline(time.Unix(1, 0)) })() // ends a write that waits
	err = s.rendering.sendLines(w, r.WithContext(ctx), lines)
	if errors.Is(err, errOutnumbered) {
		return errReaders
	}
	return err
}
