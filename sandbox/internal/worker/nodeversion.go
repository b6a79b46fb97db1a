package worker

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// nodeVersions are the answers of the binaries that were asked, by path.
var nodeVersions sync.Map

// nodeVersion is what a binary says.
type nodeVersion struct {
	version string
	major   int
}

var versionForm = regexp.MustCompile(`^v(\d+)\.\d+\.\d+`)

// NodeVersion asks a binary for its version, such as v8.17.0, once in the life of this process.
func NodeVersion(ctx context.Context, binary string) (version string, major int, err error) {
	if known, ok := nodeVersions.Load(binary); ok {
		v := known.(nodeVersion)
		return v.version, v.major, nil
	}
	out, err := ask(ctx, binary, "--version")
	version, _, _ = strings.Cut(string(out), "\n")
	match := versionForm.FindStringSubmatch(version)
	if err != nil || match == nil {
		//nolint:errorlint // there may be none
		return "", 0, fmt.Errorf("%s does not run as Node.js: its --version says %q (%v)", binary, version, err)
	}
	if major, err = strconv.Atoi(match[1]); err != nil {
		return "", 0, err
	}
	nodeVersions.Store(binary, nodeVersion{version, major})
	return version, major, nil
}

// ask runs a Node.js binary as workers do, without the server's environment: NODE_OPTIONS may hold what it refuses.
func ask(ctx context.Context, binary string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = []string{}
	return cmd.Output()
}
