package api

import (
	"encoding/json"
	"net/http"
)

// readSettings reads the record that the body of r describes: parse says all that is wrong with it. A record that is
// wrong, or that would be empty because its body is of a type that is not read, is answered here; then ok is false.
func readSettings[T any](
	s *server, w http.ResponseWriter, r *http.Request, parse func(body json.RawMessage) (given T, faults []string),
) (given T, ok bool, err error) {
	text, ignored, err := s.readStorable(r, true, isSettings)
	if err != nil {
		return given, false, err
	}
	given, faults := parse(text)
	if ignored != "" {
		faults = append(faults, ignored)
	}
	if len(faults) > 0 {
		sendInvalid(w, r, faults)
		return given, false, nil
	}
	return given, true, nil
}
