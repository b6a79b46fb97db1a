package migration

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/backstage/functions/internal/function"
)

// sentryVariable is the variable of a function that names its own Sentry project.
const sentryVariable = "sentryDSN"

// egress finds hosts in code or variables that may not be reached.
func (c *Check) egress(ctx context.Context, f *function.Function) error {
	if err := c.hosts(ctx, f.Ref, targets(f.Program(), f.Env)); err != nil {
		return err
	}
	if dsn, ok := f.Env.Get(sentryVariable); ok && f.Env.IsString(sentryVariable) {
		return c.sentry(ctx, f.Ref, dsn)
	}
	return nil
}

// hosts finds the targets of a function that may not be reached, and says how many it did not look at.
func (c *Check) hosts(ctx context.Context, ref function.Ref, all []target) error {
	if c.Reach == nil {
		return nil
	}
	told := 0
	for i, t := range all {
		if told == maxPerFunction || i == maxLooks {
			text := fmt.Sprintf("and %d more of its hosts, which the check does not look at", len(all)-i)
			return c.Found(Finding{Kind: Egress, Ref: ref, Text: text})
		}
		unreachable, err := c.reach(ctx, ref, t, "")
		if err != nil {
			return err
		}
		if unreachable {
			told++
		}
	}
	return nil
}

// namespace checks the settings of a namespace, once.
func (c *Check) namespace(ctx context.Context, name string) error {
	if c.namespaces[name] {
		return nil
	}
	c.namespaces[name] = true
	n, err := c.Source.GetNamespace(ctx, name)
	if errors.Is(err, function.ErrNamespaceNotFound) || err == nil && n.SentryDSN == nil {
		return nil
	}
	if err != nil {
		return err
	}
	return c.sentry(ctx, function.Ref{Namespace: name}, *n.SentryDSN)
}

// sentry finds a Sentry project that may not be reached. Those on the host of the server's own project may.
func (c *Check) sentry(ctx context.Context, ref function.Ref, dsn string) error {
	scheme, t, ok := project(dsn)
	if !ok {
		return nil
	}
	if ownScheme, own, ok := project(c.SentryDSN); ok && own == t && ownScheme == scheme {
		return nil
	}
	_, err := c.reach(ctx, ref, t, "the host of its sentryDSN: ")
	return err
}

// project is the target of a Sentry project's address.
func project(dsn string) (scheme string, t target, ok bool) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", t, false
	}
	return u.Scheme, newTarget(u.Hostname(), u.Port(), ports[u.Scheme]), true
}

// reach finds a target that may not be reached.
func (c *Check) reach(ctx context.Context, ref function.Ref, t target, what string) (found bool, err error) {
	if c.Reach == nil {
		return false, nil
	}
	why, allow := c.Reach(ctx, ref.Namespace, t.host, t.port)
	if why == "" {
		return false, nil
	}
	return true, c.Found(Finding{Kind: Egress, Ref: ref, Text: fmt.Sprintf("%s%s: %s", what, t, why), Allow: allow})
}
