package redis

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// maxAllBytes bounds the fields and records of a hash that is read whole.
const maxAllBytes = 64 << 20

// oneRecord returns a field of a hash; nil if it is not there. It returns an error when it is too long.
func (s *Store) oneRecord(ctx context.Context, hash, field string) ([]byte, error) {
	var found *redis.Cmd
	if err := read(ctx, s.client, func(p redis.Pipeliner) {
		found = readHash(ctx, p, hash, maxAllBytes, []string{field})
	}); err != nil {
		return nil, err
	}
	switch values := found.Val().(type) {
	case int64:
		return nil, fmt.Errorf("the field %.100q of the hash %s has %d bytes, of which the server reads %d: delete it",
			field, hash, values, maxAllBytes)
	case []any:
		if len(values) == 1 && values[0] != nil {
			return []byte(fmt.Sprint(values[0])), nil
		}
	}
	return nil, nil
}

// eachRecord calls use for each record of a hash, in no order, with its name: the field without the prefix, which all
// fields of records have. It returns an error when they are too long together.
func (s *Store) eachRecord(ctx context.Context, hash, prefix string, use func(name string, record []byte)) error {
	var found *redis.Cmd
	err := read(ctx, s.client, func(p redis.Pipeliner) {
		found = p.Eval(ctx, readAllSource, []string{hash}, prefix, maxAllBytes)
	})
	if err != nil {
		return err
	}
	values, ok := found.Val().([]any)
	if !ok {
		return fmt.Errorf("the hash %s is larger than the %d bytes that the server reads: delete what is in it",
			hash, maxAllBytes)
	}
	for i := 0; i+1 < len(values); i += 2 {
		use(fmt.Sprint(values[i]), []byte(fmt.Sprint(values[i+1])))
	}
	return nil
}
