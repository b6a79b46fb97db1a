package api

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox/rawjson"
)

//go:embed schemas
var schemaFiles embed.FS

// schemas holds each schema by its name, split at the links that get the origin of the request.
var schemas = mustLoadSchemas()

// getSchema serves the schema that the rest of the path names.
func (s *server) getSchema(w http.ResponseWriter, r *http.Request) error {
	name, err := url.PathUnescape(strings.TrimPrefix(varOf(r, "rest"), "/"))
	if err != nil {
		return outcome.BadRequest("Failed to decode param '" + varOf(r, "rest") + "'")
	}
	parts, ok := schemas[name]
	if !ok {
		return outcome.NotFound("Schema not found")
	}
	quoted := rawjson.AppendString(nil, origin(r))
	sendJSON(w, r, http.StatusOK, bytes.Join(parts, quoted[1:len(quoted)-1]))
	return nil
}

// mustLoadSchemas panics if an embedded file is broken; a test of any kind would find that out.
func mustLoadSchemas() map[string][][]byte {
	loaded := map[string][][]byte{}
	err := fs.WalkDir(schemaFiles, "schemas", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := schemaFiles.ReadFile(path)
		if err != nil {
			return err
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "schemas/"), ".json")
		loaded[name] = splitLinks(compact.Bytes())
		return nil
	})
	if err != nil {
		panic("api: schemas: " + err.Error())
	}
	return loaded
}

// splitLinks cuts text before every relative link; joined with an origin between them the parts are absolute.
func splitLinks(text []byte) [][]byte {
	var parts [][]byte
	for {
		at := -1
		for _, key := range []string{`"href":"`, `"$ref":"`} {
			if i := bytes.Index(text, []byte(key+"/")); i >= 0 && (at < 0 || i+len(key) < at) {
				at = i + len(key)
			}
		}
		if at < 0 {
			return append(parts, text)
		}
		parts, text = append(parts, text[:at]), text[at:]
	}
}
