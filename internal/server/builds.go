package server

import (
	"context"
	"crypto/x509"
	"fmt"
	"path/filepath"

	"github.com/backstage/functions/internal/build"
	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/deploy"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/npm"
	"github.com/backstage/functions/sandbox"
)

// openBuilds starts what builds functions of files. Where the host gives builds less than the isolation that is asked
// for, functions of code are served nevertheless.
func (s *server) openBuilds(context.Context) (stop func() error, err error) {
	packages, err := npm.New(npmOptions(s.cfg, s.trusted))
	if err != nil {
		return nil, err
	}
	builds, stop := s.newBuilds()
	s.deploys = deploy.New(deploy.Options{
		Builder: builds, Packages: packages, External: s.modulesOf,
		Modules: s.store, Limit: s.cfg.CodeLimit,
		Owner:    func(namespace string) string { return function.Owner(namespace, s.cfg.OwnerSeparator) },
		Runtimes: func() []sandbox.Runtime { return s.pool.Runtimes() }, // the workers start later
	})
	return stop, nil
}

// newBuilds makes a pool of builds, or what refuses all.
func (s *server) newBuilds() (builds build.Builder, stop func() error) {
	cfg := build.DefaultConfig()
	cfg.Isolation, cfg.Concurrency, cfg.MaxCode = s.cfg.Isolation, s.cfg.BuildConcurrency, int(s.cfg.CodeLimit)
	cfg.Memory, cfg.Observer = s.cfg.BuildMemory, s.measures.Built
	pool, err := build.New(cfg)
	if err != nil {
		s.log().Warn("Functions of files cannot be deployed on this server", "error", err)
		return noBuilds{err}, nil
	}
	return pool, pool.Close
}

// noBuilds refuses all builds.
type noBuilds struct{ cause error }

// Build implements build.Builder.
func (b noBuilds) Build(context.Context, build.Input) (build.Output, error) {
	return build.Output{}, fmt.Errorf("no builds on this server: %w", b.cause)
}

// modulesOf are the modules that functions of a runtime may require.
func (s *server) modulesOf(runtime string) []string {
	for _, rt := range s.pool.Runtimes() {
		if rt.Name == runtime && rt.Modules != nil {
			return rt.Modules
		}
	}
	return s.cfg.Modules
}

// npmOptions are those of the packages of functions.
func npmOptions(cfg *config.Config, trusted authorities) npm.Options {
	o := npm.Options{
		Registry: string(cfg.Packages.Registry), Token: string(cfg.Packages.Token), TokenFile: cfg.Packages.TokenFile,
		Proxy: cfg.Proxy(), Dir: filepath.Join(cfg.DataDir, "npm"),
		CacheSize: cfg.Packages.CacheSize, LockSize: cfg.Packages.Limit, Timeout: cfg.Packages.Timeout,
	}
	if trusted.extra == "" {
		return o
	}
	roots, err := x509.SystemCertPool()
	if err != nil { // a system without any
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM([]byte(trusted.extra))
	o.Roots = roots
	return o
}
