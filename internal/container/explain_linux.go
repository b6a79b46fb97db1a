package container

import (
	"errors"
	"fmt"
	"syscall"
)

// docs/deploy/README.md explains what a container needs; these name the one thing that was refused.
const (
	needNamespaces = "user namespaces are refused: start the container with the seccomp profile docs/deploy/seccomp.json" +
		" (--security-opt seccomp=docs/deploy/seccomp.json), and on a host that restricts them set the sysctls " +
		"user.max_user_namespaces above 0" +
		" and kernel.apparmor_restrict_unprivileged_userns to 0"
	needMappings = "user IDs cannot be mapped: give the container the capabilities SETUID, SETGID and SETFCAP (--cap-add)"
	needMount    = "mounting is refused: start the container with --security-opt apparmor=unconfined and the seccomp " +
		"profile docs/deploy/seccomp.json"
	orLess = "; docs/deploy/README.md explains it, and ISOLATION=none does without, for code that you trust"
)

// explainStart says what a container lacks if the server could not be started in its own namespaces. A refused clone(2)
// returns EPERM, and so does writing the map of user IDs: mayMap tells them apart.
func explainStart(err error, mayMap bool) error {
	need := needNamespaces
	switch {
	case !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EACCES) && !errors.Is(err, syscall.ENOSPC) &&
		!errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("start server: %w", err)
	case !mayMap:
		need = needMappings
	}
	return fmt.Errorf("cgroups of its own: %w: %s%s", err, need, orLess)
}

func explainMount(err error) error {
	return fmt.Errorf("cgroups of its own: %w: %s%s", err, needMount, orLess)
}
