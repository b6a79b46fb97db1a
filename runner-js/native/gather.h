/* What makes forks cheap: the heap side by side in memory. */
#ifndef GATHER_H
#define GATHER_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report.h"
#include "shrink.h"

enum { EXIT_GATHER = 71 };

/* Puts copies of the ranges, one after the other, into huge pages. Returns where they begin, and sets room to the
 * mapping that they lie in; NULL where the kernel gives none. The mapping does not ask for more (MADV_HUGEPAGE): no
 * worker is to have huge pages of its own. */
static char *copy_to_huge_pages(const struct range *ranges, uint32_t count, size_t size, struct range *room) {
  size_t length = size + HUGE_PAGE;
  char *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return NULL;
  char *copy = (char *)(((uintptr_t)start + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1)), *at = copy;
  for (uint32_t i = 0; i < count; at += ranges[i].length, i++) {
    memcpy(at, (const void *)(uintptr_t)ranges[i].start, ranges[i].length);
  }
  *room = (struct range){(uintptr_t)start, length};
  if (madvise(copy, size, MADV_COLLAPSE) == 0) return copy;
  munmap(start, length);
  return NULL;
}

/* Moves the ranges into huge pages that are mapped in pieces, each at the address that it had. What a fork has to note
 * of a page it notes of many at once where they lie side by side, and so does the end of a worker. Where the kernel
 * gives no huge pages (Linux before 6.1, memory in pieces) all stays as it is. */
static void gather_heap(const struct request *request, const struct range *ranges) {
  static const struct report report = {.type = BORN};
  uint32_t count = request->ranges < MAX_RANGES ? request->ranges : MAX_RANGES;
  size_t size = 0;
  for (uint32_t i = 0; i < count; i++) size += ranges[i].length;
  size = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
  struct range room;
  char *copy = size > 0 ? copy_to_huge_pages(ranges, count, size, &room) : NULL;
  if (copy != NULL) {
    char *at = copy, *end = (char *)(uintptr_t)(room.start + room.length);
    for (uint32_t i = 0; i < count; at += ranges[i].length, i++) {
      void *start = (void *)(uintptr_t)ranges[i].start;
      int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
      if (mremap(at, ranges[i].length, ranges[i].length, flags, start) == MAP_FAILED) _exit(EXIT_GATHER);
    }
    munmap(at, (size_t)(end - at));
    char *start = (char *)(uintptr_t)room.start;
    if (copy > start) munmap(start, (size_t)(copy - start));
  }
  send_report(&report, -1);
}

#endif
