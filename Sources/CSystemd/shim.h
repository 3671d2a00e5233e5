#ifndef BAILIFF_CSYSTEMD_H
#define BAILIFF_CSYSTEMD_H
// Swift's Glibc module leaves epoll out; the room that reads the journal also waits with it.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
// Swift's modules are built without _GNU_SOURCE, which hides these.
extern int pipe2(int ends[2], int flags);
extern int memfd_create(const char *name, unsigned int flags);
#endif
