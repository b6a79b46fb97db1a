package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/backstage/functions/internal/build"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// CheckModule builds a shared module for the newest runtime, with those that it names, to learn whether functions can
// import it. Its errors are those of Build.
func (d *Deployer) CheckModule(ctx context.Context, m *function.Module) (Built, error) {
	start := time.Now()
	warnings, err := d.checkModule(ctx, m)
	return Built{Took: time.Since(start), Warnings: details(warnings)}, err
}

func (d *Deployer) checkModule(ctx context.Context, m *function.Module) ([]build.Message, error) {
	others, err := d.shared(ctx, m.Namespace, m.Source.Files, m.Name)
	if err != nil {
		return nil, err
	}
	modules, release, err := d.inputOf(ctx, append(others, m))
	if err != nil {
		return nil, err
	}
	defer release()
	runtime := sandbox.Newest(d.Runtimes())
	caller := fmt.Sprintf("exports.main = () => require(%q)", m)
	out, err := d.Builder.Build(ctx, build.Input{
		Owner: d.Owner(m.Namespace),
		Files: map[string][]byte{function.ModuleFile: []byte(caller)}, Entry: function.ModuleFile, Modules: modules,
		Target: build.Target{Runtime: runtime.Name, Node: runtime.Version}, External: d.External(runtime.Name),
	})
	if fault, ok := errors.AsType[*build.Error](err); ok {
		inside(folder(m.String()), fault.Messages)
	}
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", m, explain(err))
	}
	inside(folder(m.String()), out.Warnings)
	return out.Warnings, nil
}

// inside names the files of messages as they are called in folder.
func inside(folder string, messages []build.Message) {
	for i := range messages {
		messages[i].File = strings.TrimPrefix(messages[i].File, folder)
	}
}
