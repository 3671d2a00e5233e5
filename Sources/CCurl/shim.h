// libcurl, found when it is first needed (dlopen(3)) and not linked: it brings thirty libraries and 5 MB with it, which a
// daemon without outputs and a command that asks for the status have no use for.
#ifndef BAILIFF_CCURL_H
#define BAILIFF_CCURL_H
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <stddef.h>

struct bailiff_curl {
  CURLcode (*global_init)(long flags);
  CURL *(*init)(void);
  void (*cleanup)(CURL *handle);
  void (*reset)(CURL *handle);
  CURLcode (*setopt)(CURL *handle, CURLoption option, ...);
  CURLcode (*getinfo)(CURL *handle, CURLINFO info, ...);
  CURLcode (*perform)(CURL *handle);
  CURLcode (*send)(CURL *handle, const void *bytes, size_t count, size_t *sent);
  const char *(*strerror)(CURLcode code);
  struct curl_slist *(*append)(struct curl_slist *list, const char *text);
  void (*free_all)(struct curl_slist *list);
};

// Fills `api` from a library of this name. Returns what is missing, or NULL when everything is there.
static inline const char *bailiff_curl_load(struct bailiff_curl *api, const char *library) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return dlerror();
#define BAILIFF_FIND(member, name) \
  if (!(*(void **)&api->member = dlsym(handle, #name))) return #name " is missing";
  BAILIFF_FIND(global_init, curl_global_init)
  BAILIFF_FIND(init, curl_easy_init)
  BAILIFF_FIND(cleanup, curl_easy_cleanup)
  BAILIFF_FIND(reset, curl_easy_reset)
  BAILIFF_FIND(setopt, curl_easy_setopt)
  BAILIFF_FIND(getinfo, curl_easy_getinfo)
  BAILIFF_FIND(perform, curl_easy_perform)
  BAILIFF_FIND(send, curl_easy_send)
  BAILIFF_FIND(strerror, curl_easy_strerror)
  BAILIFF_FIND(append, curl_slist_append)
  BAILIFF_FIND(free_all, curl_slist_free_all)
#undef BAILIFF_FIND
  return api->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? NULL : "it cannot be initialised";
}

// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call: one function for each type of argument.
typedef size_t (*bailiff_curl_callback)(char *bytes, size_t size, size_t count, void *user);

static inline CURLcode bailiff_curl_set_long(const struct bailiff_curl *api, CURL *handle, CURLoption option, long value) {
  return api->setopt(handle, option, value);
}
static inline CURLcode bailiff_curl_set_size(const struct bailiff_curl *api, CURL *handle, CURLoption option, curl_off_t value) {
  return api->setopt(handle, option, value);
}
static inline CURLcode bailiff_curl_set_text(const struct bailiff_curl *api, CURL *handle, CURLoption option, const char *value) {
  return api->setopt(handle, option, value);
}
static inline CURLcode bailiff_curl_set_pointer(const struct bailiff_curl *api, CURL *handle, CURLoption option, void *value) {
  return api->setopt(handle, option, value);
}
static inline CURLcode bailiff_curl_set_callback(
  const struct bailiff_curl *api, CURL *handle, CURLoption option, bailiff_curl_callback value) {
  return api->setopt(handle, option, value);
}
static inline CURLcode bailiff_curl_get_long(const struct bailiff_curl *api, CURL *handle, CURLINFO info, long *value) {
  return api->getinfo(handle, info, value);
}
#endif
