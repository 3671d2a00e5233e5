#!/bin/bash
# dnsdist's log: sentences up to 1.9, logfmt from 2.x on, without anybody having asked for it.
#
# Guess: "Inserting dynamic block for 127.0.0.1/32 for 60 seconds: Exceeded query rate" stays; structured logs are an option.
# Seen, same configuration, a hundred queries from one address: 1.9.16 (Debian 13) writes that sentence, 2.1.3 (unstable)
#   msg="Inserting dynamic rule" subsystem="dynamic-rules" level="0" prio="Warning" ts="…" client.address="127.0.0.1/32" …
# The words differ too (rule, not block), so a pattern for the sentence finds nothing after the upgrade.
#
# Needs root (chroots, a network namespace).
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

block() { # SUITE VERSION: the line about the block
  debian "$work/$1" "$1" "dnsdist=$2"
  local root=$work/$1/root
  mkdir -p "$root"/{tmp,dev,proc,run/dnsdist}
  for node in null:3 random:8 urandom:9; do mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"; done
  cat > "$root/tmp/conf" <<'CONF'
setLocal("127.0.0.1:5353")
addAction(AllRule(), RCodeAction(DNSRCode.REFUSED))
local rules = dynBlockRulesGroup()
rules:setQueryRate(5, 10, "Exceeded query rate", 60)
function maintenance() rules:apply() end
CONF
  unshare --net sh -c "ip link set lo up
    timeout 8 chroot $root dnsdist --supervised --disable-syslog -C /tmp/conf & sleep 2
    python3 -c 'import socket
connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(100):
    connection.sendto(bytes.fromhex(\"123401000001000000000000\") + b\"\x04test\x00\x00\x01\x00\x01\", (\"127.0.0.1\", 5353))'
    wait" 2>&1 | grep 'Inserting dynamic' | sed -E "s/ts=\"[0-9.]+\"/ts=…/; s/^/$2: /" | head -n 1
}

seen=$(block trixie 1.9.16-0+deb13u1; block sid 2.1.3-1)
echo "$seen"
expect() { grep -qF "$1" <<<"$seen" || { echo "no longer so: $1" >&2; exit 1; }; }
expect '1.9.16-0+deb13u1: Inserting dynamic block for 127.0.0.1/32 for 60 seconds: Exceeded query rate'
expect '2.1.3-1: msg="Inserting dynamic rule" subsystem="dynamic-rules" level="0" prio="Warning" ts=… client.address="127.0.0.1/32"'
