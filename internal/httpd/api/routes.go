package api

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox/rawjson"
)

// handler serves one method of one path. The error it returns, if any, becomes the answer.
type handler func(w http.ResponseWriter, r *http.Request) error

// anyMethod stands for every method there is, OPTIONS too.
const anyMethod = "*"

// pipelinePath is that of pipelines, and runPath that of runs.
const (
	pipelinePath = "/functions/pipeline"
	runPath      = "/functions/{namespace}/{id}/run"
)

// ports are those that serve a resource.
type ports uint8

const (
	// apiPort serves everything.
	apiPort ports = 1 << iota
	// runPort serves what the callers of functions need, and nothing that shows or changes one.
	runPort
)

// resource is one path, where it is served and what can be done with it. The order of its methods is that of its Allow
// header.
type resource struct {
	path    string
	ports   ports
	methods []method
}

// runs says whether it answers with what functions answer.
func (res resource) runs() bool {
	if strings.HasPrefix(res.path, callsPath) {
		return strings.HasSuffix(res.path, "/result")
	}
	return res.ports&runPort != 0 && strings.HasPrefix(res.path, "/functions/")
}

type method struct {
	name string
	// needs is what a caller must be allowed to do.
	needs need
	serve handler
}

// resources lists all that is served; of two paths that both match a request the first one serves it. The path of a run
// comes first since almost every request is one.
func (s *server) resources() []resource {
	return []resource{
		{runPath, apiPort | runPort, []method{{anyMethod, toInvoke, s.run}}},
		{"/functions/{namespace}/{id}/run/*", apiPort | runPort, []method{{anyMethod, toInvoke, s.runBelow}}},
		{batchPath, apiPort | runPort, []method{{"POST", toBatch, s.batch}}},
		{"/functions/{namespace}/{id}/env/{env}", apiPort, []method{
			{"PUT", toDeploy, s.setEnv}, {"DELETE", toDeploy, s.unsetEnv},
		}},
		{"/functions/{namespace}/{id}/logs", apiPort, []method{{"GET", toDeploy, s.functionLogs}}},
		{callsPath + "/{invocation}/result", apiPort | runPort, []method{{"GET", toFollow, s.getCallResult}}},
		{callsPath + "/{invocation}/callback/redrive", apiPort, []method{{"POST", toDeploy, s.redriveCallback}}},
		{callsPath + "/{invocation}/redrive", apiPort, []method{{"POST", toDeploy, s.redriveCall}}},
		{callsPath + "/{invocation}", apiPort | runPort, []method{
			{"GET", toFollow, s.getCall}, {"DELETE", toFollow, s.deleteCall},
		}},
		{callsPath, apiPort, []method{{"GET", toDeploy, s.listCalls}}},
		{"/functions/{namespace}/{id}/idempotency-key", apiPort, []method{{"DELETE", toDeploy, s.forgetKey}}},
		{"/functions/{namespace}/{id}/secrets/{secret}", apiPort, []method{
			{"PUT", toDeploy, s.putSecret}, {"DELETE", toDeploy, s.deleteSecret},
		}},
		{"/functions/{namespace}/{id}/secrets", apiPort, []method{{"GET", toDeploy, s.listSecrets}}},
		{"/functions/{namespace}/{id}/files/*", apiPort, []method{{"GET", toDeploy, s.getFiles}}},
		{pipelinePath, apiPort | runPort, []method{{"PUT", toPipe, s.pipeline}}},
		{"/functions/{namespace}/{id}", apiPort, []method{
			{"PUT", toBuild, s.putFunction},
			{"GET", toDeploy, s.getFunction},
			{"DELETE", toDeploy, s.deleteFunction},
			{"POST", toBuild, s.postFunction},
		}},
		{"/functions", apiPort, []method{{"GET", toList, s.listFunctions}}},
		{"/namespaces/{namespace}/modules/{module}/files/*", apiPort, []method{{"GET", toDeploy, s.getModuleFiles}}},
		{"/namespaces/{namespace}/modules/{module}/functions", apiPort, []method{{"GET", toDeploy, s.listModuleUsers}}},
		{"/namespaces/{namespace}/modules/{module}", apiPort, []method{
			{"PUT", toBuild, s.putModule}, {"GET", toDeploy, s.getModule}, {"DELETE", toDeploy, s.deleteModule},
		}},
		{"/namespaces/{namespace}/modules", apiPort, []method{{"GET", toDeploy, s.listModules}}},
		{"/namespaces", apiPort, []method{{"GET", toLook, s.listNamespaces}}},
		{"/namespaces/{namespace}/limits", apiPort, []method{
			{"PUT", toOperate, s.putLimits}, {"GET", toDeploy, s.getLimits}, {"DELETE", toOperate, s.deleteLimits},
		}},
		{"/namespaces/{namespace}/secrets/{secret}", apiPort, []method{
			{"PUT", toDeploy, s.putSecret}, {"DELETE", toDeploy, s.deleteSecret},
		}},
		{"/namespaces/{namespace}/secrets", apiPort, []method{{"GET", toDeploy, s.listSecrets}}},
		{"/namespaces/{namespace}/usage", apiPort, []method{{"GET", toDeploy, s.getUsage}}},
		{"/namespaces/{namespace}", apiPort, []method{
			{"PUT", toAdminister, s.putNamespace},
			{"GET", toDeploy, s.getNamespace},
			{"DELETE", toAdminister, s.deleteNamespace},
		}},
		{"/routes/{route}", apiPort, []method{
			{"PUT", toOperate, s.putRoute}, {"GET", toOperate, s.getRoute}, {"DELETE", toOperate, s.deleteRoute},
		}},
		{"/namespaces/{namespace}/connections/{connection}", apiPort, []method{
			{"POST", toSend, s.sendToSocket}, {"GET", toSend, s.getSocket}, {"DELETE", toSend, s.deleteSocket},
		}},
		{"/namespaces/{namespace}/connections", apiPort, []method{{"POST", toSendAll, s.sendToSockets}}},
		{"/routes", apiPort, []method{{"GET", toOperate, s.listRoutes}}},
		{"/keys", apiPort, []method{{"POST", toKeepKeys, s.postKey}, {"GET", toKeepKeys, s.listKeys}}},
		{"/keys/{key}", apiPort, []method{{"GET", toKeepKeys, s.getKey}, {"DELETE", toKeepKeys, s.deleteKey}}},
		{"/audit", apiPort, []method{{"GET", toAudit, s.listAudit}}},
		{"/healthcheck", apiPort, []method{{"GET", forAll, s.healthcheck}}},
		{livezPath, apiPort | runPort, []method{{"GET", forAll, probe(s.Livez)}}},
		{"/readyz", apiPort | runPort, []method{{"GET", forAll, probe(s.Readyz)}}},
		{"/status", apiPort, []method{{"GET", toLook, s.status}}},
		{"/status/isolation", apiPort, []method{{"GET", toLook, s.isolation}}},
		{"/_debug/http_stats", apiPort, []method{{"GET", toOperate, s.httpStats}}},
		{"/_schemas/*", apiPort, []method{{"GET", forAll, s.getSchema}}},
		{"/", apiPort, []method{{"GET", forAll, s.root}}},
	}
}

// router serves the resources of one port, and by the stored routes what is none of them. Its handler is not that of
// gorilla/mux, which would copy each request a second time to tell which route it has matched.
func (s *server) router(on ports) http.Handler {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	var run http.Handler
	for _, res := range s.resources() {
		if res.ports&on == 0 || !s.has(res) {
			continue
		}
		h := s.dispatch(res, on)
		router.Handle(template(res.path), h)
		if res.path == runPath {
			run = h
		}
	}
	router.NotFoundHandler = s.byRoute(on)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := contextOf(r.Context())
		if c.ref[0], c.plain = plainRun(r.URL); c.plain {
			run.ServeHTTP(w, r)
			return
		}
		router.Match(r, &c.match) // which has a handler for everything
		c.match.Handler.ServeHTTP(w, r)
	})
}

// has says whether there is a resource: some are not where they would serve nothing.
func (s *server) has(res resource) bool {
	switch {
	case strings.HasPrefix(res.path, "/keys"):
		return s.Auth != AuthOff
	case res.path == "/audit":
		return s.Auth != AuthOff && s.AuditList != nil
	case strings.HasPrefix(res.path, callsPath):
		return s.Calls != nil
	}
	return true
}

// template is path as a route of gorilla/mux: fixed parts match in upper and lower case, and a slash may follow. A
// variable that more parts follow matches an empty name too, so that it can be refused for what it is.
func template(path string) string {
	if path == "/" {
		return path
	}
	path, wild := strings.CutSuffix(path, "/*")
	parts := strings.Split(path[1:], "/")
	var out strings.Builder
	for i, part := range parts {
		name, variable := strings.CutPrefix(strings.TrimSuffix(part, "}"), "{")
		switch {
		case !variable:
			out.WriteString("/{" + strconv.Itoa(i) + ":(?i:" + regexp.QuoteMeta(part) + ")}")
		case i < len(parts)-1:
			out.WriteString("/{" + name + ":[^/]*}")
		default:
			out.WriteString("/{" + name + ":[^/]+}")
		}
	}
	if wild {
		return out.String() + "{rest:(?:/.*)?}"
	}
	return out.String() + "{slash:/?}"
}

// dispatch picks the method for those whom the port answers. GET serves HEAD too.
func (s *server) dispatch(res resource, on ports) http.Handler {
	methods := map[string]http.Handler{}
	var allow []string
	for _, m := range res.methods {
		methods[m.name] = s.adapt(s.sameSite(m.needs, s.guard(m.needs, m.serve)))
		if m.isWrite() {
			methods[m.name] = s.recorded(m.name+" "+res.path, methods[m.name])
		}
		if m.name == http.MethodPost && res.path == "/functions/{namespace}/{id}" { // the contract's Allow lacks it
			continue
		}
		allow = append(allow, m.name)
		if m.name == http.MethodGet {
			methods[http.MethodHead] = methods[m.name]
			allow = append(allow, http.MethodHead)
		}
	}
	fallback, ok := methods[anyMethod]
	if !ok {
		fallback = s.adapt(notFound)
		methods[http.MethodOptions] = s.adapt(options(allow))
		if res.path == pipelinePath {
			methods[http.MethodOptions] = s.adapt(s.pipelineOptions(options(allow)))
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.begin(w, r, res.path)
		contextOf(r.Context()).port = on
		if err := s.reaches(r, on, res.path, false); err != nil {
			s.fail(w, r, err)
			return
		}
		if on == apiPort && res.runs() {
			s.shield(w, r)
		}
		h, ok := methods[r.Method]
		if !ok {
			h = fallback
		}
		h.ServeHTTP(w, r)
	})
}

// guard has h serve those who are allowed to do what it needs.
func (s *server) guard(n need, h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.authorize(w, r, n); err != nil {
			return err
		}
		if err := s.checkEnabled(r, n); err != nil {
			return err
		}
		return h(w, r)
	}
}

// adapt makes an http.Handler of h that answers with h's error.
func (s *server) adapt(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

func notFound(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	return outcome.NotFound("Cannot " + r.Method + " " + urlOf(r))
}

// options tells which methods a path has, in the Allow header and as {"allow":[…]}.
func options(allow []string) handler {
	list := strings.Join(allow, ",")
	body := rawjson.NewObject(nil)
	body.Strings("allow", allow)
	text := body.End()
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Allow", list)
		sendJSON(w, r, http.StatusOK, text)
		return nil
	}
}

func (s *server) root(w http.ResponseWriter, r *http.Request) error {
	sendSchema(w, r, "root", []byte(`{"name":"Backstage functions"}`))
	return nil
}

// refOf is the function that the path names.
func refOf(r *http.Request) (function.Ref, error) {
	refs, err := pathRefs(r)
	if err != nil {
		return function.Ref{}, err
	}
	return refs[0], nil
}

// pathRefs is that function alone, which is read but once.
func pathRefs(r *http.Request) ([]function.Ref, error) {
	refs := contextOf(r.Context()).ref[:]
	if refs[0] != (function.Ref{}) {
		return refs, nil
	}
	namespace, err := nameOf(r, "namespace")
	if err != nil {
		return nil, err
	}
	id, err := nameOf(r, "id")
	if err != nil {
		return nil, err
	}
	refs[0] = function.Ref{Namespace: namespace, ID: id}
	return refs, nil
}
