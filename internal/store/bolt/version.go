package bolt

import (
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Version returns the version of a function, or function.ErrNotFound. It reads as little of the record as it can.
func (s *Store) Version(ctx context.Context, ref function.Ref) (version string, err error) {
	err = s.view(ctx, "version of "+ref.String(), func(tx *bbolt.Tx) error {
		text, err := s.record(tx, ref)
		if err != nil {
			return err
		}
		version, err = versionIn(ref, text)
		return err
	})
	return version, err
}

// versionIn is what Function.Version says of the function whose record text is. Records that older versions of this server wrote begin with the
// code: it is passed over, but not decoded.
func versionIn(ref function.Ref, text []byte) (string, error) {
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
	return whole.Version(), nil
}
