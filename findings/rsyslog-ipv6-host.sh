#!/bin/bash
# rsyslog takes the name of a device that calls itself by its IPv6 address (RFC 3164) for a program.
#
# Guess: "<38>Nov 28 13:00:00 2001:db8::1 sshd[2]: text" has the host 2001:db8::1 and the tag "sshd[2]:", as with an IPv4 address.
# Seen (rsyslogd 8.2302.0, Debian 12; 8.2610.0 in unstable does the same): the host is the sender's, the tag is "2001:", the message
# "db8::1 sshd[2]: text". The default template writes "Nov 28 13:00:00 localhost 2001: db8::1 sshd[2]: text": the address is
# torn in two, and whoever asks for the program sshd finds none. An IPv4 address in the same place is a host.
set -euo pipefail
version=8.2302.0-1+deb12u2
work=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon"; rm -rf "$work"' EXIT
cd "$work"
apt-get download -q "rsyslog=$version" libestr0 libfastjson4 >/dev/null 2>&1 || { echo "rsyslog $version is not to be had" >&2; exit 1; }
for package in ./*.deb; do dpkg -x "$package" root; done
libraries=$work/root/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$libraries

cat > conf <<CONF
module(load="imudp")
input(type="imudp" port="15514" address="127.0.0.1")
template(name="parts" type="string" string="host=%hostname% tag=%syslogtag% msg=%msg%\n")
*.* action(type="omfile" file="$work/parts" template="parts")
*.* action(type="omfile" file="$work/lines" template="RSYSLOG_TraditionalFileFormat")
CONF
root/usr/sbin/rsyslogd -v | head -1
root/usr/sbin/rsyslogd -n -M "$libraries/rsyslog" -f conf -i "$work/pid" &
daemon=$!
sleep 2
for host in 192.0.2.1 2001:db8::1; do
  python3 -c 'import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(sys.argv[1].encode(), ("127.0.0.1", 15514))' "<38>Nov 28 13:00:00 $host sshd[2]: text"
done
for _ in $(seq 50); do [ "$(wc -l < lines 2>/dev/null || echo 0)" -ge 2 ] && break; sleep 0.2; done
cat parts lines
expect() { grep -qxF "$2" "$1" || { echo "no longer so: $2" >&2; exit 1; }; }
expect parts 'host=192.0.2.1 tag=sshd[2]: msg= text'
expect parts 'host=localhost tag=2001: msg=db8::1 sshd[2]: text'
expect lines 'Nov 28 13:00:00 localhost 2001: db8::1 sshd[2]: text'
