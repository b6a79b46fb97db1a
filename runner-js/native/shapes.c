/*
 * Whether objects still have the keys that they had, as a Node-API addon: see shapes.js.
 *
 * V8 describes the keys of an object, their attributes and its prototype in what it calls a map. Objects whose
 * properties V8 keeps in the fast form get another map whenever one of these changes; elements, properties whose keys
 * are numbers, are kept apart. So an object that is in the fast form, has the map that it had, and has no elements as
 * before, has the same keys. Comparing two words takes a nanosecond; listing keys takes ten to a hundred times as long.
 *
 * note(list) notes the maps of the objects in list, an array of JavaScript. It returns whether none of them has elements.
 * same(list) says whether all objects in the same list still have them. It says no after a collection of garbage as
 * well: the collector moves maps, and where one was another may be later.
 *
 * The words are read where V8 has them in 64-bit builds without compressed pointers. shapes.js tries by effect whether
 * they are there.
 *
 *   napi_value ──► array: map, properties, elements, length      each a word; a pointer has its lowest bit set,
 *                                    │                            a small integer its value in the upper half
 *                                    ▼
 *                  elements: map, length, object, object, …
 *                                           │
 *                                           ▼
 *                  object: map, properties, elements, …
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#include <node_api.h>

enum { MAP = 0, ELEMENTS = 2, LENGTH = 3 };  /* words of an object; the last one of an array */
enum { SIZE = 1, FIRST = 2 };                /* words of elements */
enum { MOST = 4096 };                        /* objects in a list */
enum { SCAVENGE = 1 };                       /* the collections that look at young objects alone: no map is young */

typedef uintptr_t word;

static word maps[MOST];
static uint32_t noted;   /* how many objects the list has; 0 before note */
static word none;        /* the elements of an object without any */
static int collected;    /* since note */
static int watching;     /* collections */

static const word *at(word pointer) { return (const word *)(pointer - 1); }
static int is_pointer(word w) { return (w & 1) == 1; }
static word small(uint32_t n) { return (word)n << 32; }

/* The objects of the list that is the first argument, and how many: NULL if it is not as in the drawing. */
static const word *objects(napi_env env, napi_callback_info info, uint32_t *count) {
  size_t argc = 1;
  napi_value argv[1];
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 1) return NULL;
  word array = *(const word *)argv[0];
  if (!is_pointer(array)) return NULL;
  word elements = at(array)[ELEMENTS];
  *count = (uint32_t)(at(array)[LENGTH] >> 32);
  if (*count == 0 || *count > MOST || at(array)[LENGTH] != small(*count) || !is_pointer(elements)) return NULL;
  if (at(elements)[SIZE] < small(*count)) return NULL;
  return at(elements) + FIRST;
}

static napi_value boolean(napi_env env, int value) {
  napi_value result = NULL;
  napi_get_boolean(env, value, &result);
  return result;
}

/* In V8's own types: void (Isolate *, GCType, GCCallbackFlags, void *). */
static void note_collection(void *isolate, int type, int flags, void *data) {
  (void)isolate;
  (void)flags;
  (void)data;
  if (type != SCAVENGE) collected = 1;
}

/* Has V8 report collections. Its interface in C++ has the same two functions since Node.js 8. */
static int watch(void) {
  typedef void *current_fn(void);
  typedef void epilogue_fn(void *isolate, void (*)(void *, int, int, void *), void *data, int types);
  current_fn *current = (current_fn *)dlsym(RTLD_DEFAULT, "_ZN2v87Isolate10GetCurrentEv");
  epilogue_fn *add = (epilogue_fn *)dlsym(RTLD_DEFAULT,
    "_ZN2v87Isolate21AddGCEpilogueCallbackEPFvPS0_NS_6GCTypeENS_15GCCallbackFlagsEPvES4_S2_");
  if (current == NULL || add == NULL || current() == NULL) return 0;
  add(current(), note_collection, NULL, -1);
  return 1;
}

static napi_value note(napi_env env, napi_callback_info info) {
  uint32_t count;
  const word *list = objects(env, info, &count);
  noted = 0;
  if (list == NULL || (!watching && !(watching = watch()))) return boolean(env, 0);
  none = is_pointer(list[0]) ? at(list[0])[ELEMENTS] : 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!is_pointer(list[i]) || at(list[i])[ELEMENTS] != none) return boolean(env, 0);
    maps[i] = at(list[i])[MAP];
  }
  collected = 0;
  noted = count;
  return boolean(env, 1);
}

static napi_value same(napi_env env, napi_callback_info info) {
  uint32_t count;
  const word *list = objects(env, info, &count);
  if (list == NULL || collected || count != noted) return boolean(env, 0);
  word differ = 0;
  for (uint32_t i = 0; i < count; i++) {
    const word *object = at(list[i]);
    differ |= (object[MAP] ^ maps[i]) | (object[ELEMENTS] ^ none);
  }
  return boolean(env, differ == 0);
}

static napi_value init(napi_env env, napi_value exports) {
  napi_value fn;
  if (sizeof(word) != 8) return exports;
  if (napi_create_function(env, "note", NAPI_AUTO_LENGTH, note, NULL, &fn) == napi_ok) {
    napi_set_named_property(env, exports, "note", fn);
  }
  if (napi_create_function(env, "same", NAPI_AUTO_LENGTH, same, NULL, &fn) == napi_ok) {
    napi_set_named_property(env, exports, "same", fn);
  }
  return exports;
}

NAPI_MODULE(shapes, init)
