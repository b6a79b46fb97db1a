/* What a worker has open: nothing of what the fork server has. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { MAX_OPEN = 1024 };

/* The descriptors that were open before a fork, those below noted; pipe is the inode when it is one. */
static struct open_file { int open; ino_t pipe; } zygotes[MAX_OPEN];
static int noted;

/* Notes what is open from descriptor 3 on: one poll(2) tells it of all, which fstat(2) would be asked for one by
 * one. */
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

/* Says whether a descriptor of a worker is the zygote's still. libuv's handler of forks (pthread_atfork(3)) makes the
 * pipe anew that is its lock for signals; what else the zygote had open is shared with it. */
static int is_zygotes(int fd) {
  struct stat stat;
  if (fstat(fd, &stat) != 0) return 0;        /* closed since */
  return !S_ISFIFO(stat.st_mode) || stat.st_ino == zygotes[fd].pipe;
}

/* Takes from a worker all that it shares with the zygote, and so with other workers: the loops of V8's threads, which
 * do not exist here, and the default loop's, which is made anew below. The numbers stay taken, by a device that
 * swallows all: those who think that a loop is behind theirs must not write into what is opened next. */
static void leave_zygotes_files(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) _exit(EXIT_DESCRIPTORS);
  for (int fd = 3; fd < noted; fd++) {
    if (fd != null && zygotes[fd].open && is_zygotes(fd) && dup3(null, fd, O_CLOEXEC) < 0) _exit(EXIT_DESCRIPTORS);
  }
  close(null);
  /* There should be none beyond. */
  if (syscall(SYS_close_range, (long)noted, ~0u, 0L) != 0 && errno != ENOSYS) _exit(EXIT_DESCRIPTORS);
}

#endif
