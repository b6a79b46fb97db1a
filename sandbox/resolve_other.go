//go:build !linux

package sandbox

import (
	"context"
	"fmt"
	"runtime"
)

func (c Config) resolvedRuntime(context.Context, Runtime) (Runtime, error) {
	return Runtime{}, fmt.Errorf("%w: workers need Linux, this is %s", ErrUnsupported, runtime.GOOS)
}

func (c Config) resolved(context.Context) (Config, error) {
	return c, fmt.Errorf("%w: workers need Linux, this is %s", ErrUnsupported, runtime.GOOS)
}
