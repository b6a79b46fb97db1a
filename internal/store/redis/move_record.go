package redis

import (
	"context"
	"fmt"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// moveOthers moves the owners of the record at the shared place of a function, which has precedence, to their own
// places.
func (s *Store) moveOthers(ctx context.Context, sp *spot) error {
	shared := s.keys.shared(sp.ref)
	if sp.owner == (function.Ref{}) {
		return fmt.Errorf(
			"%w: %q may be of several functions: rename the key or delete it", function.ErrUnavailable, shared.key,
		)
	}
	for _, r := range append([]function.Ref{sp.owner}, sp.others...) {
		met, err := s.collisions(ctx, r)
		if err != nil {
			return err
		}
		if err := s.copyAside(ctx, sp, r); err != nil {
			return err
		}
		if len(met) > 0 {
			continue // it has the same member
		}
		if err := s.delist(ctx, s.keys.shared(r).member); err != nil {
			return err
		}
	}
	return s.dropAt(ctx, shared.key, sp.taken, "")
}

// copyAside copies the record at the shared place to the own place of r, unless the record there is newer.
func (s *Store) copyAside(ctx context.Context, sp *spot, r function.Ref) error {
	at, err := s.locate(ctx, r)
	if err != nil || at.own.there && at.own.updated >= sp.taken.updated {
		return err
	}
	return s.copyTo(ctx, r, s.keys.shared(r), sp.taken, s.keys.own(r), at.own)
}

// copyTo copies a function from one of its places to another, over a known content, unless somebody has written
// either of them meanwhile. It lists the function at the new place before it writes there.
func (s *Store) copyTo(ctx context.Context, ref function.Ref, from place, seen content, to place, over content) error {
	fields, mark, err := s.fieldsAt(ctx, from.key)
	if err != nil {
		return fmt.Errorf("move %s: %w", ref, err)
	}
	if len(fields) == 0 || valueOf(fields, "versionID") != seen.versionID || valueOf(fields, "hash") != seen.hash ||
		mark != seen.mark {
		return nil // somebody was faster: the caller locates it again
	}
	if err := s.enlist(ctx, to.member); err != nil {
		return err
	}
	args := append([]any{over.versionID, over.hash, ownerField, over.mark}, fields...)
	if mark := s.keys.markAt(ref, to.key); mark != "" {
		args = append(args, ownerField, mark)
	}
	_, err = s.run(ctx, copyScript, []string{to.key}, args...)
	return err
}

// drop deletes the content that was seen at a place, unless somebody has written it meanwhile.
func (s *Store) drop(ctx context.Context, from place, seen content) error {
	if err := s.dropAt(ctx, from.key, seen, ""); err != nil {
		return err
	}
	return s.delist(ctx, from.member)
}

func (s *Store) dropAt(ctx context.Context, key string, seen content, notice string) error {
	_, err := s.run(ctx, dropFunctionScript, []string{key},
		seen.versionID, seen.hash, ownerField, seen.mark, s.keys.changes(), notice)
	return err
}

// fieldsAt reads the fields of a function and their values, and its mark.
func (s *Store) fieldsAt(ctx context.Context, key string) (pairs []any, mark string, err error) {
	values, err := s.fieldsOf(ctx, key, sourceFields, s.packedSource())
	if err != nil {
		return nil, "", err
	}
	names := slices.Concat(markedFields, sourceFields)
	for i, value := range values[:min(len(values), len(names))] {
		if text, ok := value.(string); ok && names[i] != ownerField {
			pairs = append(pairs, names[i], text)
		}
	}
	return pairs, field(values, len(functionFields)), nil
}

// valueOf is the value of a field in a list of fields and values.
func valueOf(pairs []any, name string) string {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == name {
			text, _ := pairs[i+1].(string)
			return text
		}
	}
	return ""
}
