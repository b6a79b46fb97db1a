/* What makes a fork one that the host can roll back: the first steps of such a worker, for x86-64. The other half is
 * sandbox/internal/rollback/handover.go. */
#ifndef TRACK_H
#define TRACK_H

#include <linux/audit.h>

#include "park.h"

#ifndef SYS_userfaultfd
#define SYS_userfaultfd 323
#endif
#ifndef SYS_statx
#define SYS_statx 332
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { EXIT_TRACK = 86 };                     /* beside those of zygote.c */
enum { USER_MODE_ONLY = 1 };                  /* UFFD_USER_MODE_ONLY, since Linux 5.11 */

/* What the stack may have, and what of it is there from the start: it must not grow without a system call. */
enum { STACK_LIMIT = 1792 * 1024, STACK_TOUCHED = 1536 * 1024 };

static int is_tracked;                        /* in a worker that the host can roll back */

/* System calls that leave nothing in the kernel that a later call could find. All others are told to the host, which
 * looks closely at the process then, or gives it up. */
static const unsigned harmless[] = {
  SYS_getrandom, SYS_futex, SYS_clock_gettime, SYS_gettimeofday, SYS_time, SYS_getpid, SYS_gettid,
  SYS_getppid, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_sched_yield, SYS_epoll_wait, SYS_epoll_pwait,
  SYS_poll, SYS_ppoll, SYS_uname, SYS_sysinfo, SYS_getrusage, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_fstat, SYS_stat,
  SYS_lstat, SYS_newfstatat, SYS_access, SYS_readlink, SYS_getcwd, SYS_restart_syscall, SYS_exit,
  SYS_exit_group, SYS_sched_getaffinity, SYS_getsockopt, SYS_statx, SYS_faccessat, SYS_faccessat2, SYS_readlinkat,
};
enum { HARMLESS = sizeof harmless / sizeof harmless[0] };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))

/* Lays the filter over this thread that tells the host of system calls; returns the descriptor on which it hears of
 * them. One message may be sent before the
 * host listens: that of the handover. */
static int notify_host(int handover) {
  struct sock_filter f[HARMLESS + 32];
  unsigned n = 0;
  const unsigned char end = HARMLESS + 2;      /* jumps from the last comparison by itself to behind the list */
  f[n++] = (struct sock_filter)LOAD(arch);
  f[n++] = (struct sock_filter)IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0);
  f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_KILL_PROCESS);
  f[n++] = (struct sock_filter)LOAD(nr);
  f[n++] = (struct sock_filter)IF_EQUAL(SYS_write, end + 4, 0);
  f[n++] = (struct sock_filter)IF_EQUAL(SYS_writev, end + 3, 0);
  f[n++] = (struct sock_filter)IF_EQUAL(SYS_sendmsg, end + 7, 0);
  f[n++] = (struct sock_filter)IF_EQUAL(SYS_read, end + 10, 0);
  f[n++] = (struct sock_filter)IF_EQUAL(SYS_readv, end + 9, 0);
  for (unsigned i = 0; i < HARMLESS; i++, n++) {
    f[n] = (struct sock_filter)IF_EQUAL(harmless[i], (unsigned char)(HARMLESS - i), 0);
  }
  f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_USER_NOTIF);
  f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
  /* What is written to stdout and stderr is the host's to read. On other descriptors it is state. */
  f[n++] = (struct sock_filter)LOAD(args[0]);
  f[n++] = (struct sock_filter)IF_EQUAL(1, 2, 0);
  f[n++] = (struct sock_filter)IF_EQUAL(2, 1, 0);
  f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_USER_NOTIF);
  f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
  f[n++] = (struct sock_filter)LOAD(args[0]);
  f[n++] = (struct sock_filter)IF_EQUAL((unsigned)handover, 1, 0);
  f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_USER_NOTIF);
  f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
  /* What is read from stdin has come from the host. What others have is state, as are their positions. */
  f[n++] = (struct sock_filter)LOAD(args[0]);
  f[n++] = (struct sock_filter)IF_EQUAL(0, 1, 0);
  f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_USER_NOTIF);
  f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
  struct sock_fprog program = {.len = (unsigned short)n, .filter = f};
  return (int)syscall(SYS_seccomp, (long)SECCOMP_SET_MODE_FILTER, (long)SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* What the host is told: handoverSize in handover.go. */
struct handover { uint64_t asked, reads, area; int64_t error; };

/* Gives the host the descriptors by which it tracks this process, none when one of them failed with error. */
static void send_handover(int socket, int uffd, int listener, int error) {
  int fds[2] = {uffd, listener};
  struct handover message = {(uint64_t)(uintptr_t)park_asked, (uint64_t)(uintptr_t)park_reads,
                             (uint64_t)(uintptr_t)&park_area, error};
  char space[CMSG_SPACE(sizeof fds)];
  struct iovec iov = {&message, sizeof message};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
  if (error == 0) {
    memset(space, 0, sizeof space);
    msg.msg_control = space;
    msg.msg_controllen = sizeof space;
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(cmsg), fds, sizeof fds);
  }
  if (sendmsg(socket, &msg, MSG_NOSIGNAL) < 0 || error != 0) _exit(EXIT_TRACK);
}

/* Has the stack be as large as it may ever become. */
static void __attribute__((noinline)) fill_stack(void) {
  volatile char deep[STACK_TOUCHED];
  for (size_t i = 0; i < sizeof deep; i += 4096) deep[i] = 0;
}

/* __get_cpuid_count without its header, which Node.js's own headers may not find: whether the kernel uses protection
 * keys (OSPKE). */
static int has_keys(void) {
  unsigned a = 7, b, c = 0, d;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (c >> 4) & 1;
}

/* Makes this process one that the host can roll back. list is the memory for the stub, socket the way to the host.
 * The filter that functions are under comes after this one, and allows nothing of what is done here. */
static void hand_over(int list, int socket) {
  is_tracked = 1;
  park_area.keys = (uint8_t)has_keys();
  fill_stack();
  struct rlimit stack = {STACK_LIMIT, STACK_LIMIT};
  if (setrlimit(RLIMIT_STACK, &stack) != 0) send_handover(socket, -1, -1, errno);
  long flags = O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY;
  int uffd = (int)syscall(SYS_userfaultfd, flags);
  if (uffd < 0) send_handover(socket, -1, -1, errno);
  void *at = mmap((void *)PARK_LIST, PARK_LIST_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, list, 0);
  if (at != (void *)PARK_LIST) {
    send_handover(socket, -1, -1, errno ? errno : EEXIST);
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0, 0, 0) != 0) send_handover(socket, -1, -1, errno);
  int listener = notify_host(socket);
  if (listener < 0) send_handover(socket, -1, -1, errno);
  send_handover(socket, uffd, listener, 0);   /* from here on the host answers */
  close(uffd);
  close(listener);
  close(list);
  close(socket);
}

#endif
