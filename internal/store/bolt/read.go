package bolt

import (
	"context"
	"errors"
	"fmt"
	"math"

	"go.etcd.io/bbolt"
)

// A read of a large record, or of a long list, is work without a pause, and calls need the processors too. So
//
//   - what is small is read at once;
//   - what is large waits for a token of Store.Reading;
//   - those who read large records of one namespace wait among themselves, and one of them for the token.

// smallRead is what is read without a token, in bytes.
const smallRead = 64 << 10

// errLarge is that of a read which has found more to read than it may.
var errLarge = errors.New("the read needs a token")

// read runs what in a read transaction, as view does. What returns errLarge as soon as it knows that it would read
// more than most bytes; then it runs again, with a token and without that limit.
func (s *Store) read(ctx context.Context, operation, namespace string, what func(tx *bbolt.Tx, most int) error) error {
	err := s.view(ctx, operation, func(tx *bbolt.Tx) error { return what(tx, smallRead) })
	if !errors.Is(err, errLarge) {
		return err
	}
	leave, err := s.readers.Acquire(ctx, namespace)
	if err != nil {
		return fmt.Errorf("embedded store: %s: %w", operation, err)
	}
	defer leave()
	release, err := s.Reading.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("embedded store: %s: %w", operation, err)
	}
	defer release()
	return s.view(ctx, operation, func(tx *bbolt.Tx) error { return what(tx, math.MaxInt) })
}
