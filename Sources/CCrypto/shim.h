#ifndef BAILIFF_CCRYPTO_H
#define BAILIFF_CCRYPTO_H
// OpenSSL's libcrypto 3 (Apache-2.0): digests, signatures, key derivation.
#include <openssl/evp.h>
#endif
