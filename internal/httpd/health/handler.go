package health

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// The values of report.Status.
const (
	statusOK       = "ok"
	statusNotReady = "not ready"
)

// report is the body of an answer.
type report struct {
	Status string `json:"status"`
	// Reasons are the checks that fail.
	Reasons []line `json:"reasons,omitempty"`
	// Checks are all of them; with ?verbose only.
	Checks []line `json:"checks,omitempty"`
}

// line is one check.
type line struct {
	Check  string `json:"check"`
	Status string `json:"status,omitempty"`
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Livez answers 200 {"status":"ok"}: a server that cannot does not answer.
func (h *Health) Livez(w http.ResponseWriter, r *http.Request) {
	answer(w, r, report{Status: statusOK})
}

// Readyz answers 200 {"status":"ok"}, or 503 with the checks that fail and why: {"status":"not ready","reasons":[…]}.
// With ?verbose all checks are listed.
func (h *Health) Readyz(w http.ResponseWriter, r *http.Request) {
	rep := report{Status: statusOK}
	for _, result := range h.results() {
		shown := line{Check: result.name, Status: statusOK, Detail: result.detail}
		if result.err != nil {
			shown.Status, shown.Reason = statusNotReady, reason(result.err)
			rep.Status = statusNotReady
			rep.Reasons = append(rep.Reasons, line{Check: result.name, Reason: shown.Reason})
		}
		rep.Checks = append(rep.Checks, shown)
	}
	if !r.URL.Query().Has("verbose") {
		rep.Checks = nil
	}
	answer(w, r, rep)
}

func answer(w http.ResponseWriter, r *http.Request, rep report) {
	body, err := json.Marshal(rep)
	if err != nil { // texts always marshal
		panic(err)
	}
	status := http.StatusOK
	if rep.Status != statusOK {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // an error means that the caller is gone
	}
}
