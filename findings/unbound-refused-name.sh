#!/bin/bash
# Unbound's log-replies does not say what a refused client asked for.
#
# Guess: `log-replies: yes` writes one line a reply, "ADDRESS NAME TYPE CLASS RCODE …", for refused clients as for others.
# Seen (unbound 1.17.1, Debian 12; 1.22.0 and 1.26.2 too): for a client that access-control refuses, the line reads
#   info: 127.0.0.2 null TYPE0 CLASS0 REFUSED 0.000000 1 12
# The question is not kept, so who abuses an open port for amplification (ANY, one name again and again) cannot be told from a
# neighbour with an old resolv.conf, and `log-queries` writes no line about it at all.
#
# Needs root (chroot, a network namespace).
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
version=1.17.1-2+deb12u4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debian "$work/new" bookworm "unbound=$version"
root=$work/new/root
mkdir -p "$root"/{tmp,dev,proc}
for node in null:3 random:8 urandom:9; do mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"; done
cat > "$root/tmp/conf" <<'CONF'
server:
  interface: 127.0.0.1@5353
  access-control: 127.0.0.0/8 refuse
  access-control: 127.0.0.3/32 allow
  local-zone: "example.test." static
  local-data: "www.example.test. A 192.0.2.1"
  use-syslog: no
  logfile: ""
  log-queries: yes
  log-replies: yes
  chroot: ""
  username: ""
  pidfile: ""
remote-control:
  control-enable: no
CONF
unshare --net sh -c "ip link set lo up
  timeout 6 chroot $root unbound -d -c /tmp/conf & sleep 3
  python3 -c 'import socket
for source in (\"127.0.0.2\", \"127.0.0.3\"):
    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connection.bind((source, 0))
    connection.sendto(bytes.fromhex(\"123401000001000000000000\") + b\"\x03www\x07example\x04test\x00\x00\x01\x00\x01\", (\"127.0.0.1\", 5353))
    connection.settimeout(2)
    connection.recv(512)'
  wait" 2>&1 | grep -E ' 127\.0\.0\.[23] ' | sed -E 's/^.*info: //; s/[0-9]+\.[0-9]{6}/TIME/' | tee "$work/seen"
[ "$(cat "$work/seen")" = '127.0.0.2 null TYPE0 CLASS0 REFUSED TIME 1 12
127.0.0.3 www.example.test. A IN
127.0.0.3 www.example.test. A IN NOERROR TIME 1 50' ] || exit 1
