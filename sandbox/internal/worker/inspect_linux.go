package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// kernelNamespaces are those that a worker must not share with the server, by their names under /proc/PID/ns.
var kernelNamespaces = []string{"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"}

// inspect looks at a living worker from the host, so that what is reported is what is there and not what was meant:
// proc(5). What the kernel does not let this user see counts as obtained, for a step that fails ends the start. A layer
// that the tier leaves out has no detail, which would be logged as something that is missing.
func (s *Starter) inspect(pid int) Report {
	asked := s.jailer != nil
	var r Report
	for _, name := range kernelNamespaces {
		r.Layers = append(r.Layers, namespaceLayer(pid, name, asked))
	}
	r.Layers = append(r.Layers, rootLayer(pid, asked))
	status, err := processStatus(filepath.Join("/proc", strconv.Itoa(pid)))
	r.Layers = append(r.Layers,
		statusLayer("no capabilities", asked, err, hasNone(status, "CapInh", "CapPrm", "CapEff", "CapAmb"),
			"CapEff "+status["CapEff"]),
		statusLayer("no new privileges", asked, err, status["NoNewPrivs"] == "1", ""),
		statusLayer("system-call filter", asked, err, status["Seccomp"] == "2", ""),
		s.userLayer(asked, err, status["Uid"]), s.tmpLayer(pid), s.limitsLayer(), s.forkLayer(),
		s.zygoteLayer(status["PPid"]), s.leftWorkLayer())
	return r
}

// zygoteLayer says whether every thread of the process that the worker was forked from is under a filter: proc(5),
// /proc/PID/task.
func (s *Starter) zygoteLayer(pid string) Layer {
	threads, err := filepath.Glob(filepath.Join("/proc", pid, "task", "*"))
	filtered := 0
	for _, thread := range threads {
		status, failure := processStatus(thread)
		switch {
		case errors.Is(failure, fs.ErrNotExist): // it has ended
			filtered++
		case failure != nil:
			err = failure
		case status["Seccomp"] == "2":
			filtered++
		}
	}
	all := s.forks && filtered > 0 && filtered == len(threads)
	return statusLayer("fork server's filter", s.jailer != nil && s.forks, err, all, "")
}

func namespaceLayer(pid int, name string, asked bool) Layer {
	layer := Layer{Name: name + " namespace", Asked: asked}
	theirs, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "ns", name))
	if errors.Is(err, fs.ErrPermission) {
		return unseen(layer)
	}
	ours, ownErr := os.Readlink(filepath.Join("/proc/self/ns", name))
	layer.Obtained = err == nil && ownErr == nil && theirs != ours
	if asked && !layer.Obtained {
		layer.Detail = "the worker shares it with the server; " +
			"the kernel must allow user namespaces (sysctl user.max_user_namespaces)"
	}
	return layer
}

// unseen is a layer that the kernel does not let this user look at.
func unseen(layer Layer) Layer {
	if layer.Asked {
		layer.Obtained, layer.Detail = true, "not visible to this user"
	}
	return layer
}

// rootLayer looks for a root of its own that is read-only.
func rootLayer(pid int, asked bool) Layer {
	layer := Layer{Name: "read-only root", Asked: asked}
	mounts, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "mountinfo"))
	if errors.Is(err, fs.ErrPermission) {
		return unseen(layer)
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 5 && fields[4] == "/" {
			layer.Obtained = strings.HasPrefix(fields[5], "ro,") && strings.Contains(line, " - tmpfs ")
		}
	}
	if asked && !layer.Obtained {
		layer.Detail = "the root can be written to; the kernel needs open_tree(2) and mount_setattr(2), Linux 5.12"
	}
	return layer
}

// processStatus are the fields of the file status in the directory that /proc has for a process or thread.
func processStatus(dir string) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.TrimSpace(value)
	}
	return fields, nil
}

func hasNone(status map[string]string, names ...string) bool {
	for _, name := range names {
		if strings.Trim(status[name], "0") != "" {
			return false
		}
	}
	return true
}

func statusLayer(name string, asked bool, err error, obtained bool, detail string) Layer {
	layer := Layer{Name: name, Asked: asked, Obtained: err == nil && obtained}
	switch {
	case !asked:
	case err != nil:
		layer.Detail = "the worker could not be looked at"
	case !obtained:
		layer.Detail = strings.TrimSpace("not in force " + detail)
	}
	return layer
}

// userLayer says whether workers have user IDs of their own, which only root can give.
func (s *Starter) userLayer(jailed bool, err error, ids string) Layer {
	asked := jailed && s.jailer.root
	own := strconv.Itoa(os.Getuid())
	layer := statusLayer("user of its own", asked, err, ids != "" && strings.Fields(ids + " ")[0] != own, "")
	if jailed && !asked && !layer.Obtained {
		layer.Detail = "workers run as the server's own user; a server that runs as root gives each an ID of its own"
	}
	return layer
}

// tmpLayer looks for a /tmp of the worker's own. It is no wall: without one a worker has nothing that it can write to.
func (s *Starter) tmpLayer(pid int) Layer {
	layer := Layer{Name: "/tmp of its own"}
	if s.jailer == nil || s.cfg.Limits.Tmp == 0 {
		return layer
	}
	mounts, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "mountinfo"))
	layer.Asked = err == nil && strings.Contains(string(mounts), " / /tmp rw,") || errors.Is(err, fs.ErrPermission)
	layer.Obtained = layer.Asked
	if layer.Obtained {
		layer.Detail = fmt.Sprintf("%d MiB of the worker's memory", s.cfg.Limits.Tmp>>20)
	} else {
		layer.Detail = "workers have no /tmp to write to: the host does not let them have mount namespaces; " +
			"in a container allow unshare, as docs/deploy/seccomp.json does"
	}
	return layer
}

func (s *Starter) limitsLayer() Layer {
	layer := Layer{Name: "resource limits", Asked: s.cfg.Isolation != None, Obtained: s.groups != nil}
	if s.groups != nil {
		l := s.cfg.Limits
		layer.Detail = fmt.Sprintf("cgroup v%d: %d MiB of memory, %v CPU, %d tasks",
			s.groups.tree.Version(), l.Memory>>20, l.CPU, l.PIDs)
	}
	return layer
}

// forkLayer is no wall, but says how workers start.
func (s *Starter) forkLayer() Layer {
	return Layer{Name: "fork server", Asked: s.forks, Obtained: s.forks, Detail: s.Method().Reason}
}

// leftWorkLayer is no wall either. It says whether workers see all work that a call leaves behind, after which they are
// not used again: without the addon that asks the event loop they see only what Node.js lists.
func (s *Starter) leftWorkLayer() Layer {
	layer := Layer{Name: "all work that a call leaves is seen"}
	if err := built(loopAddon(s.cfg.Runner)); err != nil {
		layer.Detail = fmt.Sprintf("%v: workers see only a part of it and may be used again; set "+
			"WORKER_MAX_INVOCATIONS=1, or install a C compiler and run make setup", err)
		return layer
	}
	layer.Asked, layer.Obtained = true, true
	return layer
}

// Method says how workers start.
func (s *Starter) Method() StartMethod {
	if s.forks {
		return StartMethod{Forked: true}
	}
	return StartMethod{
		Reason: "workers start directly, which takes longer; make setup builds the fork server where there is a C compiler",
	}
}

// Report says what stands around the workers. It was looked at when the first of them was ready.
func (s *Starter) Report() Report {
	s.reporting.Lock()
	defer s.reporting.Unlock()
	return s.reported
}

// firstLook inspects the first worker. A layer that is missing although its steps succeeded ends the start.
func (s *Starter) firstLook(p *Process) error {
	s.reporting.Lock()
	defer s.reporting.Unlock()
	if s.reported.Layers != nil {
		return nil
	}
	r := s.inspect(p.handle.pid())
	if p.missing != "" {
		r.Modules = strings.Split(p.missing, "\n")
	}
	if layer := r.missing(); layer != nil {
		return fmt.Errorf("%w: %s: %s", ErrUnsupported, layer.Name, layer.Detail)
	}
	s.reported = r
	return nil
}
