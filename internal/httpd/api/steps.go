package api

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/outcome"
)

// stepsOf reads the list of "namespace/id" called steps, of at most so many. It says whether it was numbered beyond
// what qs takes for a list.
func stepsOf(values *qs.Value, most int) (steps []function.Ref, numbered bool, err error) {
	list, ok := values.Get("steps")
	if !ok || list.Kind() == qs.Text && list.Text() == "" || list.Kind() == qs.List && len(list.List()) == 0 {
		return nil, false, outcome.BadRequest("Pass step by querystring is required")
	}
	items := list.List()
	if list.Kind() != qs.List {
		if items, numbered = numberedSteps(list); !numbered {
			return nil, false, outcome.BadRequest(
				"Pass steps as a list, such as steps[0]=namespace/id or steps[]=namespace/id",
			)
		}
	}
	if len(items) > most {
		return nil, false, outcome.BadRequest(fmt.Sprintf("A pipeline has at most %d steps, got %d", most, len(items)))
	}
	steps = make([]function.Ref, len(items))
	for i, item := range items {
		if item.Kind() != qs.Text {
			return nil, false, outcome.BadRequest("Each step must be a text such as namespace/id")
		}
		steps[i] = stepOf(item.Text())
	}
	return steps, numbered, nil
}

// numberedSteps are the members of an object in the order of their names, which must all be numbers: qs makes an object
// of a list when one of its numbers is over 20.
func numberedSteps(object *qs.Value) (items []*qs.Value, ok bool) {
	type numbered struct {
		number int
		item   *qs.Value
	}
	var all []numbered
	for name, item := range object.Members() {
		number, err := strconv.Atoi(name)
		if err != nil || number < 0 || strconv.Itoa(number) != name {
			return nil, false
		}
		all = append(all, numbered{number, item})
	}
	slices.SortFunc(all, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	for _, n := range all {
		items = append(items, n.item)
	}
	return items, len(items) > 0
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
