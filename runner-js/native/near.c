/*
 * Puts V8's memory in one place, as a library that the fork server of workers that are put back is started with
 * (LD_PRELOAD): such a worker lives long, and there may be a thousand.
 *
 * V8 asks for each piece of its heap at a random address out of 64 TB. So each takes a page table of its own at three
 * levels, 12 KB, and a fork copies them all: half a megabyte to more than one for each worker. With this the first
 * piece is where V8 wants it, and each further one follows the one before:
 *
 *   asked for   . A .  . . . .  . C . . . . .  . B .
 *   given       . A B C                              tables for one place instead of three
 *
 * What that costs is that who knows where one piece is can guess where others are. The place itself is as random as
 * before, and far from libraries and code: that of WebAssembly, which is written to as well, stays at random addresses.
 * All workers of a fork server have the same addresses in any case.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* Larger pieces are left alone: V8 wants code near its own, and one page table is little beside them. */
static const size_t largest = (size_t)64 << 20;

/* Pieces of the heap begin at multiples of this and have as much at least: pages of V8's own. V8 asks for code of
 * WebAssembly at any page, so that one in 64 pieces of it that are as large begins at such a place, and is taken for
 * one of the heap. */
static const size_t page_of_v8 = (size_t)256 << 10;

/* How far from where it was to be a piece counts as next to others: what one table of the second level is for. */
static const uintptr_t reach = (uintptr_t)1 << 30;

static uintptr_t next; /* where the next piece is to be; 0 before the first. A race of two threads moves a piece. */

static void *map(void *at, size_t length, int prot, int flags, int fd, off_t offset) {
  return (void *)syscall(SYS_mmap, at, length, prot, flags, fd, offset);
}

/* Takes the place of libc's: mmap(2). An address without MAP_FIXED is but a wish, so that all of this is allowed. */
void *mmap(void *at, size_t length, int prot, int flags, int fd, off_t offset) {
  int heap = at != NULL && (uintptr_t)at % page_of_v8 == 0 && length >= page_of_v8 && length <= largest;
  if (!heap || fd != -1 || (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0) {
    return map(at, length, prot, flags, fd, offset);
  }
  uintptr_t wish = __atomic_load_n(&next, __ATOMIC_RELAXED);
  if (wish == 0) wish = (uintptr_t)at;
  void *got = map((void *)wish, length, prot, flags, fd, offset);
  if (got != MAP_FAILED && (uintptr_t)got >= wish && (uintptr_t)got - wish < reach) {
    __atomic_store_n(&next, (uintptr_t)got + length, __ATOMIC_RELAXED);
  }
  return got;
}

void *mmap64(void *at, size_t length, int prot, int flags, int fd, off_t offset) __attribute__((alias("mmap")));
