// Package upload reads the files of a deploy: from a JSON object, or from a tar archive that is compressed by gzip.
package upload

import (
	"fmt"
	"net/http"

	"github.com/backstage/functions/internal/bytesize"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/outcome"
)

// TooLarge is the error of an upload of more than limit bytes.
func TooLarge(limit int64) error {
	return outcome.New(outcome.Outcome{
		Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf(
			"the files have more than %s, which is CODE_LIMIT of this server: leave out what the function does not need",
			bytesize.Text(limit),
		),
		Fault: outcome.FaultCaller,
	})
}

// budget counts the bytes of files.
type budget struct {
	left, limit int64
	grow        func(int) bool // nil asks nobody
}

// spend returns TooLarge when there are too many, and body.ErrNoRoom when there is no memory for them.
func (b *budget) spend(bytes int64) error {
	if b.left -= bytes; b.left < 0 {
		return TooLarge(b.limit)
	}
	if b.grow != nil && !b.grow(int(bytes)) {
		return body.ErrNoRoom
	}
	return nil
}
