package redis

import (
	"context"

	"github.com/backstage/functions/internal/function"
)

// encodeTexts returns the code of f as it stands in Redis, and the fields and values of its artefact and source.
func encodeTexts(f *function.Function, source function.Packed) (code string, pairs []any, err error) {
	build, err := f.BuildRecord()
	if err != nil || build == nil {
		return storedCode(f.Code), nil, err
	}
	code, artefact := f.Texts()
	if !f.OfFiles() {
		code = storedCode(code)
		pairs = append(pairs, "artefact", artefact)
	}
	pairs = append(pairs, "build", build)
	for name, packed := range map[string][]byte{"source": source.Files, "map": source.Map} {
		if len(packed) > 0 {
			pairs = append(pairs, name, packed)
		}
	}
	return code, pairs, nil
}

// packedSource is the most bytes that a source and a source map may have as they stand in Redis.
func (s *Store) packedSource() int64 { return 2 * s.limits.Source() }

// Source returns what the artefact of a function was built from, or function.ErrNotFound.
func (s *Store) Source(ctx context.Context, ref function.Ref) (*function.Source, error) {
	source, err := s.source(ctx, ref)
	return source, at("source of "+ref.String(), err)
}

func (s *Store) source(ctx context.Context, ref function.Ref) (source *function.Source, err error) {
	err = s.readPlace(ctx, ref, func(key, mark string) (found bool, err error) {
		values, err := s.fieldsOf(ctx, key, sourceFields, s.packedSource())
		if err != nil {
			return false, err
		}
		f := decodeFunction(ref, values)
		switch {
		case f == nil, field(values, len(functionFields)) != mark:
			return false, nil
		case f.Artefact == nil:
			return false, function.ErrNotFound
		}
		at := len(markedFields)
		packed := function.Packed{Files: []byte(field(values, at)), Map: []byte(field(values, at+1))}
		source, err = packed.Unpack(f.Artefact, s.limits.Source())
		return true, err
	})
	return source, err
}
