package metrics

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Handler answers with the current values in the format that the caller asks for, OpenMetrics, which alone has
// exemplars, or else Prometheus' text format 0.0.4, compressed for who takes that. The series of functions, which may
// be many, are written by hand (see writeTo).
func (m *Metrics) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		families, err := m.registry.Gather()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		format := formatOf(r)
		w.Header().Set("Content-Type", string(format))
		w.Header().Set("Vary", "Accept, Accept-Encoding")
		if !takesGzip(r) {
			_ = m.write(w, families, format) // the caller is gone
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		packed, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // there is such a level
		_ = m.write(packed, families, format)               // as above
		_ = packed.Close()                                  // as above
	})
}

// write writes families and the series of functions. Its error is that of w.
func (m *Metrics) write(w io.Writer, families []*dto.MetricFamily, format expfmt.Format) error {
	encoder := expfmt.NewEncoder(w, format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	open := format.FormatType() == expfmt.TypeOpenMetrics
	if err := m.writeTo(w, open); err != nil || !open {
		return err
	}
	_, err := expfmt.FinalizeOpenMetrics(w)
	return err
}

// formatOf is the format to answer r in.
func formatOf(r *http.Request) expfmt.Format {
	if r != nil {
		asked := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
		if asked.FormatType() == expfmt.TypeOpenMetrics {
			return asked
		}
	}
	return expfmt.NewFormat(expfmt.TypeTextPlain)
}

// takesGzip says whether the caller takes compressed answers.
func takesGzip(r *http.Request) bool {
	if r == nil {
		return false
	}
	for item := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(item, " ", ""), ";q=")
		if strings.EqualFold(name, "gzip") {
			return strings.Trim(weight, "0.") != "" || weight == ""
		}
	}
	return false
}
