#!/bin/bash
# OpenLDAP's server may log the result of a bind before the line that says who connected.
#
# Guess: "conn=1007 fd=12 ACCEPT from IP=…" is the first line of conn=1007; a program that joins the failure (RESULT … err=49) to the
# address can forget what it has not seen an ACCEPT of.
# Seen (slapd 2.6.10, Debian 13; 2.6.14 too): the listener thread writes ACCEPT, a worker thread the rest, and nothing orders the two. Of
# 2,000 binds with a wrong password 146 had their BIND and RESULT above their ACCEPT (two busy cores). A join has to hold a
# failure for a moment, or those clients are never counted.
#
# Needs root (chroot, a network namespace).
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
version=2.6.10+dfsg-1
binds=2000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debian "$work/new" trixie "slapd=$version" "ldap-utils=$version" dash
root=$work/new/root
mkdir -p "$root"/{tmp,dev,proc,run/slapd,var/lib/test}
for node in null:3 random:8 urandom:9; do mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"; done
cat > "$root/tmp/conf" <<'CONF'
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
loglevel stats
logfile /tmp/log
logfile-only on
database mdb
suffix "dc=example,dc=test"
rootdn "cn=admin,dc=example,dc=test"
rootpw right
directory /var/lib/test
CONF
cat > "$work/bind.py" <<'PY'
"""Binds with a wrong password, on a connection each."""
import socket, sys
name, password = b"cn=admin,dc=example,dc=test", b"wrong"
bind = b"\x02\x01\x03\x04" + bytes([len(name)]) + name + b"\x80" + bytes([len(password)]) + password
message = b"\x02\x01\x01\x60" + bytes([len(bind)]) + bind
message = b"\x30" + bytes([len(message)]) + message
for _ in range(int(sys.argv[1])):
    with socket.create_connection(("127.0.0.1", 3890)) as connection:
        connection.sendall(message)
        connection.recv(100)
PY
unshare --net sh -c "ip link set lo up
  chroot $root slapd -d 0 -f /tmp/conf -h ldap://127.0.0.1:3890 & slapd=\$!
  sleep 3; python3 $work/bind.py $binds; sleep 1; kill \$slapd"
python3 - "$root/tmp/log" > "$work/counted" <<'PY'
import re, sys
accepted, results, early, shown = set(), 0, 0, ""
for line in open(sys.argv[1]):
    number = re.search(r"conn=(\d+)", line)
    if number and "ACCEPT from" in line:
        accepted.add(number[1])
    if number and "err=49" in line:
        results += 1
        if number[1] not in accepted:
            early += 1
print(results, early)
PY
read -r results early < "$work/counted"
echo "slapd $version: $results refused binds, $early of them logged before their ACCEPT"
[ "$results" -eq "$binds" ] || exit 1
[ "$early" -gt 0 ] || exit 1
