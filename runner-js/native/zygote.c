/*
 * The fork server's system calls, as a Node-API addon (Node-API 1: one binary serves Node.js 8 and all later ones).
 *
 * zygote.serve() answers requests on a SOCK_SEQPACKET socket until the host closes it:
 *
 *   host -> zygote   struct request, for FORK with three descriptors: the worker's stdin, stdout and stderr; two more
 *                    for one that is to be rolled back, see track.h
 *   zygote -> host   struct report: BORN with a pidfd, or FAILED; DIED for each worker that was reaped
 *
 * It returns in a forked worker, its PID, and 0 in the zygote when the host asks it to SETTLE: the next call says that it has. Between fork and
 * the return in the worker nothing is allocated and no lock is taken that another thread of the zygote could have held: its only other thread waits
 * for SIGUSR1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <link.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <malloc.h>
#include <node_api.h>
#include <uv.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum { FORK = 1, UNSHARE_HEAP = 2, SETTLE = 3 }; /* requests */
enum { BORN = 1, FAILED = 2, DIED = 3 };      /* reports; BORN without a PID says that all else is done */
enum { MAX_RANGES = 2048, MAX_OPEN = 1024 };
#define HUGE_PAGE ((uintptr_t)2 << 20)

struct request {
  uint32_t type;
  uint32_t uid;                               /* FORK: of the worker; 0 keeps the zygote's */
  uint32_t ranges;                            /* UNSHARE_HEAP: how many of range are set */
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

/* The descriptors that were open before a fork, those below noted; pipe is the inode when it is one. */
static struct open_file { int open; ino_t pipe; } zygotes[MAX_OPEN];
static int noted;

static int control_fd = -1;
static int ended_fd = -1;                      /* readable when a worker has ended */
static struct sock_fprog filter;
static int64_t tmp_bytes;                      /* of each worker's own /tmp; 0 for none */

static struct __user_cap_header_struct cap_header = {_LINUX_CAPABILITY_VERSION_3, 0};
static const struct __user_cap_data_struct cap_none[2];

/* The exit codes of a worker whose preparation failed; the host knows them by name. */
enum { EXIT_DESCRIPTORS = 81, EXIT_USER = 82, EXIT_FILTER = 83, EXIT_LOOP = 84, EXIT_TMP = 85 };

enum { PIPES = 3, MOST_FDS = 5 };              /* that come with FORK */

#if defined(__x86_64__)
#include "track.h"
#else                                         /* the host does not ask for it */
static int is_tracked;
static int park_worker(void) { return 0; }
static void hand_over(int list, int socket) { (void)list; (void)socket; _exit(EXIT_FILTER); }
#endif

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

/* Notes what is open from descriptor 3 on: one poll(2) tells it of all, which fstat(2) would be asked for one by one. */
static int note_open(void) {
  static struct pollfd look[MAX_OPEN];
  struct rlimit limit;
  struct stat stat;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  noted = limit.rlim_cur < MAX_OPEN ? (int)limit.rlim_cur : MAX_OPEN; /* poll takes no more */
  for (int fd = 0; fd < noted; fd++) look[fd] = (struct pollfd){.fd = fd};
  if (poll(look, (nfds_t)noted, 0) < 0) return -1;
  for (int fd = 3; fd < noted; fd++) {
    zygotes[fd] = (struct open_file){0, 0};
    if ((look[fd].revents & POLLNVAL) || fstat(fd, &stat) != 0) continue;
    zygotes[fd] = (struct open_file){1, S_ISFIFO(stat.st_mode) ? stat.st_ino : 0};
  }
  return 0;
}

/* Says whether a descriptor of a worker is the zygote's still. libuv's handler of forks (pthread_atfork(3)) makes the pipe anew that is its lock
 * for signals; what else the zygote had open is shared with it. */
static int is_zygotes(int fd) {
  struct stat stat;
  if (fstat(fd, &stat) != 0) return 0;        /* closed since */
  return !S_ISFIFO(stat.st_mode) || stat.st_ino == zygotes[fd].pipe;
}

/* Takes from a worker all that it shares with the zygote, and so with other workers: the loops of V8's threads, which do not exist here, and the
 * default loop's, which is made anew below. The numbers stay taken, by a device that swallows all: those who think that a loop is behind theirs
 * must not write into what is opened next. */
static void leave_zygotes_files(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) _exit(EXIT_DESCRIPTORS);
  for (int fd = 3; fd < noted; fd++) {
    if (fd != null && zygotes[fd].open && is_zygotes(fd) && dup3(null, fd, O_CLOEXEC) < 0) _exit(EXIT_DESCRIPTORS);
  }
  close(null);
  if (syscall(SYS_close_range, (long)noted, ~0u, 0L) != 0 && errno != ENOSYS) _exit(EXIT_DESCRIPTORS); /* there should be none */
}

/* Gives a worker a /tmp of its own in memory, in a mount namespace of its own, which both end with it. It is in its
 * control group already, so that they count as its. Where the host lets nobody have a mount namespace, /tmp stays as it
 * is: empty, and read-only. */
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

/* V8 of Node.js 20 and later excludes its heap from forks; this takes that back for the ranges that the host found. */
static void unshare_heap(const struct request *request, const struct range *ranges) {
  for (uint32_t i = 0; i < request->ranges && i < MAX_RANGES; i++) {
    madvise((void *)(uintptr_t)ranges[i].start, ranges[i].length, MADV_DOFORK);
  }
  if (!request->last) return;
  struct report report = {.type = BORN};
  send_report(&report, -1);
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

/* Whoever tells the server to end, or to read its configuration again, may tell its whole control group. It ends us, and our workers, when the
 * calls in progress are answered; workers have this from us. Node.js itself puts all signals back when it starts, so it is done here. */
static void ignore_signals(void) {
  static const int without_meaning[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR2, SIGALRM, SIGVTALRM, SIGXFSZ, SIGIO, SIGPWR, SIGSTKFLT};
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

/* reseed() makes OpenSSL draw new entropy: version 1.0, in Node.js 8, tells forks apart by their PID alone. */
static napi_value reseed(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  int (*rand_poll)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "RAND_poll");
  if (rand_poll != NULL) rand_poll();
  return NULL;
}

/* leave(code) ends a worker at once. exit(3) would have Node.js wait for V8's threads, which a fork does not have. */
static napi_value leave(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  int32_t code = EXIT_FAILURE;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) == napi_ok && argc == 1) napi_get_value_int32(env, argv[0], &code);
  _exit(code);
}

/* V8 gives back what memory it can. */
static void collect_garbage(void) {
  /* v8::Isolate::GetCurrent() and LowMemoryNotification(), which every version of Node.js exports. */
  void *(*current)(void) = (void *(*)(void))dlsym(RTLD_DEFAULT, "_ZN2v87Isolate10GetCurrentEv");
  void (*collect)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "_ZN2v87Isolate21LowMemoryNotificationEv");
  if (current != NULL && collect != NULL) collect(current());
}

/* Finds the program's own code: the first object is the program. */
static int find_code(struct dl_phdr_info *info, size_t size, void *found) {
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) || (segment->p_flags & PF_W)) continue;
    struct range *code = found;
    code->start = (uint64_t)(info->dlpi_addr + segment->p_vaddr);
    code->length = segment->p_memsz;
  }
  return 1;
}

/* Puts a copy in huge pages in place of Node.js's code. A fork shares a huge page at once, where it has to meet each page of a file anew.
 * Where the kernel gives none (Linux before 6.1, memory in pieces) all stays as it is. */
static void enlarge_code_pages(void) {
  struct range code = {0, 0};
  dl_iterate_phdr(find_code, &code);
  uintptr_t start = (code.start + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
  uintptr_t end = (code.start + code.length) & ~(HUGE_PAGE - 1);
  if (code.length == 0 || end <= start) return;
  size_t length = end - start;
  char *space = mmap(NULL, length + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (space == MAP_FAILED) return;
  char *copy = (char *)(((uintptr_t)space + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
  madvise(copy, length, MADV_HUGEPAGE);
  memcpy(copy, (const void *)start, length);
  if (madvise(copy, length, MADV_COLLAPSE) == 0 && mprotect(copy, length, PROT_READ | PROT_EXEC) == 0
      && mremap(copy, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)start) != MAP_FAILED) {
    if (copy > space) munmap(space, (size_t)(copy - space));
    munmap(copy + length, (size_t)(space + HUGE_PAGE - copy));
  } else {
    munmap(space, length + HUGE_PAGE);
  }
}

/* turn() has the event loop call what is due, and does not wait. Only the fork server calls it, before its loop runs. */
static napi_value turn(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  uv_run(uv_default_loop(), UV_RUN_NOWAIT);
  return NULL;
}

/* park() goes to the stub: it returns how many bytes of stdin were read, 1, in a process that is as in the snapshot. */
static napi_value park(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value read = NULL;
  int n = park_worker();
  uv_update_time(uv_default_loop());          /* which the loop knows as it was in the snapshot */
  napi_create_int32(env, n, &read);
  return read;
}

/* stir() gives OpenSSL fresh bytes of the kernel: its state is that of the snapshot, and so the same for each call. */
static napi_value stir(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  static void (*rand_add)(const void *, int, double);
  unsigned char bytes[48];
  if (rand_add == NULL) rand_add = (void (*)(const void *, int, double))dlsym(RTLD_DEFAULT, "RAND_add");
  if (rand_add == NULL || syscall(SYS_getrandom, bytes, sizeof bytes, 0L) != sizeof bytes) _exit(71);
  rand_add(bytes, sizeof bytes, sizeof bytes);
  return NULL;
}

/* tracked() says whether this worker can be rolled back. Then it has malloc take so much that ordinary calls change no
 * mapping, and the event loop take its descriptors into its set. */
static napi_value tracked(napi_env env, napi_callback_info info) {
  (void)info;
  enum { BLOCKS = 64, BLOCK = 128 << 10 };
  void *blocks[BLOCKS];
  napi_value result = NULL;
  napi_get_boolean(env, is_tracked, &result);
  if (!is_tracked) return result;
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
  for (int i = 0; i < BLOCKS; i++) blocks[i] = malloc(BLOCK);
  for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
  uv_run(uv_default_loop(), UV_RUN_NOWAIT);
  return result;
}

/* slim() makes forks cheap: what a fork and its end cost grows with the number of pages in use. */
static napi_value slim(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  collect_garbage();
  enlarge_code_pages();
  return NULL;
}

static napi_value init(napi_env env, napi_value exports) {
  napi_value fn;
  if (napi_create_function(env, "open", NAPI_AUTO_LENGTH, open_control, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "open", fn);
  if (napi_create_function(env, "serve", NAPI_AUTO_LENGTH, serve, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "serve", fn);
  if (napi_create_function(env, "reseed", NAPI_AUTO_LENGTH, reseed, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "reseed", fn);
  if (napi_create_function(env, "leave", NAPI_AUTO_LENGTH, leave, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "leave", fn);
  if (napi_create_function(env, "turn", NAPI_AUTO_LENGTH, turn, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "turn", fn);
  static const struct { const char *name; napi_callback function; } rollback[] = {
    {"park", park}, {"stir", stir}, {"tracked", tracked},
  };
  for (size_t i = 0; i < sizeof rollback / sizeof *rollback; i++) {
    if (napi_create_function(env, rollback[i].name, NAPI_AUTO_LENGTH, rollback[i].function, NULL, &fn) == napi_ok) {
      napi_set_named_property(env, exports, rollback[i].name, fn);
    }
  }
  if (napi_create_function(env, "slim", NAPI_AUTO_LENGTH, slim, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "slim", fn);
  return exports;
}

NAPI_MODULE(zygote, init)
