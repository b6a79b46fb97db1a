package rollback

import "errors"

// ErrUnsupported means that workers cannot be rolled back here. Errors that wrap it say why.
var ErrUnsupported = errors.New("rollback: not supported here")
