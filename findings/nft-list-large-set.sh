#!/bin/bash
# nf_tables: listing a hash set takes the kernel the square of its size, and filling it does not.
#
# Guess: `nft list set` of twenty times as many elements takes the kernel about twenty times as long, as `ipset list` does, and as adding them does.
# Seen (nftables 1.0.6, kernel 6.18, elements with timeouts): 57 to 63 times as long, adding 26 to 39 times (two million: minutes of one core inside the
# kernel for one listing), because each of the dump's messages walks the table from its beginning again to where the last one ended. Whoever keeps long lists
# in such a set must not read it back to learn what is in it.
set -euo pipefail
version=1.0.6-2+deb12u2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q "nftables=$version" "libnftables1=$version" >/dev/null 2>&1 || { echo "nftables $version is not to be had" >&2; exit 1; }
for package in ./*.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu
export nft=$work/root/usr/sbin/nft
uname -r
"$nft" --version

cat > inside.py <<'PYTHON'
import os, resource, subprocess
nft = os.environ["nft"]

def kernel():
    """Seconds that ended children have spent in the kernel."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_stime

def seconds(count):
    """In the kernel, for adding them to a table of their own and for listing them, the best of three."""
    ids = [f"11.{i >> 16}.{i >> 8 & 255}.{i & 255} timeout 1d" for i in range(count)]
    rules = "table inet t { set s { type ipv4_addr; flags timeout; size 4194304; }; }\n" + "".join(
        f"add element inet t s {{ {', '.join(ids[at:at + 20000])} }}\n" for at in range(0, count, 20000))
    begin = kernel()
    subprocess.run([nft, "-f", "-"], input=rules, text=True, check=True)
    adding = kernel() - begin
    listing = []
    for _ in range(3):
        begin = kernel()
        listed = subprocess.run([nft, "list", "set", "inet", "t", "s"], capture_output=True, text=True, check=True).stdout
        listing.append(kernel() - begin)
        assert listed.count("timeout 1d") >= count
    subprocess.run([nft, "delete", "table", "inet", "t"], check=True)
    return adding, min(listing)

few, many = seconds(20_000), seconds(400_000)
print(f"twenty times as many: adding takes the kernel {many[0] / few[0]:.1f} times as long, listing {many[1] / few[1]:.1f} times")
assert many[1] / few[1] > 40, "listing is hardly worse than linear any more"
PYTHON
unshare --net python3 inside.py || exit 1
