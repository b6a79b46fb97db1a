package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/migration"
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
	given := len(node.runtimes)
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
		cfg: cfg, node: node, given: given, report: migration.NewReport(o.Out, o.JSON), options: o,
		compilers: map[string]*migration.Node{},
	}
	defer m.close()
	return m.run(ctx, source)
}

// migrationCheck is the state of one CheckMigration.
type migrationCheck struct {
	cfg  *config.Config
	node *nodeInstall
	// given is how many of the runtimes a start needs; the others are installed ones.
	given     int
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
	for i, runtime := range m.node.runtimes {
		check.Runtimes = append(check.Runtimes, runtime.Name)
		if check.Original == "" && strings.HasPrefix(strings.TrimPrefix(m.node.versions[i], "v"), "8.") {
			check.Original = runtime.Name
		}
	}
	functions, err := check.Run(ctx)
	if err != nil {
		return 0, err
	}
	if check.Original == "" {
		m.report.Note("No Node.js 8 is among the runtimes: syntax that is too new for Backstage Functions is not looked for.")
	}
	if functions == 0 {
		m.report.Note("There is no function: if there should be some, name where they are (REDIS_ENDPOINT, and " +
			"REDIS_KEY_PREFIX, which is " + strconv.Quote(m.cfg.RedisKeyPrefix) + "; DATA_DIR without a Redis).")
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
	for _, text := range append(reachFindings(m.cfg), zoneFindings(m.cfg)...) {
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

// zoneFindings are about the variable of all functions that had no effect on dates in Backstage Functions.
func zoneFindings(cfg *config.Config) []string {
	name, _ := cfg.ExposeEnv.Get("TZ")
	if name == "" || name == cfg.TimeZone || !config.IsZone(name) {
		return nil
	}
	return []string{fmt.Sprintf("EXPOSE_ENV_TZ sets the time zone of functions here: dates are in %s, there in that of "+
		"the server", name)}
}

// Compile implements migration.Compiler.
func (m *migrationCheck) Compile(ctx context.Context, runtime, filename, code string) (fault string, err error) {
	return m.compilers[runtime].Compile(ctx, filename, code)
}

// Behind implements migration.Compiler.
func (m *migrationCheck) Behind(ctx context.Context, runtime, filename, stored string) (
	reason migration.Behind, detail string, err error,
) {
	return m.compilers[runtime].Behind(ctx, filename, stored)
}

// progressEvery is the number of functions between two lines of progress.
const progressEvery = 1000

func (m *migrationCheck) progress(functions int) {
	if functions%progressEvery == 0 {
		// Progress may be lost.
		_, _ = fmt.Fprintf(m.options.Progress, "%d functions looked at, %d things found\n", functions, m.report.Total())
	}
}
