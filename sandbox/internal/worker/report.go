package worker

// Report says what stands between workers and the host: what was asked for and what the host gave.
type Report struct {
	Layers []Layer
	// Modules are those of the configuration that Node.js cannot load, each with the cause: "name: cause".
	Modules []string
}

// Layer is one wall. Detail says how it stands or, in a sentence, what is missing and how to get it.
type Layer struct {
	Name            string
	Asked, Obtained bool
	Detail          string
}

// missing is the first layer that was asked for and not obtained; nil when there is none.
func (r *Report) missing() *Layer {
	for i, layer := range r.Layers {
		if layer.Asked && !layer.Obtained {
			return &r.Layers[i]
		}
	}
	return nil
}

// Support is one thing that isolation needs of a host.
type Support struct {
	Name   string
	OK     bool
	Detail string // what is missing and how to get it
}

// StartMethod is how workers start: forked from a process that has everything loaded, or each anew, and for which
// reason.
type StartMethod struct {
	Forked bool
	Reason string
}

// MemoryUsage is what workers use together, in bytes, as their cgroups count it.
type MemoryUsage struct {
	Total, Anonymous uint64
}
