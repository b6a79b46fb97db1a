/* What Node.js and its libraries must be told of forks and rollbacks. */
#ifndef NODEJS_H
#define NODEJS_H

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <malloc.h>
#include <node_api.h>
#include <uv.h>

#include "prepare.h"

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
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) == napi_ok && argc == 1) {
    napi_get_value_int32(env, argv[0], &code);
  }
  _exit(code);
}

/* turn() has the event loop call what is due, and does not wait. Only the fork server calls it, before its loop
 * runs. */
static napi_value turn(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  uv_run(uv_default_loop(), UV_RUN_NOWAIT);
  return NULL;
}

/* park() goes to the stub: it returns how many bytes of stdin were read, 1, in a process that is as in the snapshot. In
 * the fork server, which rehearses calls, it does nothing. */
static napi_value park(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value read = NULL;
  int n = is_tracked ? park_worker() : 1;
  uv_update_time(uv_default_loop());          /* which the loop knows as it was in the snapshot */
  napi_create_int32(env, n, &read);
  return read;
}

/* What OpenSSL draws by in a worker that can be rolled back: from the kernel each time. A state of its own would be
 * that of the snapshot, and so the same for each call. */
static int draw(unsigned char *bytes, int count) {
  for (int at = 0; at < count;) {
    long n = syscall(SYS_getrandom, bytes + at, (size_t)(count - at), 0L);
    if (n < 0 && errno != EINTR) _exit(EXIT_RANDOM);
    if (n > 0) at += (int)n;
  }
  return count >= 0;
}

static int take_no_seed(const void *bytes, int count) {
  (void)bytes;
  return count >= 0;
}

static int take_no_entropy(const void *bytes, int count, double entropy) {
  (void)entropy;
  return take_no_seed(bytes, count);
}

static int has_seed(void) { return 1; }

/* Has OpenSSL draw like this: RAND_METHOD of openssl/rand.h, which is the same for versions 1.0 to 3. */
static void draw_from_kernel(void) {
  static const struct {
    int (*seed)(const void *, int);
    int (*bytes)(unsigned char *, int);
    void (*cleanup)(void);
    int (*add)(const void *, int, double);
    int (*pseudorand)(unsigned char *, int);
    int (*status)(void);
  } method = {take_no_seed, draw, NULL, take_no_entropy, draw, has_seed};
  int (*set_method)(const void *) = (int (*)(const void *))dlsym(RTLD_DEFAULT, "RAND_set_rand_method");
  if (set_method == NULL || set_method(&method) != 1) _exit(EXIT_RANDOM);
}

/* roomy() has malloc take so much that ordinary calls change no mapping. It is done before the forks that the host can
 * roll back: what malloc writes to is theirs in common then. None of the room is in memory until it is used. */
static napi_value roomy(napi_env env, napi_callback_info info) {
  enum { ROOM = 8 << 20 };
  (void)env;
  (void)info;
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
  mallopt(M_MMAP_THRESHOLD, 2 * ROOM);        /* so that the room is one at the top of the heap */
  free(malloc(ROOM));
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  return NULL;
}

/* trim() gives the kernel back what malloc has free, but not its room at the top of the heap. */
static napi_value trim(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  malloc_trim(256 << 20);
  return NULL;
}

/* tracked() says whether this worker can be rolled back. Then OpenSSL draws from the kernel, and the event loop takes
 * its descriptors into its set. */
static napi_value tracked(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result = NULL;
  napi_get_boolean(env, is_tracked, &result);
  if (!is_tracked) return result;
  draw_from_kernel();
  uv_run(uv_default_loop(), UV_RUN_NOWAIT);
  return result;
}

#endif
