// Package stacktrace says where in an author's files an error came from, when what ran was an artefact that was built
// of those files. It reads the source map of the build. A stored map is not trusted, since others may write to the
// store: its size is bounded before it is read, and a place that it does not have stays as it was.
package stacktrace
