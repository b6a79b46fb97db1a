package redis

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestVariablesThatAreNoStringsArePassedOn(t *testing.T) {
	s, raw := withRaw(t)
	ctx := t.Context()
	const text = `{"S":"1","N":2,"T":true,"F":false,"Z":null,"O":{"a":[1]}}`
	check(t, raw.HSet(ctx, "localcode:ns/id", "code", "c", "hash", "h", "env", text).Err())
	wantEnv := func(want string) {
		t.Helper()
		f, err := s.Get(ctx, ref)
		check(t, err)
		if got, err := f.Env.MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("read as %s, %v, want %s", got, err, want)
		}
		if stored := raw.HGet(ctx, "localcode:ns/id", "env").Val(); stored != want {
			t.Errorf("stored as %s, want %s", stored, want)
		}
	}
	wantEnv(text)
	if f := put(t, s, ref, "d", nil); f.Env.Len() != 6 {
		t.Errorf("a put left %v", f.Env.Vars())
	}
	wantEnv(text)
	check(t, s.SetEnv(ctx, ref, "N", "3"))
	check(t, s.UnsetEnv(ctx, ref, "Z"))
	wantEnv(`{"S":"1","N":"3","T":true,"F":false,"O":{"a":[1]}}`)
}

func TestOddVariablesAreToldOnce(t *testing.T) {
	s, raw := withRaw(t)
	var log syncBuffer
	s.log = slog.New(slog.NewTextHandler(&log, nil))
	wantTold := func(want ...string) {
		t.Helper()
		for range 3 {
			_, err := s.Get(t.Context(), ref)
			check(t, err)
		}
		var got []string
		for line := range strings.Lines(taken(&log)) {
			_, line, _ = strings.Cut(line, " function=")
			got = append(got, strings.TrimSpace(line))
		}
		if !slices.Equal(got, want) {
			t.Errorf("reported %q, want %q", got, want)
		}
	}
	set := func(env string) {
		t.Helper()
		check(t, raw.HSet(t.Context(), "localcode:ns/id", "code", "c", "env", env).Err())
	}
	set(`{"A":"1","N":2,"T":true}`)
	wantTold()
	set(`{"A":"1","N":2,"O":{"x":1},"L":[1],"Z":null}`)
	wantTold(`ns/id variables="[O L Z]"`)
	put(t, s, ref, "another", nil)
	wantTold()
	set(`[object Object]`)
	wantTold(`ns/id error="invalid character 'o' looking for beginning of value"`)
	set(`null`)
	wantTold()
	put(t, s, ref, "c", function.NewEnv(function.Var{Name: "A", Value: "1"}))
	wantTold()
	for i := range 3 * maxReported {
		s.envs.first(function.Ref{Namespace: "ns", ID: string(rune(i))}, "")
	}
	if len(s.envs.reported) > maxReported {
		t.Errorf("%d are remembered", len(s.envs.reported))
	}
}

// taken is what was logged since the last time.
func taken(b *syncBuffer) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.buffer.String()
	b.buffer.Reset()
	return text
}
