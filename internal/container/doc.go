// Package container does the duties of a container's first process.
//
// It stands between the container's runtime and the server:
//
//	PID 1   functions serve    passes signals on, reaps orphans, ends with the server's exit code
//	 └─     functions serve    the server, with its own writable mount of the cgroups if the container's is read-only
//
// Docker and Kubernetes mount /sys/fs/cgroup read-only unless a container is privileged. But the groups below the
// container's own belong to its root user, and a process with its own user and cgroup namespaces may mount them again,
// writable, and then sees none of the host's other groups: user_namespaces(7), cgroup_namespaces(7). This needs no
// capability over the host except those that map user IDs.
//
// Outside a container none of this happens.
package container
