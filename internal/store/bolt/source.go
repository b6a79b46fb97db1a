package bolt

import (
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
)

// sourceRecord is the document of what an artefact was built from. It stands apart from the function's record, which is
// read far more often.
type sourceRecord struct {
	// Of is the hash of the artefact.
	Of    string `json:"of"`
	Files []byte `json:"files,omitempty"`
	Map   []byte `json:"map,omitempty"`
}

// encodeSource returns nil for a function without an artefact.
func encodeSource(f *function.Function) ([]byte, error) {
	if f.Artefact == nil {
		return nil, nil
	}
	packed, err := f.Source.Pack()
	if err != nil {
		return nil, err
	}
	return json.Marshal(sourceRecord{f.Artefact.Hash, packed.Files, packed.Map})
}

// saveSource writes the record of a source, or removes what an earlier deploy left.
func saveSource(tx *bbolt.Tx, ref function.Ref, text []byte) error {
	if text == nil {
		return erase(tx, sourcesBucket, ref)
	}
	return save(tx, sourcesBucket, ref, text)
}

// Source returns what the artefact of a function was built from, or function.ErrNotFound.
func (s *Store) Source(ctx context.Context, ref function.Ref) (source *function.Source, err error) {
	err = s.read(ctx, "source of "+ref.String(), ref.Namespace, func(tx *bbolt.Tx, most int) error {
		text, err := s.record(tx, ref)
		if err != nil {
			return err
		}
		b := tx.Bucket(sourcesBucket).Bucket(namespaceKey(ref.Namespace))
		if b == nil {
			return function.ErrNotFound
		}
		record := b.Get([]byte(ref.ID))
		switch {
		case record == nil:
			return function.ErrNotFound
		case len(text)+len(record) > most:
			return errLarge
		}
		source, err = s.decodeSource(ref, text, record)
		return err
	})
	return source, err
}

// decodeSource reads the source in record, of the function in text.
func (s *Store) decodeSource(ref function.Ref, text, record []byte) (*function.Source, error) {
	f, err := decodeFunction(ref, text)
	if err != nil {
		return nil, err
	}
	var r sourceRecord
	switch err := json.Unmarshal(record, &r); {
	case f.Artefact == nil, err == nil && r.Of != f.Artefact.Hash: // an older server has written the function
		return nil, function.ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("%w: %w", function.ErrDamagedSource, err)
	}
	return function.Packed{Files: r.Files, Map: r.Map}.Unpack(f.Artefact, s.Limits.Source())
}
