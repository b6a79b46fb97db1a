/* The first steps of a worker, from its fork to its system-call filter. */
#ifndef PREPARE_H
#define PREPARE_H

#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <uv.h>

#include "descriptors.h"

enum { PIPES = 3, MOST_FDS = 5 };              /* that come with FORK */

static struct sock_fprog filter;
static int64_t tmp_bytes;                      /* of each worker's own /tmp; 0 for none */

static struct __user_cap_header_struct cap_header = {_LINUX_CAPABILITY_VERSION_3, 0};
static const struct __user_cap_data_struct cap_none[2];

#if defined(__x86_64__)
#include "track.h"
#else                                         /* the host does not ask for it */
static int is_tracked;
static int park_worker(void) { return 0; }
static void hand_over(int list, int socket) { (void)list; (void)socket; _exit(EXIT_FILTER); }
#endif

/* Gives a worker a /tmp of its own in memory, in a mount namespace of its own, which both end with it. It is in its
 * control group already, so that they count as its. Where the host lets nobody have a mount namespace, /tmp stays as
 * it is: empty, and read-only. */
static void give_tmp(uint32_t uid) {
  char data[128];
  if (tmp_bytes == 0) return;
  if (unshare(CLONE_NEWNS) != 0) {
    if (errno == EPERM || errno == ENOSYS) return;
    _exit(EXIT_TMP);
  }
  snprintf(data, sizeof data, "size=%lld,nr_inodes=1024,mode=700,uid=%u,gid=%u", (long long)tmp_bytes, uid, uid);
  unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME; /* and no others: the zygote's filter */
  if (mount("tmp", "/tmp", "tmpfs", flags, data) != 0 && errno != EPERM) _exit(EXIT_TMP);
}

/* The first steps of a worker. It waits for one byte on its stdin, which says that it is in its control group. */
static void prepare_worker(const int fds[MOST_FDS], uint32_t uid) {
  char go;
  ssize_t n;
  signal(SIGCHLD, SIG_DFL);
  for (int i = 0; i < PIPES; i++) {
    if (dup2(fds[i], i) < 0) _exit(EXIT_DESCRIPTORS);
  }
  for (int i = 0; i < PIPES; i++) close(fds[i]);
  for (int i = PIPES; i < MOST_FDS; i++) {
    if (fds[i] >= 0) zygotes[fds[i]].open = 0; /* they are the worker's own */
  }
  close(control_fd);
  close(ended_fd);
  leave_zygotes_files();
  do n = read(0, &go, 1); while (n < 0 && errno == EINTR);
  if (n != 1) _exit(0);
  give_tmp(uid);
  if (uid != 0) {
    struct rlimit tasks = {64, 64};           /* of this user, which no other worker is */
    long id = (long)uid;                      /* the zygote's filter compares all 64 bits */
    if (syscall(SYS_setresgid, id, id, id) != 0 || syscall(SYS_setresuid, id, id, id) != 0) _exit(EXIT_USER);
    if (setrlimit(RLIMIT_NPROC, &tasks) != 0) _exit(EXIT_USER);
  }
  if (syscall(SYS_capset, &cap_header, cap_none) != 0) _exit(EXIT_USER);
  prctl(PR_SET_DUMPABLE, 0L, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, (long)SIGKILL, 0, 0, 0);  /* outside a PID namespace nothing else ends it with the zygote */
  if (uv_loop_fork(uv_default_loop()) != 0) _exit(EXIT_LOOP);
  if (fds[PIPES] >= 0) hand_over(fds[PIPES], fds[PIPES + 1]);
  if (filter.len > 0) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0, 0, 0) != 0) _exit(EXIT_FILTER);
    if (prctl(PR_SET_SECCOMP, (long)SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) _exit(EXIT_FILTER);
  }
}

#endif
