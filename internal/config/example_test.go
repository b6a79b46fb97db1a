package config_test

import (
	"fmt"

	"github.com/backstage/functions/internal/config"
)

func ExampleLoad() {
	variables := map[string]string{"POOL_SIZE": "4"}
	cfg, err := config.Load(func(name string) (string, bool) {
		text, ok := variables[name]
		return text, ok
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cfg.PoolSize, cfg.SyncTimeout)
	// Output: 4 100ms
}

func ExampleIsZone() {
	fmt.Println(config.IsZone("America/Sao_Paulo"), config.IsZone("Brazil/Nowhere"))
	// Output: true false
}

func ExampleWithoutEffect() {
	fmt.Println(len(config.WithoutEffect([]string{"PATH=/bin"})))
	// Output: 0
}
