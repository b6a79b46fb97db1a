/* What makes forks cheap: a smaller heap, and code in huge pages. */
#ifndef SHRINK_H
#define SHRINK_H

#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <node_api.h>

#include "report.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define HUGE_PAGE ((uintptr_t)2 << 20)

/* V8 of Node.js 20 and later excludes its heap from forks; this takes that back for the ranges that the host found. */
static void unshare_heap(const struct request *request, const struct range *ranges) {
  for (uint32_t i = 0; i < request->ranges && i < MAX_RANGES; i++) {
    madvise((void *)(uintptr_t)ranges[i].start, ranges[i].length, MADV_DOFORK);
  }
  if (!request->last) return;
  struct report report = {.type = BORN};
  send_report(&report, -1);
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

/* Puts a copy in huge pages in place of Node.js's code. A fork shares a huge page at once, where it has to meet each
 * page of a file anew. Where the kernel gives none (Linux before 6.1, memory in pieces) all stays as it is. */
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

/* Takes the small pieces of free memory that the start has left all over the heap, for good: what a call takes comes
 * from one place then, and it writes to fewer pages. Each of those a fork has to copy, or a rollback to put back. */
static void take_pieces(void) {
  enum { SMALLEST = 24, LARGEST = 1032, STEP = 16, HEAD = 8, MOST = 1 << 15, IN_A_ROW = 16 };
  for (size_t size = LARGEST; size >= SMALLEST; size -= STEP) {
    char *last = NULL;
    for (int i = 0, row = 0; i < MOST && row < IN_A_ROW; i++) {
      char *piece = malloc(size);
      row = piece == last + size + HEAD ? row + 1 : 0;
      last = piece;
    }
  }
}

/* slim() makes forks cheap: what a fork and its end cost grows with the number of pages in use. */
static napi_value slim(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  collect_garbage();
  malloc_trim(0);
  take_pieces();
  enlarge_code_pages();
  return NULL;
}

#endif
