package api

import (
	"net/http"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/qs"
)

// stepsOf reads the list of "namespace/id" called steps. More than 21 of them fit only as "steps[]=…", since qs makes an
// object of larger numbers.
func stepsOf(values *qs.Value) ([]function.Ref, error) {
	list, ok := values.Get("steps")
	if !ok || list.Kind() == qs.Text && list.Text() == "" || list.Kind() == qs.List && len(list.List()) == 0 {
		return nil, &problem{http.StatusBadRequest, "Pass step by querystring is required"}
	}
	if list.Kind() != qs.List {
		return nil, &problem{http.StatusBadRequest, "Pass steps as a list, such as steps[0]=namespace/id or steps[]=namespace/id"}
	}
	steps := make([]function.Ref, len(list.List()))
	for i, item := range list.List() {
		if item.Kind() != qs.Text {
			return nil, &problem{http.StatusBadRequest, "Each step must be a text such as namespace/id"}
		}
		steps[i] = stepOf(item.Text())
	}
	return steps, nil
}

// stepOf splits a step at its slashes and drops what follows the second one. A step without any names the function
// "undefined", which is what JavaScript made of it and what the answer's text shows.
func stepOf(text string) function.Ref {
	namespace, rest, ok := strings.Cut(text, "/")
	if !ok {
		rest = "undefined"
	}
	id, _, _ := strings.Cut(rest, "/")
	return function.Ref{Namespace: namespace, ID: id}
}
