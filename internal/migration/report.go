package migration

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// Report writes findings as they come, so that it needs no memory for them.
type Report struct {
	out    io.Writer
	json   bool
	counts map[Kind]int
	total  int
}

// NewReport writes to out, as one JSON object or as lines for people.
func NewReport(out io.Writer, asJSON bool) *Report {
	return &Report{out: out, json: asJSON, counts: map[Kind]int{}}
}

// jsonFinding is a Finding as JSON; of one about the server, namespace and ID are left out.
type jsonFinding struct {
	Kind      Kind   `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	ID        string `json:"id,omitempty"`
	Text      string `json:"text"`
}

// Add writes a finding.
func (r *Report) Add(f Finding) error {
	r.counts[f.Kind]++
	r.total++
	if !r.json {
		name := ""
		if f.Ref != (function.Ref{}) {
			name = plain(f.Ref.String()) + ": "
		}
		_, err := fmt.Fprintf(r.out, "%-9s  %s%s\n", f.Kind, name, plain(f.Text))
		return err
	}
	text, err := json.Marshal(jsonFinding{f.Kind, f.Ref.Namespace, f.Ref.ID, f.Text})
	if err != nil {
		return err
	}
	begin := ",\n"
	if r.total == 1 {
		begin = "{\"findings\":[\n"
	}
	_, err = fmt.Fprintf(r.out, "%s%s", begin, text)
	return err
}

// plain is a text without what a terminal could take for a command: others wrote it.
func plain(text string) string {
	quoted := string(function.AppendPlainJSONString(nil, strings.ToValidUTF8(text, "\ufffd")))
	return strings.ReplaceAll(strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`), `\\`, `\`)
}

// End writes how many functions were looked at, and what was found.
func (r *Report) End(functions int) error {
	if r.json {
		begin := "],"
		if r.total == 0 {
			begin = `{"findings":[],`
		}
		counts, err := json.Marshal(r.counts)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(r.out, "%s\"functions\":%d,\"counts\":%s}\n", begin, functions, counts)
		return err
	}
	text := fmt.Sprintf("%d functions were looked at, and nothing was changed.", functions)
	if r.total == 0 {
		text += " There is nothing to do."
	} else {
		text += fmt.Sprintf(" %d things to look at:", r.total)
		for _, kind := range Kinds() {
			if n := r.counts[kind]; n > 0 {
				text += fmt.Sprintf(" %d %s,", n, kind)
			}
		}
		text = strings.TrimSuffix(text, ",") + "."
	}
	_, err := fmt.Fprintln(r.out, text)
	return err
}

// Total is how many findings there were.
func (r *Report) Total() int { return r.total }
