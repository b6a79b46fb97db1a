package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/migration"
	"github.com/backstage/functions/sandbox"
)

// MigrationOptions are the options of CheckMigration.
type MigrationOptions struct {
	// Environ are the variables of the environment, as os.Environ has them.
	Environ []string
	// Out gets the findings, Progress a line from time to time.
	Out, Progress io.Writer
	// JSON prints them as one JSON object.
	JSON bool
	// NoDNS looks up no names.
	NoDNS bool
}

// CheckMigration lists what differs when this server instead of Backstage Functions serves the functions in the
// configured Redis, or, of those in the embedded store, when Backstage Functions does. It returns the number of
// findings and changes nothing.
func CheckMigration(ctx context.Context, o MigrationOptions) (findings int, err error) {
	cfg, node, err := configure(ctx, loader(o.Environ))
	if err != nil {
		return 0, err
	}
	if err := node.addInstalled(ctx, cfg); err != nil {
		return 0, err
	}
	said := new(collector)
	logLibraries(slog.New(said))
	source, stop, err := migrationSource(ctx, cfg, slog.New(said))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	cfg.Warnings = append(cfg.Warnings, said.messages...)
	m := &migrationCheck{
		cfg: cfg, node: node, report: migration.NewReport(o.Out, o.JSON), options: o,
		compilers: map[string]*migration.Node{},
	}
	defer m.close()
	return m.run(ctx, source)
}

// migrationCheck is the state of one CheckMigration.
type migrationCheck struct {
	cfg       *config.Config
	node      *nodeInstall
	report    *migration.Report
	options   MigrationOptions
	compilers map[string]*migration.Node
}

func (m *migrationCheck) run(ctx context.Context, source migration.Source) (int, error) {
	for _, runtime := range m.node.runtimes {
		script := filepath.Join(filepath.Dir(m.node.runner), "compile.js")
		m.compilers[runtime.Name] = &migration.Node{Binary: runtime.Node, Script: script}
	}
	if err := m.server(ctx); err != nil {
		return 0, err
	}
	check := &migration.Check{
		Source: source, Compiler: m, Modules: m.cfg.Modules, Limits: storeLimits(m.cfg), Found: m.report.Add,
		Seen: m.progress, Reach: m.reach(),
		SentryDSN: string(m.cfg.SentryDSN), TimeZone: m.cfg.TimeZone, IsZone: config.IsZone,
	}
	for _, runtime := range m.node.runtimes {
		check.Runtimes = append(check.Runtimes, runtime.Name)
	}
	functions, err := check.Run(ctx)
	if err != nil {
		return 0, err
	}
	return m.report.Total(), m.report.End(functions)
}

func (m *migrationCheck) close() {
	for _, c := range m.compilers {
		c.Close()
	}
}

// server lists findings about the configuration.
func (m *migrationCheck) server(ctx context.Context) error {
	tell := func(kind migration.Kind, text string) error {
		return m.report.Add(migration.Finding{Kind: kind, Text: text})
	}
	reasons := map[string]string{}
	for _, v := range config.UnusedVariables() {
		reasons[v.Name] = v.Reason
	}
	for _, name := range m.cfg.Ignored {
		if err := tell(migration.Variables, strings.TrimSpace(name+" is set but has no effect. "+reasons[name])); err != nil {
			return err
		}
	}
	for _, text := range reachFindings(m.cfg) {
		if err := tell(migration.Variables, text); err != nil {
			return err
		}
	}
	for _, warning := range m.cfg.Warnings {
		if err := tell(migration.Variables, warning); err != nil {
			return err
		}
	}
	return m.modules(ctx, tell)
}

// modules lists modules that runtimes do not have. One that no runtime has stops the start.
func (m *migrationCheck) modules(ctx context.Context, tell func(migration.Kind, string) error) error {
	for _, module := range m.cfg.Modules {
		var texts []string
		for _, runtime := range m.node.runtimes {
			fault, err := m.compilers[runtime.Name].Missing(ctx, module, m.node.paths()...)
			if err != nil {
				return err
			}
			if fault != "" {
				texts = append(texts, fmt.Sprintf("DEFAULT_GLOBAL_MODULES lists %s, which %s does not have (%s)", module,
					runtime.Name, fault))
			}
		}
		then := ": " + m.node.install(sandbox.Runtime{}, packageOf(module)) + "; or take it out of the list"
		if len(texts) == len(m.node.runtimes) {
			then = ", which ends the start" + then
		}
		for _, text := range texts {
			if err := tell(migration.Modules, text+then); err != nil {
				return err
			}
		}
	}
	return nil
}

// Compile implements migration.Compiler.
func (m *migrationCheck) Compile(
	ctx context.Context, runtime, filename, code, stored string,
) (fault string, behind migration.Behind, err error) {
	return m.compilers[runtime].Compile(ctx, filename, code, stored)
}

// progressEvery is the number of functions between two lines of progress.
const progressEvery = 1000

func (m *migrationCheck) progress(functions int) {
	if functions%progressEvery == 0 {
		// Progress may be lost.
		_, _ = fmt.Fprintf(m.options.Progress, "%d functions looked at, %d things found\n", functions, m.report.Total())
	}
}
