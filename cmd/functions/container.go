package main

import (
	"os"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/sandbox"
)

// needsGroups says whether this process is to serve with limits on workers. What is wrong with the configuration is serve's to say.
func needsGroups() bool {
	if !isServer(os.Args) {
		return false
	}
	cfg, err := config.Load(os.LookupEnv, os.Environ())
	return err == nil && cfg.Isolation != sandbox.IsolationNone
}
