#ifndef BAILIFF_CVECTORSCAN_H
#define BAILIFF_CVECTORSCAN_H
#include <hs/hs.h>
#include <stddef.h>

// memrchr(3) is a GNU extension that Swift's Glibc module does not show.
extern void *memrchr(const void *s, int c, size_t n);
static inline const void *bailiff_memrchr(const void *s, int c, size_t n) { return memrchr(s, c, n); }
#endif
