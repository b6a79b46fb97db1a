package bolt

import (
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Revision returns the revision of a function, or function.ErrNotFound. It reads as little of the record as it can.
func (s *Store) Revision(ctx context.Context, ref function.Ref) (revision string, err error) {
	err = s.view(ctx, "revision of "+ref.String(), func(tx *bbolt.Tx) error {
		text, err := s.record(tx, ref)
		if err != nil {
			return err
		}
		revision, err = revisionIn(ref, text)
		return err
	})
	return revision, err
}

// revisionIn is what Function.Revision says of the function with the record text. Records that older versions of this
// server wrote begin with the code: it is skipped, not decoded.
func revisionIn(ref function.Ref, text []byte) (string, error) {
	var f function.Function
	for name, value := range rawjson.Members(text) {
		field := &f.Hash
		switch string(name) {
		case `"versionID"`:
			field = &f.VersionID
		case `"hash"`:
		default:
			continue
		}
		if err := json.Unmarshal(value, field); err != nil {
			return "", fmt.Errorf("record of %s: %w", ref, err)
		}
		if f.VersionID != "" {
			return f.VersionID, nil
		}
	}
	whole, err := decodeFunction(ref, text) // which finds a fault where there is one
	if err != nil {
		return "", err
	}
	return whole.Revision(), nil
}
