package compress

import (
	"bytes"
	"compress/gzip"
	"strconv"
)

// writeWhole compresses an answer that is written at once, as most are, and gathers any other.
func (w *writer) writeWhole(p []byte) (int, error) {
	if w.held.Len() == 0 && len(p) == w.length {
		w.length = 0
		return len(p), w.compress(p)
	}
	return w.held.Write(p)
}

// sendWhole sends what was gathered. An answer that is shorter than it said is left to net/http, which cuts it off.
func (w *writer) sendWhole() {
	if w.held.Len() != w.length {
		w.ResponseWriter.WriteHeader(w.status)
		_, _ = w.ResponseWriter.Write(w.held.Bytes()) // an error says that the caller is gone
		return
	}
	_ = w.compress(w.held.Bytes()) // as above
}

// compress sends text, whose length it knows then. No more are compressed at a time than there are processors.
func (w *writer) compress(text []byte) error {
	packed := w.pack(text)
	w.handler.packed(w.request)
	encode(w.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(packed)))
	w.ResponseWriter.WriteHeader(w.status)
	_, err := w.ResponseWriter.Write(packed)
	return err
}

func (w *writer) pack(text []byte) []byte {
	w.handler.whole <- struct{}{}
	defer func() { <-w.handler.whole }()
	out := bytes.NewBuffer(make([]byte, 0, len(text)/2))
	to := gzipWriters.Get().(*gzip.Writer) //nolint:forcetypeassert // see there
	defer gzipWriters.Put(to)
	to.Reset(out)
	_, _ = to.Write(text)        // into memory
	_ = to.Close()               // as above
	if out.Len() < out.Cap()/2 { // its caller may take it slowly: it holds no more memory than it needs
		return bytes.Clone(out.Bytes())
	}
	return out.Bytes()
}
