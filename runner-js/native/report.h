/* What the fork server and its host tell each other, and the reports on workers. The other half is
 * sandbox/internal/zygote/message_linux.go. */
#ifndef REPORT_H
#define REPORT_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORK = 1, UNSHARE_HEAP = 2, SETTLE = 3, GATHER_HEAP = 4 }; /* requests */
enum { BORN = 1, FAILED = 2, DIED = 3 };      /* reports; BORN without a PID says that all else is done */
enum { MAX_RANGES = 2048 };

struct request {
  uint32_t type;
  uint32_t uid;                               /* FORK: of the worker; 0 keeps the zygote's */
  uint32_t ranges;                            /* UNSHARE_HEAP, GATHER_HEAP: how many of range are set */
  uint32_t last;                              /* UNSHARE_HEAP: 1 in the last message */
                                              /* FORK: 1 for a worker that is to be rolled back */
};

struct range { uint64_t start, length; };

struct report {
  uint32_t type;
  int32_t pid;                                /* in the zygote's PID namespace */
  int32_t status;                             /* DIED: as wait4(2) gives it; FAILED: errno */
  uint32_t max_rss_kb;                        /* DIED */
  uint64_t cpu_us;                            /* DIED: user and system time */
};

/* The exit codes of a worker whose preparation failed; the host knows them by name. */
enum { EXIT_DESCRIPTORS = 81, EXIT_USER = 82, EXIT_FILTER = 83, EXIT_LOOP = 84, EXIT_TMP = 85 };
enum { EXIT_RANDOM = 87 };                    /* after that of track.h */

static int control_fd = -1;
static int ended_fd = -1;                      /* readable when a worker has ended */

static void send_report(const struct report *report, int fd) {
  char space[CMSG_SPACE(sizeof(int))];
  struct iovec iov = {(void *)report, sizeof *report};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
  if (fd >= 0) {
    memset(space, 0, sizeof space);
    msg.msg_control = space;
    msg.msg_controllen = sizeof space;
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
  }
  while (sendmsg(control_fd, &msg, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) _exit(0);             /* the host is gone, and the workers go with this PID namespace */
  }
}

/* The handler of SIGCHLD. A signalfd would not do: the signal must reach us whichever thread the kernel gives it to. */
static void note_end(int signal) {
  (void)signal;
  int saved = errno;
  uint64_t one = 1;
  if (write(ended_fd, &one, sizeof one) < 0) {}  /* full means noted already */
  errno = saved;
}

/* Reports every worker that has ended. */
static void reap(void) {
  uint64_t ends;
  if (read(ended_fd, &ends, sizeof ends) < 0) {}
  for (;;) {
    int status;
    struct rusage usage;
    pid_t pid = wait4(-1, &status, WNOHANG, &usage);
    if (pid <= 0) return;
    struct report report = {.type = DIED, .pid = pid, .status = status, .max_rss_kb = (uint32_t)usage.ru_maxrss};
    report.cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u
                  + (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    send_report(&report, -1);
  }
}

#endif
