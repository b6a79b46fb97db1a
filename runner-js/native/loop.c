/*
 * What the event loop still has to do, as a Node-API addon (Node-API 3: one binary serves Node.js 8 and all later ones).
 *
 * loop.mark(old) notes the handles that are open now. loop.left() says what there is beside them: 0 nothing; 1 handles that are being closed, whose
 * close is yet to be reported; 2 requests under way, of which the thread pool's are a part whatever asked for them, or handles that are open.
 * loop.later(fn) calls fn once the callbacks of this turn of the loop have been called, immediates among them: where handles that were closed are
 * reported. It stands in no list that a function reaches.
 * loop.note(directory) notes what a directory is; loop.changed() says whether anything was made or removed in it
 * since, or it was changed itself.
 * loop.requests() counts the requests under way, whoever made them. loop.leave(code) ends the process without waiting for the threads that have them.
 * loop.held() counts what of that holds a worker after an answer: requests under way, or connections that are open, active and not unreferenced, whichever
 * are more.
 * old says that this is Node.js 10 or older. There timers are handles of their own: as many may be active as there were; and async handles are opened and
 * closed by Node.js itself alone. Later versions keep timers in lists in JavaScript, behind one handle, and the other timers of the loop are V8's, which
 * call nobody. Immediates are not told: their handles stay active while one of them runs. See internals.js for both.
 *
 * loop.show(text) puts a short text in place of the process's first argument, where /proc/PID/cmdline shows it. A process
 * has its arguments in its own memory, so that takes no system call. It does nothing where the first argument is not
 * SHOWN_AT, whose room it uses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <node_api.h>
#include <uv.h>

enum { NOTHING = 0, CLOSING = 1, WORK = 2 };
enum { MAX_KNOWN = 256 };

static struct { uv_handle_t *handle; int active; } known[MAX_KNOWN]; /* in the order in which the loop has them */
static unsigned known_count;
static unsigned known_timers;
static uv_timer_cb of_javascript; /* what the timers of JavaScript call, while V8's call something else */
static int old;

/* What a walk over the handles has met. */
struct walk { unsigned known, timers; int left; };

/* Calls fn for each handle of the loop, in the order in which they were opened. uv_walk() does the same for handles that
 * are not libuv's own, and takes each out of its list and puts it back meanwhile, which costs ten times as much. */
static void each_handle(uv_walk_cb fn, void *arg) {
  uv_loop_t *loop = uv_default_loop();
  void **end = (void **)&loop->handle_queue;
  for (void **link = end[0]; link != end; link = link[0]) {
    fn((uv_handle_t *)((char *)link - offsetof(uv_handle_t, handle_queue)), arg);
  }
}

/* Whether a timer runs and is one of JavaScript's. V8 sets others when it has collected garbage: those are nobody's work. */
static int is_timer(const uv_handle_t *handle) {
  return uv_is_active(handle) && ((const uv_timer_t *)handle)->timer_cb == of_javascript;
}

/* The runner's own timer is the one that is due last: by weeks. */
static void find(uv_handle_t *handle, void *latest) {
  const uv_timer_t *timer = (const uv_timer_t *)handle;
  if (handle->type != UV_TIMER || !uv_is_active(handle) || timer->timeout < *(uint64_t *)latest) return;
  *(uint64_t *)latest = timer->timeout;
  of_javascript = timer->timer_cb;
}

static void note(uv_handle_t *handle, void *unused) {
  (void)unused;
  if (handle->type == UV_TIMER) {
    known_timers += is_timer(handle);
  } else if (!(old && handle->type == UV_ASYNC) && known_count < MAX_KNOWN && !uv_is_closing(handle)) {
    known[known_count].handle = handle;
    known[known_count].active = uv_is_active(handle) != 0;
    known_count++;
  }
}

/* Whether a handle that is known is as it was. Nobody but Node.js itself has those that follow the turns of the loop. */
static int same(const uv_handle_t *handle, int active) {
  if (handle->type == UV_IDLE || handle->type == UV_CHECK || handle->type == UV_PREPARE) return 1;
  return (uv_is_active(handle) != 0) == active && !uv_is_closing(handle);
}

/* The loop has the handles in the order in which they were opened, so those that are known come first and in their order. */
static void look(uv_handle_t *handle, void *arg) {
  struct walk *walk = arg;
  int left = WORK;
  if (handle->type == UV_TIMER) {
    walk->timers += is_timer(handle);
    left = old && walk->timers > known_timers ? WORK : NOTHING;
  } else if (old && handle->type == UV_ASYNC) {
    left = NOTHING;
  } else if (walk->known < known_count && known[walk->known].handle == handle) {
    left = same(handle, known[walk->known++].active) ? NOTHING : WORK;
  } else if (uv_is_closing(handle)) {
    left = CLOSING;
  }
  if (left > walk->left) walk->left = left;
}

static napi_value mark(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  bool is_old = false;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 1) return NULL;
  if (napi_get_value_bool(env, argv[0], &is_old) != napi_ok) return NULL;
  old = is_old;
  known_count = known_timers = 0;
  uint64_t latest = 0;
  each_handle(find, &latest);
  each_handle(note, NULL);
  return NULL;
}

static napi_value left(napi_env env, napi_callback_info info) {
  (void)info;
  uv_loop_t *loop = uv_default_loop();
  struct walk walk = {0, 0, NOTHING};
  if (loop->active_reqs.count > 0) {
    walk.left = WORK;
  } else {
    each_handle(look, &walk);
    if (walk.known != known_count) walk.left = WORK; /* one of those that are known is gone */
  }
  napi_value result = NULL;
  napi_create_int32(env, walk.left, &result);
  return result;
}

#define SHOWN_AT "--expose-internals" /* sandbox/internal/worker starts Node.js with it */
static char *shown; /* NULL when that is not there */

/* The flags of Node.js follow its name in memory, and the path of the runner follows them. A script that is started as
 * Node.js may have put others before SHOWN_AT. */
static void find_shown(void) {
  char *flag = program_invocation_name + strlen(program_invocation_name) + 1;
  while (flag[0] == '-' && strcmp(flag, SHOWN_AT) != 0) flag += strlen(flag) + 1;
  if (flag[0] == '-') shown = flag;
}

static napi_value show(napi_env env, napi_callback_info info) {
  size_t argc = 1, length;
  napi_value argv[1];
  char text[sizeof SHOWN_AT] = {0};
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 1 || shown == NULL) return NULL;
  if (napi_get_value_string_latin1(env, argv[0], text, sizeof text, &length) == napi_ok) memcpy(shown, text, sizeof text);
  return NULL;
}

/* A handle that is opened only to be closed. */
struct later { uv_idle_t handle; napi_env env; napi_ref fn; };

static void call_later(uv_handle_t *handle) {
  struct later *later = (struct later *)handle;
  napi_env env = later->env;
  napi_handle_scope scope;
  napi_value fn, global, ignored;
  if (napi_open_handle_scope(env, &scope) != napi_ok) abort();
  if (napi_get_reference_value(env, later->fn, &fn) != napi_ok || napi_get_global(env, &global) != napi_ok) abort();
  napi_delete_reference(env, later->fn);
  free(later);
  napi_value error;
  /* What it throws, or the ticks after it, Node.js would take for the caller's. */
  if (napi_make_callback(env, NULL, global, fn, 0, NULL, &ignored) == napi_pending_exception
      && napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

static napi_value later(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  struct later *later = calloc(1, sizeof *later);
  if (later == NULL) abort();
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 1) abort();
  if (napi_create_reference(env, argv[0], 1, &later->fn) != napi_ok) abort();
  later->env = env;
  uv_idle_init(uv_default_loop(), &later->handle);
  uv_close((uv_handle_t *)&later->handle, call_later);
  return NULL;
}

/* A directory, as a reference that can be neither read nor written, and what it was when it was noted. To look it up by
 * its path each time would take three times as long. */
static int directory = -1;
static struct stat noted;

static napi_value note_directory(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 1) return NULL;
  char path[256];
  if (napi_get_value_string_utf8(env, argv[0], path, sizeof path, NULL) != napi_ok) return NULL;
  directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0 || fstat(directory, &noted) != 0) napi_throw_error(env, NULL, "the directory to note is not there");
  return NULL;
}

static int same_time(struct timespec a, struct timespec b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

/* Nobody can set the time of the last change back; the others tell of what was done in the tick of the clock that
 * it was noted in. */
static napi_value directory_changed(napi_env env, napi_callback_info info) {
  (void)info;
  struct stat now;
  int same = fstat(directory, &now) == 0 && now.st_ino == noted.st_ino && now.st_dev == noted.st_dev
          && now.st_mode == noted.st_mode && now.st_nlink == noted.st_nlink && now.st_uid == noted.st_uid
          && now.st_gid == noted.st_gid && now.st_size == noted.st_size && same_time(now.st_atim, noted.st_atim)
          && same_time(now.st_mtim, noted.st_mtim) && same_time(now.st_ctim, noted.st_ctim);
  napi_value result = NULL;
  napi_get_boolean(env, !same, &result);
  return result;
}

/* The loop has what is known first, and in its order. */
static void count_streams(uv_handle_t *handle, void *arg) {
  struct walk *walk = arg;
  if (walk->known < known_count && known[walk->known].handle == handle) {
    walk->known++;
  } else if (handle->type == UV_TCP || handle->type == UV_NAMED_PIPE || handle->type == UV_UDP) {
    walk->left += uv_is_active(handle) && uv_has_ref(handle) && !uv_is_closing(handle);
  }
}

static napi_value held(napi_env env, napi_callback_info info) {
  (void)info;
  uv_loop_t *loop = uv_default_loop();
  struct walk walk = {0, 0, 0};
  each_handle(count_streams, &walk);
  int requests = (int)loop->active_reqs.count;
  napi_value result = NULL;
  napi_create_int32(env, requests > walk.left ? requests : walk.left, &result);
  return result;
}

static napi_value requests(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result = NULL;
  napi_create_uint32(env, uv_default_loop()->active_reqs.count, &result);
  return result;
}

static napi_value leave(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  int32_t code = EXIT_FAILURE;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) == napi_ok && argc == 1) napi_get_value_int32(env, argv[0], &code);
  _exit(code);
}

static napi_value init(napi_env env, napi_value exports) {
  napi_value fn;
  find_shown();
  if (napi_create_function(env, "leave", NAPI_AUTO_LENGTH, leave, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "leave", fn);
  if (napi_create_function(env, "requests", NAPI_AUTO_LENGTH, requests, NULL, &fn) == napi_ok) {
    napi_set_named_property(env, exports, "requests", fn);
  }
  if (napi_create_function(env, "mark", NAPI_AUTO_LENGTH, mark, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "mark", fn);
  if (napi_create_function(env, "left", NAPI_AUTO_LENGTH, left, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "left", fn);
  if (napi_create_function(env, "show", NAPI_AUTO_LENGTH, show, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "show", fn);
  if (napi_create_function(env, "later", NAPI_AUTO_LENGTH, later, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "later", fn);
  if (napi_create_function(env, "note", NAPI_AUTO_LENGTH, note_directory, NULL, &fn) == napi_ok) {
    napi_set_named_property(env, exports, "note", fn);
  }
  if (napi_create_function(env, "changed", NAPI_AUTO_LENGTH, directory_changed, NULL, &fn) == napi_ok) {
    napi_set_named_property(env, exports, "changed", fn);
  }
  if (napi_create_function(env, "held", NAPI_AUTO_LENGTH, held, NULL, &fn) == napi_ok) napi_set_named_property(env, exports, "held", fn);
  return exports;
}

NAPI_MODULE(loop, init)
