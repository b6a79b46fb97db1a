package migration

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Report collects findings and writes them in order: by kind, namespace and ID.
type Report struct {
	out      io.Writer
	json     bool
	findings []Finding
	notes    []string
}

// NewReport writes to out, as one JSON object or as readable lines.
func NewReport(out io.Writer, asJSON bool) *Report { return &Report{out: out, json: asJSON} }

// Add adds a finding.
func (r *Report) Add(f Finding) error {
	r.findings = append(r.findings, f)
	return nil
}

// Note adds what the check could not look for. It is no finding.
func (r *Report) Note(text string) { r.notes = append(r.notes, text) }

// Total is the number of findings.
func (r *Report) Total() int { return len(r.findings) }

// End writes all findings, and the number of functions that were checked.
func (r *Report) End(functions int) error {
	order := Kinds()
	slices.SortStableFunc(r.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)),
			cmp.Compare(a.Ref.Namespace, b.Ref.Namespace), cmp.Compare(a.Ref.ID, b.Ref.ID))
	})
	counts := map[Kind]int{}
	var allow []string
	for _, f := range r.findings {
		counts[f.Kind]++
		if f.Allow != "" {
			allow = append(allow, f.Allow)
		}
	}
	slices.Sort(allow)
	allowed := strings.Join(slices.Compact(allow), ",")
	if r.json {
		return r.program(functions, counts, allowed)
	}
	return r.people(functions, counts, allowed)
}

// jsonFinding is a Finding as JSON; namespace and ID are left out if it is about the server.
type jsonFinding struct {
	Kind      Kind   `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	ID        string `json:"id,omitempty"`
	Text      string `json:"text"`
}

// program writes JSON, safe to show in a terminal.
func (r *Report) program(functions int, counts map[Kind]int, allow string) error {
	all := make([]jsonFinding, len(r.findings))
	for i, f := range r.findings {
		all[i] = jsonFinding{f.Kind, f.Ref.Namespace, f.Ref.ID, f.Text}
	}
	text, err := json.Marshal(struct {
		Findings  []jsonFinding `json:"findings"`
		Functions int           `json:"functions"`
		Counts    map[Kind]int  `json:"counts"`
		Allow     string        `json:"egressAllow"`
		Notes     []string      `json:"notes"`
	}{all, functions, counts, allow, append([]string{}, r.notes...)})
	if err != nil {
		return err
	}
	_, err = r.out.Write(append(rawjson.AppendInvisibleEscaped(nil, text), '\n'))
	return err
}

// people writes readable text, one line per finding.
func (r *Report) people(functions int, counts map[Kind]int, allow string) error {
	out := bufio.NewWriter(r.out)
	for _, f := range r.findings {
		_, _ = fmt.Fprintf(out, "%-9s  %s%s\n", f.Kind, plain(subject(f.Ref)), plain(f.Text)) // Flush reports errors
	}
	if allow != "" {
		_, _ = fmt.Fprintf(out, "EGRESS_ALLOW=%s allows all of these%s, in addition to what it lists already\n", plain(allow),
			r.but())
	}
	for _, note := range r.notes {
		_, _ = fmt.Fprintln(out, plain(note))
	}
	checked := fmt.Sprintf("%d functions were", functions)
	if functions == 1 {
		checked = "1 function was"
	}
	_, _ = fmt.Fprintf(out, "%s looked at, and nothing was changed. %s\n", checked, summary(len(r.findings), counts))
	return out.Flush()
}

// subject is what a finding is about, with namespace and ID apart: both may contain a slash.
func subject(ref function.Ref) string {
	switch {
	case ref == function.Ref{}:
		return ""
	case ref.ID == "":
		return fmt.Sprintf("namespace %s: ", ref.Namespace)
	}
	return fmt.Sprintf("namespace %s, function %s: ", ref.Namespace, ref.ID)
}

// but is how many egress findings EGRESS_ALLOW does not solve.
func (r *Report) but() string {
	n := 0
	for _, f := range r.findings {
		if f.Kind == Egress && f.Allow == "" {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" except %d", n)
}

func summary(total int, counts map[Kind]int) string {
	if total == 0 {
		return "There is nothing to do."
	}
	var kinds []string
	for _, kind := range Kinds() {
		if n := counts[kind]; n > 0 {
			kinds = append(kinds, fmt.Sprintf("%d %s", n, kind))
		}
	}
	things := "things"
	if total == 1 {
		things = "thing"
	}
	return fmt.Sprintf("%d %s to look at: %s.", total, things, strings.Join(kinds, ", "))
}

// plain is text without terminal commands: others wrote it.
func plain(text string) string {
	quoted := string(rawjson.AppendVisible(nil, strings.ToValidUTF8(text, "\ufffd")))
	return strings.ReplaceAll(strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`), `\\`, `\`)
}
