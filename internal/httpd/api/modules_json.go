package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// sendModule answers with a module: its code, or the list of its files.
func (s *server) sendModule(
	w http.ResponseWriter, r *http.Request, m *function.Module, warnings json.RawMessage,
) error {
	var answer []byte
	if r.Method != http.MethodHead {
		var err error
		size := len(m.Source.Files) * fileBytes
		if m.OfCode {
			size = int(m.Bytes)
		}
		answer, err = s.rendering.render(r.Context(), size, func() []byte { return moduleJSON(m, warnings) })
		if err != nil {
			return fmt.Errorf("answer with the module %s: %w", m, err)
		}
	}
	w.Header()[headerETag] = []string{m.Hash}
	sendSchema(w, r, "modules/item", answer)
	return nil
}

func moduleJSON(m *function.Module, warnings json.RawMessage) []byte {
	o := rawjson.NewObject(nil)
	o.String("name", m.Name)
	o.String("namespace", m.Namespace)
	if m.OfCode {
		o.String("code", string(m.Source.Files[function.ModuleFile]))
	} else {
		if m.Source.Entry != "" {
			o.String(memberEntry, m.Source.Entry)
		}
		o.Raw(memberFiles, filesJSON(m.Source.List()))
	}
	o.String("hash", m.Hash)
	o.String("updated", m.Updated)
	if warnings != nil {
		o.Raw("warnings", warnings)
	}
	return o.End()
}

// modulesJSON lists modules without their files.
func modulesJSON(all []function.Module) []byte {
	items := itemsJSON(all, func(m function.Module) []byte {
		o := rawjson.NewObject(nil)
		o.String("name", m.Name)
		o.Int("files", int64(m.Files))
		o.Int("size", m.Bytes)
		o.String("hash", m.Hash)
		o.String("updated", m.Updated)
		return o.End()
	})
	o := rawjson.NewObject(nil)
	o.Raw("items", items)
	return o.End()
}

// appendUser adds f to a list of the functions that have the module of ref in what they run, if it has. Current is what
// is stored of the module now, nil for nothing.
func appendUser(list []byte, f *function.Function, ref function.ModuleRef, current *function.Module) []byte {
	if f.Artefact == nil {
		return list
	}
	for _, m := range f.Artefact.Modules {
		if m.Name != ref.String() {
			continue
		}
		if len(list) > 1 {
			list = append(list, ',')
		}
		o := rawjson.NewObject(nil)
		o.String("id", f.ID)
		o.String("hash", m.Hash)
		o.Raw("current", strconv.AppendBool(nil, current != nil && current.Hash == m.Hash))
		return append(list, o.End()...)
	}
	return list
}
