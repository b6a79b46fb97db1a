/* A worker without Node.js: it is handed over and parks as one does, and does what an attacker with native code might
 * do in a call, or leave behind. A call is a line break and a letter; the answer has eight bytes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "track.h"

enum { LARGE = 8 << 20, WITHIN = 5 << 20 };
enum { LIST = 3, HANDOVER = 4, EVENT = 7, OWN_FILE = 8, EPOLL = 9, PIPE = 10 };

static const char secret[] = "a secret of one call, 0123456789";
static char constant[2 * 4096] __attribute__((aligned(4096))) = {1, 2, 3}; /* of a file */
static char untouched[16 * 4096] __attribute__((aligned(4096))) = {1}; /* of a file, and not in memory at first */
static char *victim;                          /* a mapping of the snapshot with content */
static char *grown;                           /* one without */
static char *fixed;                           /* one that can only be read */
static char *large;                           /* one that is mostly empty */
static char *hidden;                          /* one of a file, without access */
static char rseq_area[32] __attribute__((aligned(32)));
static jmp_buf out_of_handler;

static void nothing(int n) { (void)n; }
static void leave(int n) { (void)n; _longjmp(out_of_handler, 1); }
static void *forever(void *p) { for (;;) pause(); return p; }

static void __attribute__((noinline)) on_stack(void) {
  char deep[1024 * 1024];
  memcpy(deep + 100, secret, sizeof secret);
  __asm__ volatile("" :: "r"(deep) : "memory"); /* it may not be left out */
}

static void __attribute__((noinline)) below_stack(void) {
  char deep[1720 * 1024];
  memcpy(deep + 100, secret, sizeof secret);
  __asm__ volatile("" :: "r"(deep) : "memory"); /* it may not be left out */
}

/* Returns from a signal that never was, to have the kernel take a mask of signals. */
static void __attribute__((noinline)) forge_return(void) {
  static ucontext_t context;
  greg_t *to = context.uc_mcontext.gregs;
  ucontext_t *from = &context;
  to[REG_CSGSFS] = 0x33 | 0x2bl << 48;
  to[REG_EFL] = 0x202;
  context.uc_stack.ss_flags = SS_DISABLE;
  sigaddset(&context.uc_sigmask, SIGUSR2);
  __asm__ volatile(
    "push %%rbx\n push %%rbp\n mov %%rsp,%c2(%0)\n lea 1f(%%rip),%%rax\n mov %%rax,%c3(%0)\n"
    "mov %1,%%rsp\n mov $15,%%eax\n syscall\n1: pop %%rbp\n pop %%rbx"
    : "+D"(to), "+S"(from) : "i"(8 * REG_RSP), "i"(8 * REG_RIP)
    : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
}

/* What can be read of what the process has used so far: 0 when nothing can, and the time of day can. */
static int64_t read_usage(void) {
  struct rusage usage;
  struct timespec t, past = {0, 1};
  struct tms ticks;
  long own = (~(long)getpid()) << 3 | 2;
  return (getrusage(RUSAGE_SELF, &usage) == 0) | (getrusage(RUSAGE_THREAD, &usage) == 0) << 1
       | (syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &t) == 0) << 2
       | (syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &t) == 0) << 3
       | (syscall(SYS_clock_gettime, own, &t) == 0) << 4
       | (syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &past, NULL) == 0) << 5
       | (syscall(SYS_times, &ticks) != -1) << 6
       | (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) != 0) << 7
       | (syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL) != 0) << 8;
}

/* Whether the kernel uses protection keys: bit 9 of XCR0. */
static int has_keys(void) {
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low >> 9) & 1;
}

/* What is left in registers and in the first pages: 0 when nothing is. */
static int64_t look(void) {
  unsigned long gs;
  unsigned short ds;
  char vector[16];
  unsigned keys = 0x55555554;
  static const char none[16];
  __asm__ volatile("rdgsbase %0\n mov %%ds,%1\n movdqu %%xmm15,%2" : "=r"(gs), "=m"(ds), "=m"(vector));
  if (has_keys()) __asm__ volatile("rdpkru" : "=a"(keys) : "c"(0) : "edx");
  return (gs != 0) | (ds != 0) << 1 | (memcmp(vector, none, 16) != 0) << 2 | (keys != 0x55555554) << 3
       | (victim[0] != 1 || victim[4096] != 0) << 4 | (grown[0] != 0) << 5
       | (untouched[0] != 1 || untouched[9 * 4096] != 0) << 6 | (fixed[0] != 1) << 7
       | (large[0] != 1 || large[WITHIN] != 0 || large[WITHIN + 4096] != 0) << 8;
}

/* Whether mremap(2) tells that a mapping ends within the victim, where it grows none, or not: 0 when it tells nothing. */
static int64_t find_bounds(void) {
  int64_t told = 0;
  for (int i = 0; i < 63; i++) {
    void *at = mremap(victim + i * 4096, 2 * 4096, 3 * 4096, 0);
    if (at != MAP_FAILED || errno != EPERM) told |= 1l << i;
  }
  return told;
}

static int64_t attack(char kind) {
  char *stub = (char *)((uintptr_t)park_asked & ~4095ul), *page = victim;
  switch (kind) {
  case 'a': return look();
  case 'b': memcpy(victim + 5000, secret, sizeof secret); victim[0] = 9; return 0;
  case 'c': memset(grown, 7, 16 * 4096); return 0;
  case 'd':                                   /* the stub's own code, without a change */
    if (mprotect(stub, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) return -errno;
    stub[200] ^= 1;
    stub[200] ^= 1;
    return mprotect(stub, 4096, PROT_READ | PROT_EXEC);
  case 'e': __asm__ volatile("wrgsbase %0\n mov %1,%%ds" ::"r"(0x12345678ul), "r"(0x2b)); return 0;
  case 'f': return madvise(page, 4096, MADV_DONTNEED);
  case 'g':                                   /* another page in place of one of the snapshot */
    if (mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) return -1;
    memcpy(page, secret, sizeof secret);
    return 0;
  case 'h': {                                 /* behind no access */
    char *q = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(q, secret, sizeof secret);
    return mprotect(q, 8192, PROT_NONE);
  }
  case 'i': { struct sigaction a = {.sa_handler = nothing}; return sigaction(SIGUSR2, &a, NULL); }
  case 'j': return fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
  case 'k': {                                 /* over the list */
    void *q = mmap((void *)PARK_LIST, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return q == MAP_FAILED;
  }
  case 'l': { pthread_t t; return pthread_create(&t, NULL, forever, NULL); }
  case 'm': memset(&park_area, 0x41, 64); return 0; /* the registers to return with */
  case 'n':                                   /* moved away */
    return mremap(page, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, page + (1ul << 30)) == MAP_FAILED;
  case 'o': return dup2(2, 77) < 0;
  case 'p': return dup2(2, OWN_FILE) < 0;
  case 'q': { sigset_t s; sigfillset(&s); return sigprocmask(SIG_BLOCK, &s, NULL); }
  case 'r': return umask(0) == 0;
  case 's': return prctl(PR_SET_NAME, "another", 0, 0, 0);
  case 't': on_stack(); return 0;
  case 'u': {                                 /* the vdso */
    char *vdso = (char *)getauxval(AT_SYSINFO_EHDR);
    if (mprotect(vdso, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) return -errno;
    vdso[4000] ^= 1;
    return mprotect(vdso, 4096, PROT_READ | PROT_EXEC);
  }
  case 'v': return madvise(page, 4096, MADV_DONTDUMP);
  case 'w': { uint64_t n = 5; return write(EVENT, &n, sizeof n) != sizeof n; }
  case 'x': { char *q = sbrk(1 << 20); memcpy(q, secret, sizeof secret); return 0; }
  case 'y': return munmap(page + 4096, 8 * 4096);
  case 'z': memcpy(page, secret, sizeof secret); return mprotect(page, 4096, PROT_READ);
  case 'A': madvise(page, 4096, MADV_DONTNEED); memcpy(page, secret, sizeof secret); return 0;
  case 'B':                                   /* the protection keys */
    if (has_keys()) __asm__ volatile("wrpkru" ::"a"(0x55555554 ^ 0xc00), "c"(0), "d"(0));
    return 0;
  case 'C': __asm__ volatile("movq %0,%%xmm15" ::"r"(0x4141414141414141ul) : "xmm15"); return 0;
  case 'D': return open("/tmp", O_TMPFILE | O_WRONLY, 0600) < 0;
  case 'E': return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
  case 'F': {                                 /* into the stub behind the question */
    __asm__ volatile("xor %%eax,%%eax\n jmp park_asked" ::: "memory");
    __builtin_unreachable();
  }
  case 'G':                                   /* with the direction flag and a wrong stack */
    __asm__ volatile("std\n xor %%rsp,%%rsp\n mov $108,%%eax\n jmp *%0" ::"r"(stub + 0) : "memory");
    __builtin_unreachable();
  case 'H': {                                 /* a secret in all that there is, for the control */
    memcpy(victim + 40 * 4096, secret, sizeof secret);
    memcpy(grown + 4096, secret, sizeof secret);
    return 0;
  }
  case 'I': return lseek(OWN_FILE, 1, SEEK_SET) < 0;
  case 'J': return close(OWN_FILE);
  case 'K': { struct rlimit l = {1 << 20, 1 << 20}; return setrlimit(RLIMIT_FSIZE, &l); }
  case 'L': return alarm(1000);
  case 'M': return mmap(constant, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED;
  case 'O': return untouched[9 * 4096] + (untouched[0] != 1); /* read */
  case 'P': untouched[0] = 7; untouched[9 * 4096] = 7; return 0;
  case 'N': memcpy(constant + 5000, secret, sizeof secret); return 0;
  case 'Q': below_stack(); return 0;
  case 'R': forge_return(); return 0;
  case 'S':                                   /* a signal stays blocked whose handler does not return */
    if (_setjmp(out_of_handler) == 0) *(volatile char *)8 = 1;
    return 0;
  case 'T': return madvise(page, 4096, MADV_FREE);
  case 'U':
    if (mprotect(hidden, 4096, PROT_READ | PROT_WRITE) != 0) return -errno;
    memcpy(hidden, secret, sizeof secret);
    return mprotect(hidden, 4096, PROT_NONE);
  case 'V': return madvise(fixed, 4096, MADV_DONTNEED);
  case 'W':                                   /* its content is moved away */
    return mremap(page, 4096, 4096, MREMAP_MAYMOVE | 4 /* MREMAP_DONTUNMAP */, 0) == MAP_FAILED;
  case 'X': return syscall(SYS_dup2, epoll_create1(0), EPOLL | 1ul << 32) != EPOLL; /* the kernel takes 32 bits */
  case 'Y': { char c; return read(OWN_FILE, &c, 1) != 1; }
  case 'Z':
    if (mprotect(fixed, 4096, PROT_READ | PROT_WRITE) != 0) return -errno;
    memcpy(fixed, secret, sizeof secret);
    return mprotect(fixed, 4096, PROT_READ);
  case '0': return write(PIPE + 1, secret, sizeof secret) != sizeof secret;
  case '1': { char c; return read(PIPE, &c, 1) != 1; }
  case '2': return read_usage();
  case '3': memcpy(large + WITHIN, secret, sizeof secret); return 0;
  case '4': memset(large + WITHIN, 7, 64 * 4096); return 0;
  case '5': return madvise(page + 20 * 4096, 4096, MADV_DONTFORK); /* a mapping of its own from now on */
  case '6': return find_bounds();
  case '7': return mprotect(page + 20 * 4096, 4096, PROT_EXEC);
  case '8': return fcntl(1, F_SETPIPE_SZ, 1 << 20) < 0;
  case '9': return fcntl(EVENT, F_SETOWN, getpid()) < 0;
  case ':':                                   /* the stub's code, behind its last instruction */
    if (mprotect(stub, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) return -errno;
    stub[4095] ^= 1;
    return mprotect(stub, 4096, PROT_READ | PROT_EXEC);
  case ';': return mprotect(stub, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
  case '<':                                   /* another list */
    return mmap((void *)PARK_LIST, PARK_LIST_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, OWN_FILE, 0) == MAP_FAILED;
  case ']': return open("/tmp", O_TMPFILE | O_RDWR, 0600) < 0 ? -errno : 0; /* a file that calls could write to */
  case '@': return *(volatile char *)mmap(NULL, 4096, PROT_READ, MAP_SHARED, OWN_FILE, 0) != 0x7f; /* data of a file */
  case '[': {                                 /* memory that could be shared */
    char *q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memcpy(q, secret, sizeof secret);
    return 0;
  }
  case '=': {                                 /* whatever the trap flag interrupts */
    struct sigaction trap = {.sa_handler = nothing, .sa_flags = SA_NODEFER};
    return sigaction(SIGTRAP, &trap, NULL);
  }
  case '?': { uint64_t n; return read(EVENT, &n, sizeof n) == sizeof n ? (int64_t)n : -errno; }
  case '>': return syscall(SYS_rseq, rseq_area, sizeof rseq_area, 0, 0x53053053) != 0;
  default: return 0;
  }
}

int main(void) {
  grown = mmap(NULL, 32 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  victim = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (grown == MAP_FAILED || victim == MAP_FAILED) return 1;
  large = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (large == MAP_FAILED) return 1;
  large[0] = 1;
  victim[0] = 1;
  victim[3 * 4096] = 2;
  if (dup2(eventfd(0, EFD_NONBLOCK), EVENT) < 0 || dup2(open("/proc/self/exe", O_RDONLY), OWN_FILE) < 0) return 1;
  hidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE, OWN_FILE, 0);
  fixed = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (hidden == MAP_FAILED || fixed == MAP_FAILED || dup2(epoll_create1(0), EPOLL) < 0) return 1;
  fixed[0] = 1;
  if (mprotect(fixed, 4096, PROT_READ) != 0) return 1;
  struct sigaction a = {.sa_handler = leave};
  sigaction(SIGSEGV, &a, NULL);
  int ends[2];
  if (pipe(ends) != 0 || dup2(ends[0], PIPE) < 0 || dup2(ends[1], PIPE + 1) < 0 || write(PIPE + 1, "x", 1) != 1) return 1;
  for (int fd = PIPE + 2; fd < 64; fd++) close(fd);
  close(5);
  close(6);
  hand_over(LIST, HANDOVER);
  while (park_worker() == 1) {
    char kind;
    if (read(0, &kind, 1) != 1) return 0;
    int64_t answer = attack(kind);
    if (write(1, &answer, sizeof answer) != sizeof answer) return 0;
  }
  return 0;
}
