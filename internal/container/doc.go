// Package container does the duties of a container's first process.
//
// It stands between the container's runtime and the server:
//
//	PID 1   functions serve    passes signals on, reaps orphans, ends with the server's exit code
//	 └─     functions serve    the server, in a view of its own of the control groups where the container's is read-only
//
// Docker and Kubernetes mount /sys/fs/cgroup read-only unless a container is privileged. Yet the groups below the container's own belong
// to its root user, and a process that has a user and a cgroup namespace of its own may mount them again, writable, and sees nothing of the
// host's other groups then: user_namespaces(7), cgroup_namespaces(7). That takes no capability over the host but those that map user IDs.
//
// Outside of a container nothing of this happens.
package container
