package api

import (
	"fmt"
	"net/http"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

func (s *server) setEnv(w http.ResponseWriter, r *http.Request) error {
	ref, name, err := envOf(r)
	if err != nil {
		return err
	}
	text, ignored, err := s.readStorable(r, false, rawjson.IsString)
	if err != nil {
		return err
	}
	if !rawjson.IsString(text) {
		faults := []string{"instance" + notString}
		if ignored != "" {
			faults = append(faults, ignored)
		}
		sendInvalid(w, r, faults)
		return nil
	}
	if err := s.Store.SetEnv(r.Context(), ref, name, rawjson.Unquote(text)); err != nil {
		return fmt.Errorf("set variable %q of %s: %w", name, ref, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

func (s *server) unsetEnv(w http.ResponseWriter, r *http.Request) error {
	ref, name, err := envOf(r)
	if err != nil {
		return err
	}
	if err := s.Store.UnsetEnv(r.Context(), ref, name); err != nil {
		return fmt.Errorf("unset variable %q of %s: %w", name, ref, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// envOf is the function and the variable that the path names.
func envOf(r *http.Request) (function.Ref, string, error) {
	ref, err := refOf(r)
	if err != nil {
		return ref, "", err
	}
	name, err := nameOf(r, "env")
	return ref, name, err
}
