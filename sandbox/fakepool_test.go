package sandbox

import "testing"

// fakeConfig is DefaultConfig for a pool of fakes with the given numbers, all of which one group may have.
func fakeConfig(size, prewarmed int) Config {
	cfg := DefaultConfig()
	cfg.Node, cfg.Runner = "node", "main.js"
	cfg.Size, cfg.Prewarmed, cfg.Reserve = size, prewarmed, 0
	return cfg
}

// fakePool starts a pool on starter; it must be called inside a synctest bubble, and checks at the end what always
// holds.
func fakePool(t *testing.T, cfg Config, starter *fakeStarter) *runtimePool {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	pool, err := newPool(t.Context(), cfg, starter, newBudget())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		starter.mu.Lock()
		defer starter.mu.Unlock()
		if len(starter.mixed) > 0 {
			t.Errorf("workers served more than one function: %v", starter.mixed)
		}
		if starter.most > cfg.Size {
			t.Errorf("%d processes lived at once, %d are allowed", starter.most, cfg.Size)
		}
		if starter.alive != 0 || !starter.closed {
			t.Errorf("after Close %d processes live, starter closed: %v", starter.alive, starter.closed)
		}
	})
	return pool
}

// invocation is one of key "group/name" that takes a while.
func invocation(key, takes string) *Invocation {
	group := key
	for i := range key {
		if key[i] == '/' {
			group = key[:i]
			break
		}
	}
	return &Invocation{ID: key, Key: key, Group: group, Code: takes}
}

// answered invokes inv, which must succeed, and returns how it got its worker; "" after an error.
func answered(t *testing.T, p *runtimePool, inv *Invocation) StartKind {
	t.Helper()
	result, err := p.Invoke(t.Context(), inv)
	if err != nil {
		t.Errorf("%s: %v", inv.Key, err)
		return ""
	}
	return result.Start
}
