package stacktrace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/backstage/functions/internal/cpulimit"
	"github.com/backstage/functions/internal/function"
)

// Bounds of the maps in memory, and of the wait for one.
const (
	cacheBytes = 64 << 20
	// patience is how long an error or a line of output waits for a map that is not in memory. Then it stays as it is.
	patience = time.Second
	// again is how long a map that could not be read, or that had no room, is not read again: errors come often.
	again = 10 * time.Second
	// maxTried is how many functions this is remembered of.
	maxTried = 4096
)

var errNoMap = errors.New("stacktrace: the store has no source map of what runs")

// Sources reads what functions were built from.
type Sources interface {
	Source(ctx context.Context, ref function.Ref) (*function.Source, error)
}

// Options configure Stacks. Sources is required.
type Options struct {
	Sources Sources
	// CPU bounds how many maps are read at a time; nil sets no bound.
	CPU cpulimit.Limiter
	// Logger is told of maps that cannot be read.
	Logger *slog.Logger
}

// Stacks keeps the source maps of functions that fail. It is safe for concurrent use.
type Stacks struct {
	Options
	cache *cache
	loads singleflight.Group
}

// New returns Stacks that have read nothing yet.
func New(o Options) *Stacks {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Stacks{Options: o, cache: newCache(cacheBytes)}
}

// mapOf is the map of f; nil when there is none, or none in time.
func (s *Stacks) mapOf(f *function.Function) *Map {
	if f.Source != nil && f.Hash == "" { // it is not stored yet
		m, _ := s.parse(f.Source)
		return m
	}
	key := keyOf(f)
	if m, known := s.cache.get(key, time.Now()); known {
		return m
	}
	loaded, _, _ := s.loads.Do(key, func() (any, error) {
		m, err := s.read(f)
		if err != nil && !errors.Is(err, errNoMap) && !errors.Is(err, function.ErrNotFound) {
			s.Logger.Warn("Cannot show errors of a function in its author's lines",
				slog.String("function", f.Ref.String()), slog.String("error", err.Error()))
		}
		s.cache.put(key, m, time.Now())
		return m, nil
	})
	m, _ := loaded.(*Map)
	return m
}

// read reads the map of f, from the store if f does not bring it.
func (s *Stacks) read(f *function.Function) (*Map, error) {
	if f.Source != nil { // it was built anew, and its map is not in the store
		return s.parse(f.Source)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience) // the call may be over
	defer cancel()
	source, err := s.Sources.Source(ctx, f.Ref)
	if err != nil {
		return nil, fmt.Errorf("stacktrace: read the source: %w", err)
	}
	if source == nil || source.Map == nil || source.Artefact != f.Artefact.Hash { // another deploy has come
		return nil, errNoMap
	}
	return s.parse(source)
}

// parse reads the map of source when a processor is free for it. Builds leave texts out of maps: they are the files.
func (s *Stacks) parse(source *function.Source) (*Map, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	release, err := s.CPU.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("stacktrace: wait for a processor: %w", err)
	}
	defer release()
	m, err := Parse(source.Map)
	if err != nil {
		return nil, err
	}
	return m.withTexts(source.Files, cacheBytes), nil
}

// keyOf names the map of f: the same artefact may come from different files.
func keyOf(f *function.Function) string {
	return f.Namespace + "\x00" + f.ID + "\x00" + f.Hash + "\x00" + f.Artefact.Hash
}
