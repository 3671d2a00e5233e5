// libmaxminddb, found when it is first needed (dlopen(3)) and not linked: only machines with a database need it.
#ifndef BAILIFF_CMAXMINDDB_H
#define BAILIFF_CMAXMINDDB_H
#include <dlfcn.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <string.h>

struct bailiff_mmdb {
  int (*open)(const char *path, uint32_t flags, MMDB_s *database);
  void (*close)(MMDB_s *database);
  MMDB_lookup_result_s (*lookup)(const MMDB_s *database, const struct sockaddr *address, int *error);
  int (*read_node)(const MMDB_s *database, uint32_t number, MMDB_search_node_s *node);
  int (*get_value)(MMDB_entry_s *start, MMDB_entry_data_s *value, const char *const *path);
  const char *(*strerror)(int code);
};

// Fills `api` from a library of this name. Returns what is missing, or NULL when everything is there.
static inline const char *bailiff_mmdb_load(struct bailiff_mmdb *api, const char *library) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return dlerror();
#define BAILIFF_FIND(member, name) \
  if (!(*(void **)&api->member = dlsym(handle, #name))) return #name " is missing";
  BAILIFF_FIND(open, MMDB_open)
  BAILIFF_FIND(close, MMDB_close)
  BAILIFF_FIND(lookup, MMDB_lookup_sockaddr)
  BAILIFF_FIND(read_node, MMDB_read_node)
  BAILIFF_FIND(get_value, MMDB_aget_value)
  BAILIFF_FIND(strerror, MMDB_strerror)
#undef BAILIFF_FIND
  return NULL;
}

// A value of a record: a text (in the database's memory, not terminated), or a number, or neither.
struct bailiff_mmdb_value {
  const char *text;
  uint32_t length;
  uint32_t number;
};

// What a record says under `key`, or under `inner` of the map that is there; `inner` is NULL for the former. The record is
// named by its offset in the data section.
static inline struct bailiff_mmdb_value bailiff_mmdb_value(
  const struct bailiff_mmdb *api, const MMDB_s *database, uint32_t offset, const char *key, const char *inner) {
  struct bailiff_mmdb_value value = {NULL, 0, 0};
  const char *path[] = {key, inner, NULL};
  MMDB_entry_s entry = {database, offset};
  MMDB_entry_data_s data;
  if (api->get_value(&entry, &data, path) != MMDB_SUCCESS || !data.has_data) return value;
  if (data.type == MMDB_DATA_TYPE_UTF8_STRING) {
    value.text = data.utf8_string;
    value.length = data.data_size;
  } else if (data.type == MMDB_DATA_TYPE_UINT32) {
    value.number = data.uint32;
  } else if (data.type == MMDB_DATA_TYPE_UINT16) {
    value.number = data.uint16;
  } else if (data.type == MMDB_DATA_TYPE_UINT64 && data.uint64 <= UINT32_MAX) {
    value.number = (uint32_t)data.uint64;
  }
  return value;
}

// The offset of an address's record, or -1 where there is none. `bytes` are 4 or 16, in network order.
static inline int64_t bailiff_mmdb_find(
  const struct bailiff_mmdb *api, const MMDB_s *database, const uint8_t *bytes, size_t count) {
  struct sockaddr_in ipv4 = {.sin_family = AF_INET};
  struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
  const struct sockaddr *address = (const struct sockaddr *)&ipv6;
  if (count == 4) {
    memcpy(&ipv4.sin_addr, bytes, 4);
    address = (const struct sockaddr *)&ipv4;
  } else {
    memcpy(&ipv6.sin6_addr, bytes, 16);
  }
  int error = MMDB_SUCCESS;
  MMDB_lookup_result_s result = api->lookup(database, address, &error);
  return error == MMDB_SUCCESS && result.found_entry ? (int64_t)result.entry.offset : -1;
}
#endif
