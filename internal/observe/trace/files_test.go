package trace

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.opentelemetry.io/otel"

	"github.com/backstage/functions/internal/testenv"
)

func TestFilesOfTheCollectorAreRead(t *testing.T) {
	good := testenv.NewCertificate(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe") // nobody writes to it
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_"} {
		ca, certificate, key := prefix+"CERTIFICATE", prefix+"CLIENT_CERTIFICATE", prefix+"CLIENT_KEY"
		if err := CheckFiles(map[string]string{ca: good.CAFile, certificate: good.CertFile, key: good.KeyFile}); err != nil {
			t.Error(err)
		}
		for _, variables := range []map[string]string{
			{ca: "/none"},
			{ca: empty},
			{ca: pipe},
			{certificate: pipe, key: good.KeyFile},
			{certificate: good.CertFile, key: pipe},
			{ca: t.TempDir()},
			{certificate: "/none", key: good.KeyFile},
			{certificate: good.CertFile, key: "/none"},
			{certificate: good.CertFile, key: good.CertFile},
			{certificate: good.CertFile},
			{key: good.KeyFile},
		} {
			err := CheckFiles(variables)
			for name, path := range variables {
				if err == nil || !strings.HasPrefix(err.Error(), prefix) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), path) {
					t.Errorf("%v: %v", variables, err)
				}
			}
		}
	}
	if err := CheckFiles(map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": "/a", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY": "/b"}); err == nil ||
		strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two faults are %v", err)
	}
}

func TestWhatTheSDKSaysIsInTheLog(t *testing.T) {
	var text bytes.Buffer
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "soon") // configuration would have refused it
	for _, protocol := range []string{HTTP, GRPC} {
		text.Reset()
		UseLogger(slog.New(slog.NewJSONHandler(&text, nil)))
		tracer, err := New(context.Background(), Options{Protocol: protocol})
		if err != nil {
			t.Fatal(err)
		}
		if err := tracer.Close(); err != nil {
			t.Error(err)
		}
		if got := text.String(); !strings.HasPrefix(got, "{") || !strings.Contains(got, `"msg":"OpenTelemetry: `) {
			t.Errorf("%s: logged %q", protocol, got)
		}
	}
	text.Reset()
	otel.Handle(os.ErrClosed)
	if !strings.Contains(text.String(), "Traces could not be sent") {
		t.Errorf("logged %q", text.String())
	}
}
