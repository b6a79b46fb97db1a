package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/outcome"
)

// putModule stores a shared module that can be built.
func (s *server) putModule(w http.ResponseWriter, r *http.Request) error {
	ref, err := moduleOf(r)
	if err != nil {
		return err
	}
	d, err := s.readDeployment(r)
	if err != nil {
		return err
	}
	m, faults := moduleFrom(ref, d)
	if len(faults) > 0 {
		sendInvalid(w, r, faults)
		return nil
	}
	built, err := s.Builder.CheckModule(r.Context(), m)
	if built.Took > 0 {
		w.Header()[headerTiming] = []string{string(appendDuration(nil, "build", built.Took))}
	}
	if err != nil {
		return fmt.Errorf("check module %s: %w", ref, err)
	}
	if err := s.Store.PutModule(r.Context(), m); err != nil {
		return fmt.Errorf("put module %s: %w", ref, err)
	}
	recordOf(r).Hash = m.Hash
	return s.sendModule(w, r, m, built.Warnings)
}

// moduleFrom is what a deploy brings as a module, and what is wrong with that.
func moduleFrom(ref function.ModuleRef, d deployment) (*function.Module, []string) {
	if len(d.faults) > 0 {
		return nil, d.faults
	}
	var faults []string
	if d.given.Env != nil {
		faults = append(faults, "instance.env is not for shared modules: it belongs to functions")
	}
	for option := range d.given.Options.Given() {
		faults = append(faults, fmt.Sprintf("instance.%s is not for shared modules: it belongs to functions", option.Name))
	}
	source, ofCode := d.given.Source, d.given.Source == nil
	if ofCode {
		source = &function.Source{
			Entry: function.ModuleFile, Files: map[string][]byte{function.ModuleFile: []byte(d.given.Code)},
		}
	}
	return function.NewModule(ref, source, ofCode), faults
}

func (s *server) getModule(w http.ResponseWriter, r *http.Request) error {
	ref, err := moduleOf(r)
	if err != nil {
		return err
	}
	m, err := s.Store.Module(r.Context(), ref)
	if err != nil {
		return fmt.Errorf("get module %s: %w", ref, err)
	}
	return s.sendModule(w, r, m, nil)
}

func (s *server) deleteModule(w http.ResponseWriter, r *http.Request) error {
	ref, err := moduleOf(r)
	if err != nil {
		return err
	}
	if err := s.Store.DeleteModule(r.Context(), ref); err != nil {
		return fmt.Errorf("delete module %s: %w", ref, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// getModuleFiles serves one of the files of a module.
func (s *server) getModuleFiles(w http.ResponseWriter, r *http.Request) error {
	ref, err := moduleOf(r)
	if err != nil {
		return err
	}
	path, err := filePathOf(r)
	if err != nil {
		return err
	}
	m, err := s.Store.Module(r.Context(), ref)
	if err != nil {
		return fmt.Errorf("get module %s: %w", ref, err)
	}
	return sendFile(w, r, m.Source, path)
}

// listModules answers with all modules of a namespace, in the order of their names.
func (s *server) listModules(w http.ResponseWriter, r *http.Request) error {
	namespace, err := nameOf(r, "namespace")
	if err != nil {
		return err
	}
	all, err := s.Store.Modules(r.Context(), namespace)
	if err != nil {
		return fmt.Errorf("list modules of %q: %w", namespace, err)
	}
	sendSchema(w, r, "modules/list", modulesJSON(all))
	return nil
}

// listModuleUsers answers with those functions of a page of the functions of the namespace that have the module in what
// they run. The hash of the module that is stored now may be another one, or there may be none any more.
func (s *server) listModuleUsers(w http.ResponseWriter, r *http.Request) error {
	ref, err := moduleOf(r)
	if err != nil {
		return err
	}
	q, err := listQuery(qs.Parse(r.URL.RawQuery))
	if err != nil {
		return err
	}
	if q.PerPage > maxUsersPerPage {
		return outcome.BadRequest(fmt.Sprintf("perPage must not be more than %d", maxUsersPerPage))
	}
	current, err := s.Store.Module(r.Context(), ref)
	if err != nil && !errors.Is(err, function.ErrModuleNotFound) && !errors.Is(err, function.ErrDamagedSource) {
		return fmt.Errorf("get module %s: %w", ref, err)
	}
	q.Namespace, q.ID = ref.Namespace, ""
	page, err := s.Store.List(r.Context(), q)
	if err != nil {
		return fmt.Errorf("list functions: %w", err)
	}
	users := []byte{'['}
	for _, name := range page.Items {
		f, err := s.Store.Get(r.Context(), name)
		switch {
		case errors.Is(err, function.ErrNotFound), errors.Is(err, function.ErrDamaged),
			errors.Is(err, function.ErrRecordTooLarge):
			continue
		case err != nil:
			return fmt.Errorf("get function %s: %w", name, err)
		}
		users = appendUser(users, f, ref, current)
	}
	sendSchema(w, r, "modules/functions", pageJSON(append(users, ']'), q, page.Total))
	return nil
}

// maxUsersPerPage is how many functions are read for one answer.
const maxUsersPerPage = 100

// moduleOf is the shared module that the path names.
func moduleOf(r *http.Request) (ref function.ModuleRef, err error) {
	if ref.Namespace, err = nameOf(r, "namespace"); err != nil {
		return ref, err
	}
	if ref.Name, err = nameOf(r, "module"); err != nil {
		return ref, err
	}
	if fault := ref.Fault(); fault != "" {
		return ref, outcome.BadRequest(
			fault + " cannot be a part of an import: it may have letters, digits, _ and -, dots not at first, up to 128",
		)
	}
	return ref, nil
}
