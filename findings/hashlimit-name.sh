#!/bin/bash
# xt_hashlimit: a rule that is replaced goes on counting by the limit of the rule before it, if it keeps its --hashlimit-name.
#
# Guess (iptables-extensions(8) calls the name only "the name for the /proc/net/ipt_hashlimit/foo entry"): a rule that
# `iptables-restore` or `iptables -R` puts in the place of another counts by its own --hashlimit-burst from then on.
# Seen (iptables 1.8.9, nf_tables and legacy, kernel 6.18): the new rule is listed with its own numbers and counts by the old
# ones, because the kernel looks the table up by its name and finds the one that the old rule still holds; with another name,
# or when the old rule is removed in a step before, the new numbers count.
set -euo pipefail
version=1.8.9-2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q "iptables=$version" "libxtables12=$version" "libip4tc2=$version" "libip6tc2=$version" >/dev/null 2>&1 ||
  { echo "iptables $version is not to be had" >&2; exit 1; }
for package in ./*.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu XTABLES_LIBDIR=$work/root/usr/lib/x86_64-linux-gnu/xtables
export bin=$work/root/usr/sbin
uname -r
"$bin/xtables-nft-multi" iptables -V

cat > inside <<'SH'
set -euo pipefail
ip link set lo up
for kind in nft legacy; do
  iptables() { "$bin/xtables-$kind-multi" iptables "$@"; }
  rule() { echo "OUTPUT -p udp -m hashlimit --hashlimit-above 1/hour --hashlimit-burst $1 --hashlimit-mode srcip --hashlimit-name $2 -j DROP"; }
  # How many of twenty packets get through.
  passed() {
    iptables -Z OUTPUT
    for i in $(seq 20); do echo x > /dev/udp/127.0.0.1/9 || true; done 2>/dev/null
    echo $((20 - $(iptables -S OUTPUT -v | sed -n '/^-A/s/.* -c \([0-9]*\) .*/\1/p')))
  }
  iptables -A $(rule 3 finding)
  first=$(passed)
  iptables -R $(rule 15 finding | sed 's/OUTPUT/OUTPUT 1/')
  listed=$(iptables -S OUTPUT | grep -o 'hashlimit-burst [0-9]*')
  replaced=$(passed)
  iptables -R $(rule 15 other | sed 's/OUTPUT/OUTPUT 1/')
  renamed=$(passed)
  iptables -F OUTPUT
  sleep 1
  iptables -A $(rule 12 finding)
  again=$(passed)
  iptables -F OUTPUT
  echo "$kind: burst 3: $first; replaced by $listed: $replaced; under another name: $renamed; after a removal, burst 12: $again"
done
SH
unshare --net bash inside | tee seen
for kind in nft legacy; do
  grep -qx "$kind: burst 3: 3; replaced by hashlimit-burst 15: 0; under another name: 15; after a removal, burst 12: 12" seen ||
    { echo "no longer so with $kind" >&2; exit 1; }
done
