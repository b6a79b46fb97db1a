// Package contracttest replays the HTTP contract, written down as JSON, against a running server.
//
// A file holds an array of rows. A row is one fact: a few requests and what must come back.
//
//	{
//	  "name": "run: res.send of text is quoted JSON",
//	  "worker": true,
//	  "steps": [
//	    {"request": {"method": "PUT", "path": "/functions/{ns}/f",
//	                 "json": {"code": "function main(req, res) { res.send('x') }"}},
//	     "expect": {"status": 200}},
//	    {"request": {"method": "GET", "path": "/functions/{ns}/f/run"},
//	     "expect": {"status": 200, "headers": {"Content-Type": "application/json; charset=utf-8"}, "body": "\"x\""}}
//	  ]
//	}
//
// {ns}, {ns2} and {ns3} stand for namespaces that no other row and no earlier run has used, {host} for the server's
// host and port. Both are replaced wherever they occur.
package contracttest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Row is one fact of the contract.
type Row struct {
	Name string `json:"name"`
	// Worker says that the row runs code: a server without workers cannot pass it.
	Worker bool `json:"worker,omitempty"`
	// Deadline says which deadline the row waits for: a server where it is long passes it, but late.
	Deadline Deadline `json:"deadline,omitempty"`
	Steps    []Step   `json:"steps"`
}

// Deadline is one that a function has.
type Deadline string

// The deadlines that a row may wait for.
const (
	NoDeadline     Deadline = ""
	MainDeadline   Deadline = "main"
	AnswerDeadline Deadline = "answer"
)

// Step is one request and its answer.
type Step struct {
	Request Request `json:"request"`
	Expect  Expect  `json:"expect"`
}

// Request is what is sent.
type Request struct {
	// Method is GET when empty.
	Method string `json:"method,omitempty"`
	// Path is sent as it stands, query and all: in UTF-8, or with Latin1 a byte for each character.
	Path   string `json:"path"`
	Latin1 bool   `json:"latin1,omitempty"`
	// Headers are sent in addition to those of the client itself, as are those of an answer a byte for each character
	// (Latin-1).
	Headers map[string]Values `json:"headers,omitempty"`
	// Body is sent as it stands. JSON is sent as Content-Type: application/json.
	Body string          `json:"body,omitempty"`
	JSON json.RawMessage `json:"json,omitempty"`
}

// Expect is what must come back; what it leaves out may be anything.
type Expect struct {
	Status int `json:"status"`
	// Headers must have these values, all of them, in order; null means that the header must be absent.
	Headers map[string]Values `json:"headers,omitempty"`
	// HeadersMatch holds regular expressions that match the first value of the header as a whole.
	HeadersMatch map[string]string `json:"headersMatch,omitempty"`
	// Body is the exact text, BodyMatch a regular expression that matches all of it.
	Body      *string `json:"body,omitempty"`
	BodyMatch string  `json:"bodyMatch,omitempty"`
	// JSON is equal to the body when white space and the order of members do not count.
	JSON json.RawMessage `json:"json,omitempty"`
}

// Values are the values of a header: in JSON a string, an array of strings, or null for none.
type Values []string

// UnmarshalJSON implements json.Unmarshaler.
func (v *Values) UnmarshalJSON(text []byte) error {
	var one string
	if err := json.Unmarshal(text, &one); err == nil && string(text) != "null" {
		*v = Values{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(text, &many); err != nil {
		return fmt.Errorf("header values: %w", err)
	}
	*v = many
	return nil
}

// parse reads the rows of a file and fills in what stands in braces.
func parse(text []byte, run, host string) ([]Row, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("contract rows: %w", err)
	}
	rows := make([]Row, len(raw))
	seen := map[string]bool{}
	for i, row := range raw {
		unique := fmt.Sprintf("%s-%04d", run, i)
		filled := strings.NewReplacer(
			"{ns}", "a-"+unique, "{ns2}", "b-"+unique, "{ns3}", "c-"+unique, "{host}", host,
		).Replace(string(row))
		dec := json.NewDecoder(strings.NewReader(filled))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&rows[i]); err != nil {
			return nil, fmt.Errorf("contract row %d: %w", i+1, err)
		}
		if name := rows[i].Name; name == "" || seen[name] {
			return nil, fmt.Errorf("contract row %d: the name %q is empty or taken", i+1, name)
		}
		seen[rows[i].Name] = true
		switch rows[i].Deadline {
		case NoDeadline, MainDeadline, AnswerDeadline:
		default:
			return nil, fmt.Errorf("contract row %d: there is no deadline %q", i+1, rows[i].Deadline)
		}
	}
	return rows, nil
}
