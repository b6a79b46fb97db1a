package sandbox

import "time"

// There is room for mostFallbacks functions of all groups together. One group may have as many as are free for others
// afterwards: alone it has half of the room, the next one a quarter, and so on, and who has none may have what is left.
// So a group with many functions takes nothing from others. What is said of a function that is served as it asks for
// makes room when some is needed.

// sweepEvery is how often those of one group, or all, are looked through for such.
const sweepEvery = time.Second

// fallbackGroup is what is known of functions of a group.
type fallbackGroup struct {
	of    map[string]*fallback
	swept time.Time
}

// roomLocked says whether another function of a group may be noted.
func (f *fallbacks) roomLocked(name string) bool {
	if f.fitsLocked(name) {
		return true
	}
	now := time.Now()
	if group := f.groups[name]; group != nil && now.Sub(group.swept) >= sweepEvery {
		group.swept = now
		f.sweepLocked(group.of, now)
	}
	if len(f.of) >= mostFallbacks && now.Sub(f.swept) >= sweepEvery {
		f.swept = now
		f.sweepLocked(f.of, now)
	}
	return f.fitsLocked(name)
}

func (f *fallbacks) fitsLocked(name string) bool {
	free := mostFallbacks - len(f.of)
	group := f.groups[name]
	if group == nil {
		return free > 0
	}
	return len(group.of)+1 < free
}

// sweepLocked forgets those that are not served otherwise at the moment.
func (f *fallbacks) sweepLocked(all map[string]*fallback, now time.Time) {
	for key, known := range all {
		if !now.Before(known.Until) {
			f.dropLocked(key)
		}
	}
}

func (f *fallbacks) addLocked(key string, known *fallback) {
	group := f.groups[known.group]
	if group == nil {
		group = &fallbackGroup{of: map[string]*fallback{}}
		f.groups[known.group] = group
	}
	f.of[key], group.of[key] = known, known
	f.known.Store(int64(len(f.of)))
}

// dropLocked forgets one that is known.
func (f *fallbacks) dropLocked(key string) {
	name := f.of[key].group
	delete(f.of, key)
	delete(f.groups[name].of, key)
	if len(f.groups[name].of) == 0 {
		delete(f.groups, name)
	}
	f.known.Store(int64(len(f.of)))
}
