/*
 * The time zone of a process, as a Node-API addon: for Node.js before version 13, which looks at TZ when it starts and
 * never again. There V8 asks libc, with the files of the host's time zone database, and Intl asks ICU.
 *
 * zone.choose(name, icu) makes the zone of that name the process's; icu is the major version of ICU, as a text.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <node_api.h>

enum { MAX_NAME = 256, MAX_VERSION = 16 };

/* Finds a function of ICU, all of which carry its version. */
static void *icu_function(const char *name, const char *icu) {
  char symbol[128];
  snprintf(symbol, sizeof symbol, "%s_%s", name, icu);
  return dlsym(RTLD_DEFAULT, symbol);
}

/* Tells libc, ICU, and V8, which forgets what it knows: v8::Date::DateTimeConfigurationChangeNotification(). */
static napi_value choose(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2];
  char name[MAX_NAME], icu[MAX_VERSION];
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 2) return NULL;
  if (napi_get_value_string_utf8(env, argv[0], name, sizeof name, NULL) != napi_ok) return NULL;
  if (napi_get_value_string_utf8(env, argv[1], icu, sizeof icu, NULL) != napi_ok) return NULL;
  setenv("TZ", name, 1);
  tzset();
  uint16_t wide[MAX_NAME];
  size_t length = 0;
  do wide[length] = (unsigned char)name[length]; while (name[length++] != '\0');
  int failed = 0;                             /* ICU keeps what it has */
  void (*set)(const uint16_t *, int *);
  set = (void (*)(const uint16_t *, int *))icu_function("ucal_setDefaultTimeZone", icu);
  if (set != NULL) set(wide, &failed);
  void *(*current)(void) = (void *(*)(void))dlsym(RTLD_DEFAULT, "_ZN2v87Isolate10GetCurrentEv");
  void (*changed)(void *);
  changed = (void (*)(void *))dlsym(RTLD_DEFAULT, "_ZN2v84Date39DateTimeConfigurationChangeNotificationEPNS_7IsolateE");
  if (current != NULL && changed != NULL) changed(current());
  return NULL;
}

static napi_value init(napi_env env, napi_value exports) {
  napi_value fn;
  if (napi_create_function(env, "choose", NAPI_AUTO_LENGTH, choose, NULL, &fn) == napi_ok) {
    napi_set_named_property(env, exports, "choose", fn);
  }
  return exports;
}

NAPI_MODULE(zone, init)
