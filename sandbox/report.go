package sandbox

// Report says what stands between workers and the host, layer by layer: what was asked for and what the host gave. It marshals to JSON.
type Report struct {
	// Isolation is the tier.
	Isolation Isolation `json:"isolation"`
	Layers    []Layer   `json:"layers"`
	// Modules are those of the configuration that Node.js cannot load, each with the cause: "name: cause".
	Modules []string `json:"missingModules,omitempty"`
}

// Layer is one wall.
type Layer struct {
	Name     string `json:"name"`
	Asked    bool   `json:"asked"`
	Obtained bool   `json:"obtained"`
	// Detail says how it stands or, in a sentence, what is missing and how to get it.
	Detail string `json:"detail,omitempty"`
}

// Missing are the layers that were asked for and not obtained.
func (r Report) Missing() []Layer {
	var missing []Layer
	for _, layer := range r.Layers {
		if layer.Asked && !layer.Obtained {
			missing = append(missing, layer)
		}
	}
	return missing
}

// report implements reporter.
func (s processes) report() Report {
	report := s.Report()
	r := Report{Isolation: s.isolation, Modules: report.Modules}
	for _, layer := range report.Layers {
		r.Layers = append(r.Layers, Layer(layer))
	}
	return r
}

// reporter is a starter that can tell what stands around its children.
type reporter interface{ report() Report }

// Report says what stands around the workers. It was looked at when the first of them was ready.
func (p *Pool) Report() Report {
	if r, ok := p.starter.(reporter); ok {
		return r.report()
	}
	return Report{Isolation: p.cfg.Isolation, Layers: []Layer{}}
}

// Report says what stands around the workers of each runtime, by its name.
func (r *Runtimes) Report() map[string]Report {
	reports := map[string]Report{}
	for name, pool := range r.pools {
		reports[name] = pool.Report()
	}
	return reports
}
