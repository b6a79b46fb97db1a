package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/backstage/functions/internal/deploy"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox/rawjson"
)

// noBuilder refuses functions of files, and shared modules.
type noBuilder struct{}

// CheckModule implements Builder.
func (noBuilder) CheckModule(context.Context, *function.Module) (deploy.Built, error) {
	return deploy.Built{}, outcome.BadRequest("This server builds no files, so there are no shared modules")
}

// Build implements Builder.
func (noBuilder) Build(_ context.Context, f *function.Function) (deploy.Built, error) {
	if f.Source != nil {
		return deploy.Built{}, outcome.BadRequest("This server builds no files: send code")
	}
	return deploy.Built{}, nil
}

// getFiles serves one of the files that a function was deployed with, or the list of them.
func (s *server) getFiles(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	path, err := filePathOf(r)
	if err != nil {
		return err
	}
	if path == "" {
		return s.listFiles(w, r, ref)
	}
	source, err := s.Store.Source(r.Context(), ref)
	if errors.Is(err, function.ErrNotFound) {
		return outcome.NotFound("File not found")
	}
	if err != nil {
		return fmt.Errorf("get source of %s: %w", ref, err)
	}
	return sendFile(w, r, source, path)
}

// filePathOf is the path of a file that the end of the path of r names; empty for none.
func filePathOf(r *http.Request) (string, error) {
	rest := varOf(r, "rest")
	path, err := url.PathUnescape(strings.TrimPrefix(rest, "/"))
	if err != nil {
		return "", outcome.BadRequest("Failed to decode param '" + rest + "'")
	}
	return path, nil
}

// sendFile answers with a file of source.
func sendFile(w http.ResponseWriter, r *http.Request, source *function.Source, path string) error {
	content, ok := source.Files[path]
	if !ok {
		return outcome.NotFound("File not found")
	}
	w.Header().Set(headerType, contentTypeBytes) // whatever it is, no browser is to run it
	w.Header().Set("X-Content-Type-Options", "nosniff")
	send(w, r, http.StatusOK, content)
	return nil
}

// listFiles serves the list of the files of a function.
func (s *server) listFiles(w http.ResponseWriter, r *http.Request, ref function.Ref) error {
	f, err := s.Store.Get(r.Context(), ref)
	if errors.Is(err, function.ErrNotFound) {
		return outcome.NotFound("Code not found")
	}
	if err != nil {
		return fmt.Errorf("get function %s: %w", ref, err)
	}
	o := rawjson.NewObject(nil)
	var files []function.File
	if f.OfFiles() {
		files = f.Artefact.Files
		o.String(memberEntry, f.Artefact.Entry)
	}
	o.Raw(memberFiles, filesJSON(files))
	sendJSON(w, r, http.StatusOK, o.End())
	return nil
}
