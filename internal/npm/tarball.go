package npm

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Tarball opens the tarball of one version of a package, which nothing has checked, and tells how many bytes it has; -1
// where the registry does not say. It is not kept. The caller closes it. A registry that sends nothing for a while ends
// it. Of Options it needs those of the registry.
func (o Options) Tarball(ctx context.Context, name, version string) (body io.ReadCloser, size int64, err error) {
	base, err := url.Parse(o.Registry)
	if err != nil {
		return nil, 0, fmt.Errorf("the address of the registry: %w", err)
	}
	token, err := (&Client{options: o}).token()
	if err != nil {
		return nil, 0, err
	}
	r := &registry{base: base, http: &http.Client{Transport: transport(o), CheckRedirect: sameOrigin(base)}}
	body, err = r.tarball(ctx, &dependency{name: name, version: version}, token)
	if err != nil {
		return nil, 0, err
	}
	if counted, ok := body.(*idleReader); ok {
		return body, counted.size, nil
	}
	return body, -1, nil
}
