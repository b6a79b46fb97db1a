package api

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// isolation shows what stands between functions and the host, as asked for and as obtained.
func (s *server) isolation(w http.ResponseWriter, r *http.Request) error {
	body, err := json.Marshal(s.Isolation())
	if err != nil {
		return fmt.Errorf("api: isolation: %w", err)
	}
	sendJSON(w, r, http.StatusOK, body)
	return nil
}
