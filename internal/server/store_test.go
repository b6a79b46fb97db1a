package server

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/store/bolt"
)

func TestAnEndpointThatIsNotUnderstoodIsNamed(t *testing.T) {
	for name, row := range map[string]struct{ variables, want []string }{
		"REDIS_ENDPOINT": {
			[]string{"REDIS_ENDPOINT=http://:secret@h"},
			[]string{"REDIS_ENDPOINT: ", `got "http://***@h"`},
		},
		"DBAAS_SENTINEL_ENDPOINT": {
			[]string{"DBAAS_SENTINEL_ENDPOINT=sentinel://:secret@h"},
			[]string{"DBAAS_SENTINEL_ENDPOINT: ", `got "sentinel://***@h"`},
		},
		"LOGS_REDIS_ENDPOINT": {
			[]string{"REDIS_ENDPOINT=redis://:secret@h", "LOGS_REDIS_ENDPOINT=redis://:secret@h/x"},
			[]string{"LOGS_REDIS_ENDPOINT: ", `got "redis://***@h/x"`},
		},
		"REDIS_CA_FILE": {
			[]string{"REDIS_ENDPOINT=rediss://:secret@h", "REDIS_CA_FILE=/nowhere/ca.pem"},
			[]string{"REDIS_CA_FILE: ", "/nowhere/ca.pem"},
		},
		"REDIS_KEY_FILE": {
			[]string{"REDIS_ENDPOINT=rediss://:secret@h", "REDIS_KEY_FILE=/nowhere/key.pem"},
			[]string{"REDIS_CERT_FILE and REDIS_KEY_FILE: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			getenv := func(name string) (string, bool) {
				for _, variable := range row.variables {
					if value, ok := strings.CutPrefix(variable, name+"="); ok {
						return value, true
					}
				}
				return "", false
			}
			cfg, err := config.Load(getenv, row.variables)
			if err != nil {
				t.Fatal(err)
			}
			_, err = openStore(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)), nil)
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Fatalf("got %v", err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %s", err, want)
				}
			}
		})
	}
}

// Who starts a server with the directory of another one reads what to do.
func TestADataDirThatIsInUseSaysWhatToDo(t *testing.T) {
	cfg := &config.Config{Storage: config.StorageEmbedded, DataDir: t.TempDir()}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	first, err := openStore(t.Context(), cfg, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = openStore(t.Context(), cfg, log, nil)
	if !errors.Is(err, bolt.ErrLocked) {
		t.Fatalf("the second server gets %v", err)
	}
	for _, want := range []string{"DATA_DIR: ", cfg.DataDir, "another server", "stop that, or set another DATA_DIR"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := openStore(t.Context(), cfg, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
