#ifndef BAILIFF_CMNL_H
#define BAILIFF_CMNL_H
#include <libmnl/libmnl.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

// Functions that glibc declares only with _GNU_SOURCE, which Swift's Glibc module is built without.
int memfd_create(const char *name, unsigned int flags);
int pipe2(int ends[2], int flags);
int unshare(int flags);  // for the tests, which run in network namespaces of their own
pid_t gettid(void);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

// pidfd_open(2) has no wrapper before glibc 2.36, and the variadic syscall(2) cannot be called from Swift.
static inline int bailiff_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

enum { bailiff_memfd_cloexec = 1, bailiff_clone_newnet = 0x40000000 };  // MFD_CLOEXEC, CLONE_NEWNET
#endif
