// PCRE2's header asks for the width of a code unit before it is included; ours are bytes.
#ifndef BAILIFF_CPCRE2_H
#define BAILIFF_CPCRE2_H
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif
