package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// benchmarks is what the benchmarks of this package have measured, to be seen beside each other at the end.
var benchmarks table

// table has a row for each load, with its ratios to a floor of the same run, and a line for each other figure.
type table struct {
	loads []tableRow
	facts []string
}

type tableRow struct {
	name string
	load measured
	of   *tableRow
}

// measured is what callers saw of a load, and what it cost.
type measured struct {
	rate     float64 // calls per second
	p50, p99 time.Duration
	cpu      time.Duration // of the server and its workers, for each call; 0 when it was not measured
}

// add takes the load that the benchmark b has measured into the table, beside the earlier row named of, when there is one.
func (t *table) add(b *testing.B, name string, m measured, of string) {
	b.ReportMetric(m.rate, "calls/s")
	b.ReportMetric(micros(m.p50), "p50-µs")
	b.ReportMetric(micros(m.p99), "p99-µs")
	if m.cpu > 0 {
		b.ReportMetric(micros(m.cpu), "cpu-µs/call")
	}
	b.ReportMetric(0, "ns/op")
	t.loads = append(t.loads, tableRow{name, m, t.find(of)})
}

func (t *table) find(name string) *tableRow {
	for i := range t.loads {
		if t.loads[i].name == name {
			row := t.loads[i]
			return &row
		}
	}
	return nil
}

// note takes one figure of the benchmark b into the table.
func (t *table) note(b *testing.B, name string, value float64, unit string) {
	b.ReportMetric(value, strings.ReplaceAll(unit, " ", "-"))
	b.ReportMetric(0, "ns/op")
	t.facts = append(t.facts, fmt.Sprintf("%s\t%s %s", name, figure(value), unit))
}

func (t *table) print(w io.Writer) {
	if len(t.loads)+len(t.facts) == 0 {
		return
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "\nload\tcalls/s\tp50 µs\tp99 µs\tCPU s per 10,000\trate\tp50\tp99\tof")
	for _, row := range t.loads {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s", row.name, figure(row.load.rate), figure(micros(row.load.p50)), figure(micros(row.load.p99)), cpuSeconds(row.load.cpu))
		if row.of != nil {
			floor := row.of.load
			fmt.Fprintf(out, "\t%.2f\t%.2f\t%.2f\t%s", row.load.rate/floor.rate, row.load.p50.Seconds()/floor.p50.Seconds(), row.load.p99.Seconds()/floor.p99.Seconds(), row.of.name)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
	for _, fact := range t.facts {
		fmt.Fprintln(out, fact)
	}
	_ = out.Flush() // to a terminal or a file that the benchmark's own output has gone to as well
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func cpuSeconds(perCall time.Duration) string {
	if perCall == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", 1e4*perCall.Seconds())
}

// figure has three significant digits at least.
func figure(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	default:
		return fmt.Sprintf("%.0f", x)
	}
}
