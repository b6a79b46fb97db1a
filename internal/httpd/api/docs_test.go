package api

import (
	"os"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestEveryOptionIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range function.OptionNames() {
		if !strings.Contains(string(text), "| `"+name+"` | ") {
			t.Errorf("docs/http-api.md has no row for %s", name)
		}
	}
}
