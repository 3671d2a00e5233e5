#ifndef BAILIFF_CSYSTEMD_H
#define BAILIFF_CSYSTEMD_H
// Swift's Glibc module leaves epoll out; the room that reads the journal also waits with it.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/vfs.h>
#include <linux/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

// Swift's modules are built without _GNU_SOURCE, which hides these.
extern int pipe2(int ends[2], int flags);
extern int statx(int directory, const char *path, int flags, unsigned int mask, struct statx *result);
extern int memfd_create(const char *name, unsigned int flags);

// When the file was made, or -1 where the file system does not know. Here, because Swift confuses the function statx(2)
// with its struct of the same name.
static inline long long bailiff_birth_nanoseconds(const char *path) {
  struct statx result;
  if (statx(-100 /* AT_FDCWD */, path, 0, STATX_BTIME, &result) != 0 || !(result.stx_mask & STATX_BTIME)) return -1;
  return result.stx_btime.tv_sec * 1000000000LL + result.stx_btime.tv_nsec;
}

// f_type of statfs(2), or -1. Swift's Glibc module leaves sys/vfs.h out.
static inline long bailiff_file_system_type(const char *path) {
  struct statfs result;
  return statfs(path, &result) == 0 ? (long)result.f_type : -1;
}
static inline long bailiff_file_system_type_of(int descriptor) {
  struct statfs result;
  return fstatfs(descriptor, &result) == 0 ? (long)result.f_type : -1;
}
#endif
