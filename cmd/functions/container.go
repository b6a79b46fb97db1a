package main

import (
	"os"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/sandbox"
)

// needsGroups says whether this process serves with limits on workers. Errors of the configuration are left to serve.
func needsGroups() bool {
	if !isServer(os.Args) {
		return false
	}
	cfg, err := config.Load(os.LookupEnv, os.Environ())
	return err == nil && cfg.Isolation != sandbox.IsolationNone
}
