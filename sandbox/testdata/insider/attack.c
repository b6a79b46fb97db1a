/* Native code of an attacker: system calls with any number and arguments, by every way into the kernel that the processor has. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <node_api.h>

/* Arguments are numbers, or buffers that stand for their address. */
static int64_t argument(napi_env env, napi_value value) {
  void *bytes;
  size_t length;
  int64_t number = 0;
  bool buffer = false;
  napi_is_buffer(env, value, &buffer);
  if (buffer && napi_get_buffer_info(env, value, &bytes, &length) == napi_ok) return (int64_t)(intptr_t)bytes;
  napi_get_value_int64(env, value, &number);
  return number;
}

static int take(napi_env env, napi_callback_info info, int64_t *out, size_t size) {
  napi_value argv[8];
  size_t argc = size;
  for (size_t i = 0; i < size; i++) out[i] = 0;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok) return 0;
  for (size_t i = 0; i < argc && i < size; i++) out[i] = argument(env, argv[i]);
  return 1;
}

static napi_value give(napi_env env, int64_t number) {
  napi_value value = NULL;
  napi_create_int64(env, number, &value);
  return value;
}

/* call(number, ...arguments) returns what the kernel does: a value, or an error number below zero. */
static napi_value call(napi_env env, napi_callback_info info) {
  int64_t a[7];
  if (!take(env, info, a, 7)) return NULL;
  long result = syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
  return give(env, result == -1 ? -errno : result);
}

/* call32(number, a, b, c) enters the kernel as a 32-bit program does. */
static napi_value call32(napi_env env, napi_callback_info info) {
  int64_t a[4];
  if (!take(env, info, a, 4)) return NULL;
  int32_t result = -ENOSYS;
#ifdef __x86_64__
  __asm__ volatile("int $0x80" : "=a"(result) : "a"((int32_t)a[0]), "b"(a[1]), "c"(a[2]), "d"(a[3]) : "memory", "r8", "r9", "r10", "r11");
#endif
  return give(env, result);
}

static void *idle(void *unused) {
  (void)unused;
  sleep(1000);
  return NULL;
}

/* threads(most) starts threads until one is refused, and returns how many there are. */
static napi_value threads(napi_env env, napi_callback_info info) {
  int64_t most[1];
  int64_t started = 0;
  pthread_attr_t small;
  if (!take(env, info, most, 1)) return NULL;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  pthread_t thread;
  while (started < most[0] && pthread_create(&thread, &small, idle, NULL) == 0) started++;
  return give(env, started);
}

/* crash() writes where nothing is. */
static void *turn(void *unused) {
  for (volatile unsigned n = 0;; n++) {}
  return unused;
}

/* spin() uses a processor until the end, on a thread that Node.js knows nothing of. */
static napi_value spin(napi_env env, napi_callback_info info) {
  (void)info;
  pthread_t thread;
  return give(env, pthread_create(&thread, NULL, turn, NULL));
}

static napi_value crash(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  *(volatile int *)8 = 1;
  return NULL;
}

static napi_value init(napi_env env, napi_value exports) {
  napi_property_descriptor all[] = {
    {"call", NULL, call, NULL, NULL, NULL, napi_enumerable, NULL},
    {"call32", NULL, call32, NULL, NULL, NULL, napi_enumerable, NULL},
    {"crash", NULL, crash, NULL, NULL, NULL, napi_enumerable, NULL},
    {"spin", NULL, spin, NULL, NULL, NULL, napi_enumerable, NULL},
    {"threads", NULL, threads, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof all / sizeof *all, all);
  return exports;
}

NAPI_MODULE(attack, init)
