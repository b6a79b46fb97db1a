package server

import (
	"testing"

	"github.com/backstage/functions/internal/config"
)

// plan is a configuration that wants as many workers as there may be, unless it is given.
func plan(t *testing.T, environ map[string]string) *config.Config {
	t.Helper()
	cfg, err := config.Load(func(name string) (string, bool) { value, ok := environ[name]; return value, ok }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestWorkersAreAsManyAsDescriptorsAndTasksAllow(t *testing.T) {
	others, runPort := descriptorsOfOthers(plan(t, nil), 0), map[string]string{"RUN_PORT": "0"}
	for name, row := range map[string]struct {
		environ     map[string]string
		descriptors int
		tasks       int64
		want        int
	}{
		"what connections leave":     {nil, 10_000 + others + 5*150, 0, 150},
		"a third where that is none": {nil, 3 * 5 * 140, 0, 140},
		"what connections of two ports leave": {
			runPort, 20_000 + descriptorsOfOthers(plan(t, runPort), 0) + 5*150, 0, 150,
		},
		"half of the tasks":           {nil, 1 << 30, 10 * 60, 60},
		"as many as may compute":      {map[string]string{"POOL_ACTIVE": "7", "POOL_PREWARMED": "1"}, 100, 10, 7},
		"any number of connections":   {map[string]string{"MAX_CONNECTIONS": "0"}, 3 * 5 * 200, 0, 200},
		"as many as the operator set": {map[string]string{"POOL_SIZE": "300"}, 100, 10, 300},
	} {
		cfg := plan(t, row.environ)
		if fitPool(cfg, row.descriptors, row.tasks); cfg.PoolSize != row.want {
			t.Errorf("%s: %d workers, want %d", name, cfg.PoolSize, row.want)
		}
	}
}
