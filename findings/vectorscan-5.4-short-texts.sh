#!/bin/bash
# Vectorscan misses literals in short texts, by where the text lies in memory, on processors with AVX-512.
#
# Guess: whether hs_scan() reports a literal depends on the text alone; its address changes at most the speed.
# Seen (libvectorscan 5.4.9, which Debian 12 has, its AVX-512 code): of one text of 91 bytes, laid at 64 places in turn, POST and the same
# with a space before it are reported at some places and not at others. With two literals in place of three nothing is missed, nor is
# anything with the text lengthened to 256 bytes; of 360,000 random texts of 65 to 127 bytes 123 had one missed, of as many of 192 and
# more none. Who hands it single lines has to lengthen them. Without AVX-512 this script has nothing to show.
set -euo pipefail
grep -qw avx512bw /proc/cpuinfo || { echo "this processor has no AVX-512" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q libvectorscan5=5.4.9-1 >/dev/null 2>&1 || { echo "libvectorscan5 5.4.9-1 is not to be had" >&2; exit 1; }
dpkg -x ./*.deb root
cat > look.py <<'PY'
import ctypes
import glob

hs = ctypes.CDLL(glob.glob("root/usr/lib/*/libhs.so.5")[0])
hs.hs_version.restype = ctypes.c_char_p
on_match = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_ulonglong, ctypes.c_ulonglong, ctypes.c_uint, ctypes.c_void_p)
line = b'[GIN] 2026/11/28 - 08:20:11 | 401 |    1.234567ms |     2001:db8::7 | POST     "/api/login"\n'
memory = ctypes.create_string_buffer(4096)
base = (ctypes.addressof(memory) + 63) // 64 * 64


def places(literals, text):
    """At how many of 64 places both are found that the text has."""
    count = len(literals)
    database, error, scratch = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    assert hs.hs_compile_lit_multi((ctypes.c_char_p * count)(*literals), (ctypes.c_uint * count)(), (ctypes.c_uint * count)(*range(count)),
                                   (ctypes.c_size_t * count)(*map(len, literals)), count, 1, None, ctypes.byref(database), ctypes.byref(error)) == 0
    assert hs.hs_alloc_scratch(database, ctypes.byref(scratch)) == 0
    whole = 0
    for place in range(64):
        found = []
        ctypes.memmove(base + place, text, len(text))
        assert hs.hs_scan(database, ctypes.c_void_p(base + place), len(text), 0, scratch, on_match(lambda id, *rest: found.append(id) or 0), None) == 0
        whole += sorted(found) == [0, 1]
    return whole


print("Vectorscan", hs.hs_version().decode().split()[0])
print("two literals, 91 bytes: found at", places([b" POST", b"POST"], line))
print("three literals, 91 bytes: found at", places([b" POST", b"POST", b"duration="], line))
print("three literals, 256 bytes: found at", places([b" POST", b"POST", b"duration="], line.ljust(256, b".")))
PY
python3 look.py | tee seen
expect() { grep -qxF "$1" seen || { echo "no longer so: $1" >&2; exit 1; }; }
expect 'Vectorscan 5.4.9'
expect 'two literals, 91 bytes: found at 64'
expect 'three literals, 91 bytes: found at 37'
expect 'three literals, 256 bytes: found at 64'
