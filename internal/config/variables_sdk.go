package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// sdkPrefix begins the names that OpenTelemetry's SDK reads from the environment by itself. It ignores what it does not
// understand, at most with a line in the log, and an unknown sampler sends everything. So the values are checked here
// and passed on in the form that it reads.
const sdkPrefix = "OTEL_"

// sdkVariables are variables that only the SDK reads.
var sdkVariables = []Variable{
	{
		Name: "OTEL_SERVICE_NAME", Default: "`OTEL_EXPORTER_SERVICE`", derive: none,
		Meaning: "Name of the service in traces, by OpenTelemetry's standard.",
		parse:   textOf(func(*Config, string) error { return nil }),
	},
	{
		Name: "OTEL_RESOURCE_ATTRIBUTES", Default: "none", derive: none,
		Meaning: "Attributes of every span, such as `deployment.environment=test,team=a`.",
		parse:   pairs(),
	},
	{
		Name: "OTEL_TRACES_SAMPLER", Default: "parentbased_always_on",
		Meaning: "Which traces are sent: `always_on`, `always_off`, `traceidratio`; or as the caller has decided, " +
			"and otherwise `parentbased_always_on`, `parentbased_always_off`, `parentbased_traceidratio`.",
		parse: passedOn("OTEL_TRACES_SAMPLER", func(target func(*Config) *string) parser {
			return oneOf(target, "always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off",
				"parentbased_traceidratio")
		}, func(s string) string { return s }),
	},
	{
		Name: "OTEL_TRACES_SAMPLER_ARG", Default: "1",
		Meaning: "Share of traces that the samplers with `traceidratio` send, from 0 to 1.",
		parse: passedOn("OTEL_TRACES_SAMPLER_ARG", func(target func(*Config) *float64) parser {
			return fraction(0, 1, target)
		},
			func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }),
	},
	sdkMillis("OTEL_BSP_SCHEDULE_DELAY", "5000", "Time, in milliseconds or with a unit, after which spans are sent that "+
		"fill no batch."),
	sdkMillis("OTEL_BSP_EXPORT_TIMEOUT", "30000", "Longest time, likewise, that sending a batch may take."),
	sdkWhole("OTEL_BSP_MAX_QUEUE_SIZE", "2048", "Most spans that wait to be sent.", 1),
	sdkWhole("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512", "Most spans of one batch.", 1),
	sdkWhole("OTEL_ATTRIBUTE_COUNT_LIMIT", "128", "Most attributes; -1 sets no limit, here and below.", -1),
	sdkWhole("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", "Most characters of the value of an attribute.", -1),
	sdkWhole("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "128", "Most attributes of a span.", -1),
	sdkWhole("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", "Most characters of the value of an attribute of a span.",
		-1),
	sdkWhole("OTEL_SPAN_EVENT_COUNT_LIMIT", "128", "Most events of a span.", -1),
	sdkWhole("OTEL_SPAN_LINK_COUNT_LIMIT", "128", "Most links of a span.", -1),
	sdkWhole("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "128", "Most attributes of an event.", -1),
	sdkWhole("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "128", "Most attributes of a link.", -1),
	sdkHeaders("OTEL_EXPORTER_OTLP_HEADERS", "Headers for the collector, such as `authorization=Bearer%20KEY`."),
	sdkHeaders("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "As above, for traces alone."),
	sdkMillis("OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "Longest time, in milliseconds or with a unit, for the collector "+
		"to answer."),
	sdkMillis("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10000", "As above, for traces alone."),
	sdkCompression("OTEL_EXPORTER_OTLP_COMPRESSION", "`gzip` or `none`."),
	sdkCompression("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "As above, for traces alone."),
	sdkBoolean("OTEL_EXPORTER_OTLP_INSECURE", "`true` uses no TLS with `grpc` where the URL has no scheme."),
	sdkBoolean("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "As above, for traces alone."),
	sdkFile("OTEL_EXPORTER_OTLP_CERTIFICATE", "File of certificates in PEM that the collector is known by."),
	sdkFile("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "As above, for traces alone."),
	sdkFile("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
		"File of the certificate in PEM that this server shows the collector."),
	sdkFile("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "As above, for traces alone."),
	sdkFile("OTEL_EXPORTER_OTLP_CLIENT_KEY", "File of its key."),
	sdkFile("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "As above, for traces alone."),
}

// passedOn reads a variable as kind does and passes its value on in the form that write returns.
func passedOn[T any](name string, kind func(target func(*Config) *T) parser, write func(T) string) parser {
	p := kind(func(*Config) *T { return new(T) })
	p.within, p.warned = append(p.within, p.warned...), nil
	p.read = func(c *Config, text string) error {
		var value T
		err := kind(func(*Config) *T { return &value }).read(c, text)
		if _, told := errors.AsType[notice](err); err != nil && !told {
			return err
		}
		c.Environment[name] = write(value)
		return nil
	}
	return p
}

func sdkMillis(name, value, meaning string) Variable {
	return Variable{Name: name, Default: value, Meaning: meaning, parse: passedOn(name,
		func(target func(*Config) *time.Duration) parser {
			return millis(time.Millisecond, day, target)
		}, func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) })}
}

func sdkWhole(name, value, meaning string, least int) Variable {
	return Variable{Name: name, Default: value, Meaning: meaning, parse: passedOn(name,
		func(target func(*Config) *int) parser {
			return whole(least, 1_000_000, target)
		}, strconv.Itoa)}
}

func sdkBoolean(name, meaning string) Variable {
	return Variable{Name: name, Default: "false", Meaning: meaning, parse: passedOn(name, boolean, strconv.FormatBool)}
}

func sdkCompression(name, meaning string) Variable {
	return Variable{Name: name, Default: "none", Meaning: meaning, parse: passedOn(name,
		func(target func(*Config) *string) parser {
			return oneOf(target, "gzip", "none")
		}, func(s string) string { return s })}
}

func sdkFile(name, meaning string) Variable {
	return Variable{
		Name: name, Default: "none", derive: none, Meaning: meaning,
		parse: textOf(func(*Config, string) error { return nil }),
	}
}

func sdkHeaders(name, meaning string) Variable {
	return Variable{Name: name, Default: "none", derive: none, masked: true, Meaning: meaning, parse: pairs()}
}

// pair is a name and a value, percent-encoded.
var pair = regexp.MustCompile(`^[A-Za-z0-9_./-]+=([^%,]|%[0-9A-Fa-f]{2})*$`)

// pairs accepts "name=value,name=value".
func pairs() parser {
	return past(func(_ *Config, text string) error {
		if err := checkText(text); err != nil {
			return err
		}
		for entry := range strings.SplitSeq(text, ",") {
			if !pair.MatchString(strings.TrimSpace(entry)) {
				return fmt.Errorf("must be name=value pairs separated by commas, values percent-encoded")
			}
		}
		return nil
	}, []string{"a=b", "a.b=c, d=e%20f", "a="}, []string{
		"a", "=b", "a=b,", "a=%", "a=%zz", "a=b,c", "a b=c",
		"a=" + strings.Repeat("x", maxText),
	})
}
