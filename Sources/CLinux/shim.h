// What Swift's Glibc module leaves out of the C library, because it is built without _GNU_SOURCE or cannot see macros.
#ifndef BAILIFF_CLINUX_H
#define BAILIFF_CLINUX_H
#include <linux/stat.h>
#include <pthread.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <sys/timex.h>

extern void *memrchr(const void *s, int c, size_t n);
extern void *memmem(const void *bytes, size_t count, const void *needle, size_t length);
extern int pipe2(int ends[2], int flags);
extern int memfd_create(const char *name, unsigned int flags);
extern int unshare(int flags);
extern pid_t gettid(void);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern int statx(int directory, const char *path, int flags, unsigned int mask, struct statx *result);

// Is the clock steered by anybody (adjtimex(2))? 1, 0, or -1 where the kernel does not say.
static inline int bailiff_is_clock_synchronised(void) {
  struct timex state = {0};
  return adjtimex(&state) < 0 ? -1 : (state.status & STA_UNSYNC) == 0;
}

static inline const void *bailiff_memrchr(const void *s, int c, size_t n) { return memrchr(s, c, n); }

static inline const void *bailiff_memmem(const void *bytes, size_t count, const void *needle, size_t length) {
  return memmem(bytes, count, needle, length);
}

// pidfd_open(2) has no wrapper before glibc 2.36, and the variadic syscall(2) cannot be called from Swift.
static inline int bailiff_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

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

// A datagram of a Unix socket that has SO_PASSCRED, and who sent it as the kernel says (unix(7), SCM_CREDENTIALS). Here, because the
// macros of cmsg(3) cannot be called from Swift. Returns recvmsg(2)'s value; `id` is pid, uid, gid; `has_id` 0: the kernel did not say.
static inline long bailiff_receive(
    int descriptor, void *buffer, size_t size, unsigned int id[3], int *has_id, struct sockaddr_un *from, unsigned int *length) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(3 * sizeof(unsigned int))];
  } control;
  struct iovec piece = {buffer, size};
  struct msghdr message = {0};
  message.msg_name = from;
  message.msg_namelen = sizeof *from;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  *has_id = 0;
  long count = recvmsg(descriptor, &message, MSG_CMSG_CLOEXEC);
  *length = message.msg_namelen;
  if (count < 0) return count;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != 2 /* SCM_CREDENTIALS */) continue;
    memcpy(id, CMSG_DATA(part), 3 * sizeof(unsigned int));
    *has_id = 1;
  }
  return (message.msg_flags & MSG_TRUNC) ? (long)size + 1 : count;
}

enum { bailiff_mfd_cloexec = 1, bailiff_clone_newnet = 0x40000000 };  // MFD_CLOEXEC, CLONE_NEWNET
#endif
