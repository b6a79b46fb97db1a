package api

import (
	"net/http"
	"strings"

	"github.com/backstage/functions/internal/httpd/forwarded"
	"github.com/backstage/functions/internal/httpd/reach"
	"github.com/backstage/functions/internal/outcome"
)

// Reach says which callers are answered. The zero value answers all.
type Reach struct {
	// LocalOnly has Handlers.API answer callers on this machine alone, but for "/livez".
	LocalOnly bool
	// Hosts are those that callers of Handlers.API may ask for, RunHosts the same for Handlers.Run. Probes are answered
	// for every host, and so is what a stored route serves that names its host. Nil stands for all hosts.
	Hosts, RunHosts *reach.Hosts
	// Origins are those of other sites whose pages may change things: "https://admin.example.org".
	Origins []string
}

// protected is the message to callers that are not answered because they are not on this machine.
const protected = "Only callers on this machine are answered, because this server has no keys and nobody has said " +
	"that others may reach it. To open it: start it with AUTH=on and send a key; or set HOST, such as HOST=0.0.0.0, to " +
	"serve everyone who reaches that address; or come over loopback, such as through ssh -L 8100:localhost:8100 SERVER"

// errProtected refuses callers that are not on this machine.
var errProtected = outcome.New(outcome.Outcome{
	Status: http.StatusForbidden, Message: protected, Reason: "protected", Fault: outcome.FaultCaller,
})

const livezPath = "/livez"

// reaches returns why a request for the resource at path, or without one by a stored route, is not answered. It is
// decided by the resource that was found, so that no spelling of its path makes a difference.
func (s *server) reaches(r *http.Request, on ports, path string, namesHost bool) error {
	if path == livezPath {
		return nil
	}
	hosts := s.Reach.RunHosts
	if on == apiPort {
		if s.Reach.LocalOnly && !reach.IsLocal(r) {
			return errProtected
		}
		hosts = s.Reach.Hosts
	}
	if hosts == nil || namesHost || path == "/readyz" || path == "/healthcheck" {
		return nil
	}
	for _, host := range []string{r.Host, forwarded.Host(r, s.TrustedProxies)} {
		if !hosts.Allow(host) {
			return misdirected(host)
		}
	}
	return nil
}

// misdirected says that the server does not answer for host.
func misdirected(host string) error {
	name := strings.ToValidUTF8(host, "\uFFFD")
	if len(host) > maxShownOrigin {
		name = "this one"
	}
	return outcome.New(outcome.Outcome{
		Status: http.StatusMisdirectedRequest, Reason: "host", Fault: outcome.FaultCaller,
		Message: "This server does not answer for the host " + name + ": add it to ALLOWED_HOSTS if callers may use that " +
			"name. While ALLOWED_HOSTS, AUTH and HOST are not set, only localhost and loopback addresses are answered",
	})
}
