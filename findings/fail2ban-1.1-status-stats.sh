#!/bin/bash
# fail2ban-client 1.1: `status JAIL stats`, a flavor that its help names, prints the reply unformatted between two error lines, and exits with 0.
#
# Guess: `status sshd stats` prints backend, failures and bans in a form of its own, as `stats` does for all jails.
# Seen (1.1.0 of Debian 13; 1.1.1 from source does the same): the server answers `['polling', (0, 0), (0, 0)]`, the client says
# "Beautifier error. Please report the error", prints the beginning of its usual form in front of that list, and ends with 0. `status sshd` and
# `stats` are as they should be. A script that reads the flavor must parse the list.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
version=1.1.0-8
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; sleep 1; rm -rf "$work"' EXIT
debian "$work/new" trixie "fail2ban=$version"
root=$work/new/root
mkdir -p "$root/f2b" "$root/tmp" "$root/proc"
: > "$root/f2b/auth.log"
cat > "$root/f2b/fail2ban.conf" <<'CONF'
[Definition]
loglevel = INFO
logtarget = /f2b/log
syslogsocket = auto
socket = /f2b/socket
pidfile = /f2b/pid
dbfile = None
dbpurgeage = 1d
CONF
cat > "$root/f2b/jail.conf" <<'CONF'
[sshd]
enabled = true
filter = sshd
backend = polling
usedns = no
logpath = /f2b/auth.log
action =
CONF
ln -s /etc/fail2ban/filter.d "$root/f2b/filter.d"
export LC_ALL=C.UTF-8
inside() { chroot "$root" /usr/bin/python3 "/usr/bin/$1" "${@:2}"; }
ask() { inside fail2ban-client -c /f2b -s /f2b/socket -p /f2b/pid "$@" 2>&1; }
chroot "$root" /usr/bin/python3 /usr/bin/fail2ban-server -f -c /f2b -s /f2b/socket -p /f2b/pid start > "$work/server" 2>&1 &
server=$!
for _ in $(seq 100); do ! ask ping >/dev/null || break; sleep 0.2; done
inside fail2ban-client --version
ask -h | grep -q "status <JAIL> \[FLAVOR\]" || exit 1
ask status sshd | grep -q 'Total banned' || exit 1
status=0
ask status sshd stats > "$work/seen" || status=$?
sed -E 's/^[-0-9]+ [:0-9,]+ //; s/\[[0-9]+\]/[N]/' "$work/seen"
[ "$status" = 0 ] || exit 1
grep -q 'Beautifier error' "$work/seen" || exit 1
grep -qF "['polling', (0, 0), (0, 0)]" "$work/seen" || exit 1
ask stats | grep -q 'polling' || exit 1
