// Package build makes what workers run from what authors deploy: one CommonJS text with a source map, from files,
// packages and shared modules. Each build is a child process of its own behind the layers of isolation of workers.
package build

import (
	"context"

	"github.com/backstage/functions/internal/build/bundle"
)

// Builder builds. It is safe for concurrent use.
type Builder interface {
	// Build waits for a place among the builds under way, then builds. Its errors are *Error for a fault in the author's
	// files, ErrTooLarge, ErrTimeout, ErrBusy, the cause of ctx, and others for faults of the server.
	Build(ctx context.Context, in Input) (Output, error)
}

// Input is what one build is made of. Build reads it only.
type Input struct {
	// Owner is whose share of the builds it uses.
	Owner string
	// Files are the author's, by paths with "/" that are relative and have no "..". The caller has checked names, count
	// and sizes.
	Files map[string][]byte
	// Entry is the path of the file that has the handler. Empty stands for the one that package.json names, or else the
	// first there is of index.ts, .tsx, .mts, .cts, .js, .mjs, .cjs and .jsx.
	Entry string
	// Target is what the result is to run on.
	Target Target
	// Packages are those of the lock file.
	Packages []Package
	// Modules are the shared modules that the files may import as "@namespace/name".
	Modules []Module
	// External are the modules of the runtime that functions may require; those of Node.js itself need not be in it.
	External []string
}

// Package is an npm package from a lock file.
type Package struct {
	// Path is where it is installed, such as "node_modules/a/node_modules/@b/c".
	Path string
	// Name and Version are the package's own, for messages.
	Name, Version string
	// Tarball is the path of its file on this machine, a gzipped tar. Its content has been checked against Integrity, the
	// lock file's.
	Tarball   string
	Integrity string
}

// Module is a shared module of a namespace.
type Module struct {
	// Name is how it is imported: "@namespace/name".
	Name string
	// Files and Entry are as those of Input.
	Files map[string][]byte
	Entry string
	// Packages are those of its own lock file.
	Packages []Package
}

// Target is what the result of a build is to run on.
type Target = bundle.Target

// Output is the result of a build.
type Output struct {
	// Code is a CommonJS text that sets module.exports to the handler, or to an object with main. It has no comment that
	// names a source map.
	Code []byte
	// Map is its source map, in JSON, version 3. Its sources are paths of Input.Files, or begin with "node_modules/".
	Map []byte
	// Warnings are what the author should look at; there are few at most.
	Warnings []Message
	// Web says that the handler is an object with fetch, which takes a Request and returns a Response.
	Web bool
}

// Message points at what is wrong in a file, or may be.
type Message = bundle.Message
