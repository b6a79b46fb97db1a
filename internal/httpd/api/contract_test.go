package api

import (
	"testing"

	"github.com/backstage/functions/internal/httpd/api/contracttest"
)

// TestContractWithoutWorkers replays every row that runs no code. The others are replayed against a whole server.
func TestContractWithoutWorkers(t *testing.T) {
	contracttest.RunSome(t, serve(t, Options{Logs: &fakeLogs{}}), "testdata/contract", func(r contracttest.Row) bool { return !r.Worker })
}
