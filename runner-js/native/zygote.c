/*
 * The fork server's system calls, as a Node-API addon (Node-API 1: one binary serves Node.js 8 and all later ones).
 *
 * zygote.serve() answers requests on a SOCK_SEQPACKET socket until the host closes it:
 *
 *   host -> zygote   struct request, for FORK with three descriptors: the worker's stdin, stdout and stderr; two more
 *                    for one that is to be rolled back, see track.h
 *   zygote -> host   struct report: BORN with a pidfd, or FAILED; DIED for each worker that was reaped
 *
 * It returns in a forked worker, its PID, and 0 in the zygote when the host asks it to SETTLE: the next call says that
 * it has. Between fork and the return in the worker nothing is allocated and no lock is taken that another thread of
 * the zygote could have held: its only other thread waits for SIGUSR1.
 *
 *   report.h        messages of both sides, reports on workers
 *   descriptors.h   what a worker has open
 *   prepare.h       the first steps of a worker; track.h, park.h: of one that is rolled back
 *   shrink.h        what makes forks cheap; gather.h: the heap side by side
 *   nodejs.h        what Node.js must be told
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <node_api.h>

#include "report.h"
#include "descriptors.h"
#include "prepare.h"
#include "shrink.h"
#include "gather.h"
#include "nodejs.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* Forks a worker; returns 1 in it. */
static int fork_worker(const struct request *request, const int fds[MOST_FDS]) {
  pid_t pid = note_open() == 0 ? fork() : -1;
  if (pid == 0) {
    prepare_worker(fds, request->uid);
    return 1;
  }
  int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0L) : -1;
  struct report report = {.type = pidfd < 0 ? FAILED : BORN, .pid = pid, .status = pidfd < 0 ? errno : 0};
  /* Once the worker is known it has them alone; one that failed reads that its host is gone. */
  for (int i = 0; i < MOST_FDS; i++) if (fds[i] >= 0) close(fds[i]);
  send_report(&report, pidfd);
  if (pidfd >= 0) close(pidfd);
  return 0;
}

/* What came of a request. */
enum outcome { SERVED, IN_WORKER, SETTLING };

static enum outcome take_request(void) {
  static struct range ranges[MAX_RANGES];
  struct request request;
  char space[CMSG_SPACE(MOST_FDS * sizeof(int))];
  struct iovec iov[2] = {{&request, sizeof request}, {ranges, sizeof ranges}};
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = space, .msg_controllen = sizeof space};
  ssize_t n = recvmsg(control_fd, &msg, MSG_CMSG_CLOEXEC);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return SERVED;
  if (n < (ssize_t)sizeof request) _exit(0);  /* the host is gone */
  if (request.type == SETTLE) return SETTLING;
  if (request.type == UNSHARE_HEAP) {
    unshare_heap(&request, ranges);
    return SERVED;
  }
  if (request.type == GATHER_HEAP) {
    gather_heap(&request, ranges);
    return SERVED;
  }
  int fds[MOST_FDS] = {-1, -1, -1, -1, -1};
  size_t length = (request.last ? MOST_FDS : PIPES) * sizeof(int);
  struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
  if (request.type != FORK || cmsg == NULL || cmsg->cmsg_type != SCM_RIGHTS) _exit(70);
  if (cmsg->cmsg_len != CMSG_LEN(length)) _exit(70);
  memcpy(fds, CMSG_DATA(cmsg), length);
  return fork_worker(&request, fds) ? IN_WORKER : SERVED;
}

static void throw_errno(napi_env env, const char *what) { napi_throw_error(env, what, strerror(errno)); }

/* Copies a filter out of a Buffer into memory of our own: what uses it must not depend on a JavaScript object. */
static int take_filter(napi_env env, napi_value value, struct sock_fprog *program) {
  void *bytes;
  size_t length;
  if (napi_get_buffer_info(env, value, &bytes, &length) != napi_ok) return -1;
  program->len = (unsigned short)(length / sizeof(struct sock_filter));
  program->filter = malloc(length + 1);
  if (program->filter == NULL) { throw_errno(env, "malloc"); return -1; }
  memcpy(program->filter, bytes, length);
  return 0;
}

/* Lays a filter over all threads of the zygote: V8's too, which are not the one that serves. */
static int filter_zygote(const struct sock_fprog *program) {
  if (program->len == 0) return 0;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program);
}

/* Whoever tells the server to end, or to read its configuration again, may tell its whole control group. It ends us,
 * and our workers, when the calls in progress are answered; workers have this from us. Node.js itself puts all
 * signals back when it starts, so it is done here. */
static void ignore_signals(void) {
  static const int without_meaning[] = {
    SIGHUP, SIGINT, SIGTERM, SIGUSR2, SIGALRM, SIGVTALRM, SIGXFSZ, SIGIO, SIGPWR, SIGSTKFLT,
  };
  for (size_t i = 0; i < sizeof without_meaning / sizeof *without_meaning; i++) signal(without_meaning[i], SIG_IGN);
}

/* open(control, filter, own, tmp) takes the socket to the host, the system-call filter of the workers, the zygote's
 * own, which it is under from here on, and the size of each worker's /tmp in bytes, and prepares to serve. */
static napi_value open_control(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value argv[4];
  struct sock_fprog own;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 4) return NULL;
  if (napi_get_value_int64(env, argv[3], &tmp_bytes) != napi_ok) return NULL;
  if (napi_get_value_int32(env, argv[0], &control_fd) != napi_ok) return NULL;
  if (take_filter(env, argv[1], &filter) != 0 || take_filter(env, argv[2], &own) != 0) return NULL;
  ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (ended_fd < 0) { throw_errno(env, "eventfd"); return NULL; }
  struct sigaction action = {.sa_handler = note_end, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
  if (sigaction(SIGCHLD, &action, NULL) != 0) { throw_errno(env, "sigaction"); return NULL; }
  ignore_signals();
  if (filter_zygote(&own) != 0) throw_errno(env, "seccomp");
  free(own.filter);
  return NULL;
}

/* serve(): see the head of this file. */
static napi_value serve(napi_env env, napi_callback_info info) {
  (void)info;
  static const struct report done = {.type = BORN};
  static int settling;
  if (settling) send_report(&done, -1);
  settling = 0;
  struct pollfd fds[2] = {{.fd = control_fd, .events = POLLIN}, {.fd = ended_fd, .events = POLLIN}};
  enum outcome outcome = SERVED;
  while (outcome == SERVED) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) { throw_errno(env, "poll"); return NULL; }
    if (fds[1].revents) reap();
    if (fds[0].revents) outcome = take_request();
  }
  settling = outcome == SETTLING;
  napi_value pid = NULL;
  napi_create_int32(env, settling ? 0 : getpid(), &pid);
  return pid;
}

/* What JavaScript sees of all this. */
static napi_value init(napi_env env, napi_value exports) {
  static const struct { const char *name; napi_callback function; } all[] = {
    {"open", open_control}, {"serve", serve}, {"reseed", reseed}, {"leave", leave}, {"turn", turn},
    {"park", park}, {"tracked", tracked}, {"slim", slim}, {"roomy", roomy}, {"trim", trim},
  };
  napi_value fn;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (napi_create_function(env, all[i].name, NAPI_AUTO_LENGTH, all[i].function, NULL, &fn) == napi_ok) {
      napi_set_named_property(env, exports, all[i].name, fn);
    }
  }
  return exports;
}

NAPI_MODULE(zygote, init)
