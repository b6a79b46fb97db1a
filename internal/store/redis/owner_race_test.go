package redis

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/testenv"
)

func TestWritersAtOnceNeverSeeEachOther(t *testing.T) {
	endpoint := "redis://" + testenv.Redis(t).Addr
	for seed := range uint64(8) {
		prefix := fmt.Sprint("s", seed, ".")
		s, other := openPrefix(t, endpoint, prefix), openPrefix(t, endpoint, prefix)
		var wg sync.WaitGroup
		for i, r := range relatives(rand.New(rand.NewPCG(seed, 1)), 6) {
			for j, store := range []*Store{s, other} {
				random := rand.New(rand.NewPCG(seed, uint64(2*i+j)))
				wg.Go(func() {
					for range 25 {
						if err := scramble(t, store, random, r); err != nil {
							t.Errorf("%q: %v", r, err)
						}
					}
				})
			}
		}
		wg.Wait()
	}
}

// scramble writes a function, and looks whether what is there has its name in code and variables.
func scramble(t *testing.T, s *Store, random *rand.Rand, r function.Ref) (err error) {
	name := fmt.Sprintf("// %q", r)
	switch random.IntN(4) {
	case 0, 1:
		_, err = s.Put(t.Context(), &function.Function{Ref: r, Code: name})
	case 2:
		err = s.SetEnv(t.Context(), r, "SECRET", name)
	case 3:
		err = s.Delete(t.Context(), r)
	}
	if err != nil && !errors.Is(err, function.ErrNotFound) && !errors.Is(err, function.ErrUnavailable) {
		return err
	}
	f, err := s.Get(t.Context(), r)
	if err != nil {
		if errors.Is(err, function.ErrNotFound) || errors.Is(err, function.ErrUnavailable) {
			return nil
		}
		return err
	}
	if secret, there := f.Env.Get("SECRET"); f.Code != name || there && secret != name {
		return fmt.Errorf("is %s with %s", f.Code, secret)
	}
	return nil
}
