/* The stub: the point to which a worker is rolled back, for x86-64. The host's side, with a drawing of the sequence, is
 * sandbox/internal/rollback.
 *
 * park_worker()
 *   1. saves the registers that a function must keep in park_area, which is a page of its own,
 *   2. asks the host to look at the process: getegid(2), which the worker's second filter turns into a notification.
 *      That carries the address of the next instruction, so that no other code can ask. The host answers
 *        0  go on
 *        1  make the system calls of the list, then ask again
 *   3. takes protection keys off, by which it could be denied memory, and copies the pages of the list over the
 *      process's own. The process can only read the list, and the host alone has it writable,
 *   4. reads one byte of stdin, which comes with the next frame,
 *   5. takes the registers from park_area, which by then is that of the snapshot, and returns how many bytes it has
 *      read.
 *
 * Between 2 and 5 it reads nothing but code, the list at its fixed address, and park_area after that was copied back.
 * It uses no stack. So it does not matter by which way, and with which registers, it was entered. */
#ifndef PARK_H
#define PARK_H

#include <stddef.h>
#include <stdint.h>

#define PARK_LIST 0x200000000000ul            /* where the list is; listAddress of the host */

struct park_op { uint64_t number, args[6], word; };

/* The list; the same layout is in sandbox/internal/rollback/list_unsafe.go. */
struct park_list {
  uint64_t pages, ops;                        /* how many of each */
  uint64_t unused[6];
  struct park_op op[511];
  uint64_t page[4096];                        /* addresses; from 64 KB on, the contents */
};
enum { PARK_LISTED = 512 };                   /* pages at most */
#define PARK_LIST_SIZE (65536ul + PARK_LISTED * 4096ul)

struct park_area {
  uint64_t registers[8];                      /* rbx rbp r12 r13 r14 r15 rsp fs */
  uint32_t mxcsr;
  uint16_t fcw;
  uint8_t byte;                               /* the one that is read */
  uint8_t rest[4096 - 71];                    /* the host has counts of event descriptors read into it */
} __attribute__((aligned(4096)));

_Static_assert(offsetof(struct park_list, page) == 32768 && sizeof(struct park_list) == 65536, "the list of the host");
_Static_assert(offsetof(struct park_area, byte) == 70, "the stub");
_Static_assert(sizeof(struct park_area) == 4096, "a page of its own");

struct park_area park_area;

extern int park_worker(void);
extern char park_asked[], park_reads[];       /* the instructions after the two system calls */

__asm__(
  ".text\n"
  ".balign 4096\n"
  ".globl park_worker\n.hidden park_worker\n.globl park_asked\n.hidden park_asked\n"
  ".globl park_reads\n.hidden park_reads\n.hidden park_area\n"
  "park_worker:\n"
  "  lea park_area(%rip),%rax\n"
  "  mov %rbx,0(%rax)\n  mov %rbp,8(%rax)\n  mov %r12,16(%rax)\n  mov %r13,24(%rax)\n"
  "  mov %r14,32(%rax)\n  mov %r15,40(%rax)\n  mov %rsp,48(%rax)\n"
  "  rdfsbase %rcx\n  mov %rcx,56(%rax)\n"
  "  stmxcsr 64(%rax)\n  fnstcw 68(%rax)\n"
  "1:\n"                                      /* ask */
  "  mov $108,%eax\n  syscall\n"
  "park_asked:\n"
  "  cld\n  mov %rax,%r8\n"
  "  xor %ecx,%ecx\n  xgetbv\n  test $0x200,%eax\n  jz 7f\n" /* whether the kernel uses protection keys: XCR0 */
  "  xor %edx,%edx\n  mov $0x55555554,%eax\n  wrpkru\n" /* what Linux starts processes with */
  "7:\n"
  "  movabs $0x200000000000,%r15\n"
  "  cmp $1,%r8\n  jne 3f\n"
  "  mov 8(%r15),%r13\n  lea 64(%r15),%r12\n"
  "2:\n"                                      /* the next system call */
  "  test %r13,%r13\n  jz 1b\n"
  "  mov 0(%r12),%rax\n  mov 8(%r12),%rdi\n  mov 16(%r12),%rsi\n  mov 24(%r12),%rdx\n"
  "  mov 32(%r12),%r10\n  mov 40(%r12),%r8\n  mov 48(%r12),%r9\n  syscall\n"
  "  add $64,%r12\n  dec %r13\n  jmp 2b\n"
  "3:\n"                                      /* copy */
  "  mov 0(%r15),%r13\n  lea 32768(%r15),%r12\n  lea 65536(%r15),%rsi\n"
  "4:\n"
  "  test %r13,%r13\n  jz 5f\n"
  "  mov (%r12),%rdi\n  mov $512,%ecx\n  rep movsq\n  add $8,%r12\n  dec %r13\n  jmp 4b\n"
  "5:\n"                                      /* read */
  "  xor %eax,%eax\n  xor %edi,%edi\n  lea park_area+70(%rip),%rsi\n  mov $1,%edx\n  syscall\n"
  "park_reads:\n"
  "  cmp $-4,%rax\n  je 5b\n"                 /* EINTR */
  "  lea park_area(%rip),%rdi\n  mov %eax,%r8d\n"
  "  mov 0(%rdi),%rbx\n  mov 8(%rdi),%rbp\n  mov 16(%rdi),%r12\n  mov 24(%rdi),%r13\n"
  "  mov 32(%rdi),%r14\n  mov 40(%rdi),%r15\n  mov 48(%rdi),%rsp\n"
  "  xor %ecx,%ecx\n  mov %ecx,%ds\n  mov %ecx,%es\n  mov %ecx,%gs\n  wrgsbase %rcx\n  mov %ecx,%fs\n"
  "  mov 56(%rdi),%rcx\n  wrfsbase %rcx\n"
  "  pushq $0x202\n  popfq\n"
  /* All of the state of the processor but the protection keys, as at the start of a process. */
  "  mov $0xfffffdff,%eax\n  xor %edx,%edx\n  xrstor64 park_clean(%rip)\n"
  "  fldcw 68(%rdi)\n  ldmxcsr 64(%rdi)\n  mov %r8d,%eax\n"
  "  xor %ecx,%ecx\n  xor %esi,%esi\n  xor %edi,%edi\n  xor %r8d,%r8d\n  xor %r9d,%r9d\n  xor %r10d,%r10d\n"
  "  xor %r11d,%r11d\n"
  "  ret\n"
  ".balign 64\n"
  "park_clean:\n  .fill 24,1,0\n  .long 0x1f80\n  .fill 484,1,0\n  .fill 64,1,0\n"
  ".balign 4096\n");

#endif
