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

/* What the stack may have, and what of it is mapped from the start: it must not grow without a system call. STACK_KEPT of
 * that is in memory, for what calls use. */
enum { STACK_LIMIT = 1792 * 1024, STACK_TOUCHED = 1536 * 1024, STACK_KEPT = 64 * 1024 };

static int is_tracked;                        /* in a worker that the host can roll back */

/* System calls that leave nothing in the kernel that a later call could find. All others are told to the host, which
 * looks closely at the process then, or gives it up. */
static const unsigned harmless[] = {
  SYS_getrandom, SYS_futex, SYS_gettimeofday, SYS_time, SYS_getpid, SYS_gettid,
  SYS_getppid, SYS_clock_getres, SYS_nanosleep, SYS_sched_yield, SYS_epoll_wait, SYS_epoll_pwait,
  SYS_poll, SYS_ppoll, SYS_uname, SYS_sysinfo, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_fstat, SYS_stat,
  SYS_lstat, SYS_newfstatat, SYS_access, SYS_readlink, SYS_getcwd, SYS_restart_syscall, SYS_exit,
  SYS_exit_group, SYS_sched_getaffinity, SYS_getsockopt, SYS_statx, SYS_faccessat, SYS_faccessat2, SYS_readlinkat,
};
enum { HARMLESS = sizeof harmless / sizeof harmless[0] };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define IF_ANY(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (yes), (no))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))

/* Lays the filter over this thread that tells the host of system calls; returns the descriptor on which it hears of
 * them. One message may be sent before the host listens: that of the handover.
 *
 *   head     which system call is it?
 *   listed   one comparison for each that is harmless
 *   notify, allow, then what looks at the first argument: written, sent, given, clocks, and refuse */
static int notify_host(int handover) {
  enum {
    HEAD = 14, NOTIFY = HEAD + HARMLESS, ALLOW, WRITTEN, SENT = WRITTEN + 5, GIVEN = SENT + 4, CLOCKS = GIVEN + 4,
    REFUSE = CLOCKS + 5, LENGTH,
  };
#define GO(from, to) ((unsigned char)((to) - (from) - 1))
#define CASE(at, nr, to) [at] = IF_EQUAL(nr, GO(at, to), 0)
  struct sock_filter f[LENGTH] = {
    LOAD(arch), IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0), ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(nr),
    CASE(4, SYS_write, WRITTEN), CASE(5, SYS_writev, WRITTEN), CASE(6, SYS_sendmsg, SENT),
    CASE(7, SYS_read, GIVEN), CASE(8, SYS_readv, GIVEN),
    CASE(9, SYS_clock_gettime, CLOCKS), CASE(10, SYS_clock_nanosleep, CLOCKS), CASE(11, SYS_getrusage, REFUSE),
    CASE(12, SYS_times, REFUSE), CASE(13, SYS_mremap, REFUSE),
    [NOTIFY] = ANSWER(SECCOMP_RET_USER_NOTIF), [ALLOW] = ANSWER(SECCOMP_RET_ALLOW),
    /* What is written to stdout and stderr is the host's to read. On other descriptors it is state. */
    [WRITTEN] = LOAD(args[0]), IF_EQUAL(1, 2, 0), IF_EQUAL(2, 1, 0),
    ANSWER(SECCOMP_RET_USER_NOTIF), ANSWER(SECCOMP_RET_ALLOW),
    [SENT] = LOAD(args[0]), IF_EQUAL((unsigned)handover, 1, 0),
    ANSWER(SECCOMP_RET_USER_NOTIF), ANSWER(SECCOMP_RET_ALLOW),
    /* What is read from stdin has come from the host. What others have is state, as are their positions. */
    [GIVEN] = LOAD(args[0]), IF_EQUAL(0, 1, 0),
    ANSWER(SECCOMP_RET_USER_NOTIF), ANSWER(SECCOMP_RET_ALLOW),
    /* The clocks of CPU time, its counts of faults and its most memory tell of earlier calls: CLOCK_PROCESS_CPUTIME_ID,
     * CLOCK_THREAD_CPUTIME_ID, and those of a process by its number, which are negative. */
    [CLOCKS] = LOAD(args[0]), IF_ANY(0x80000000u, 3, 0), IF_EQUAL(2, 2, 0), IF_EQUAL(3, 1, 0),
    ANSWER(SECCOMP_RET_ALLOW),
    /* mremap(2) tells in which pieces the kernel has mappings, and so what earlier calls have done to them. */
    [REFUSE] = ANSWER(SECCOMP_RET_ERRNO | EPERM),
  };
  for (unsigned i = 0, at = HEAD; i < HARMLESS; i++, at++) {
    f[at] = (struct sock_filter)IF_EQUAL(harmless[i], GO(at, ALLOW), 0);
  }
  struct sock_fprog program = {.len = LENGTH, .filter = f};
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

/* Has the stack be as large as it may ever become, and gives the kernel back what calls do not use: its pages are as
 * those that nobody has touched, within a mapping that need not grow. */
static void __attribute__((noinline)) fill_stack(void) {
  volatile char deep[STACK_TOUCHED];
  for (size_t i = 0; i < sizeof deep; i += 4096) deep[i] = 0;
  uintptr_t start = ((uintptr_t)deep + 4095) & ~4095ul, end = ((uintptr_t)deep + sizeof deep - STACK_KEPT) & ~4095ul;
  madvise((void *)start, end - start, MADV_DONTNEED);
}

/* Makes this process one that the host can roll back. list is the memory for the stub, socket the way to the host.
 * The filter that functions are under comes after this one, and allows nothing of what is done here. */
static void hand_over(int list, int socket) {
  is_tracked = 1;
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
