#!/bin/bash
# OpenVPN 2.7 writes another name of the client before each of its lines, and the two families differ no more.
#
# Guess: the prefix is ADDRESS:port as ever; 2.7's new sockets (several `local`) change nothing for a server with one.
# Seen for a wrong password, one server over UDP for each family, nothing of 2.7 configured:
#   2.6.14 (Debian 13): 127.0.0.1:PORT TLS Auth Error: …           ::1 TLS Auth Error: …            (IPv6 without a port)
#   2.7.8  (unstable):  udp4:127.0.0.1:PORT TLS Auth Error: …      udp6:[::1]:PORT TLS Auth Error: …
# What is anchored at the line's begin, or takes what stands before the first colon for the address, loses every failure.
#
# Needs root (chroots, a network namespace, /dev/net/tun).
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=server -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
printf 'alice\nwrong\n' > "$work/login"

refuse() { # SUITE VERSION: the lines about a wrong password, over IPv4 and IPv6
  debian "$work/$1" "$1" "openvpn=$2" dash coreutils
  local root=$work/$1/root family
  mkdir -p "$root/tmp" "$root/dev/net" "$root/proc"
  mknod -m 666 "$root/dev/net/tun" c 10 200
  for node in null:3 random:8 urandom:9; do mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"; done
  cp "$work"/{key.pem,cert.pem,login} "$root/tmp"
  printf '#!/bin/sh\nexit 1\n' > "$root/tmp/refuse"
  chmod 755 "$root/tmp/refuse"
  for family in udp4:127.0.0.1 udp6:::1; do
    cat > "$root/tmp/conf" <<CONF
dev tun
ifconfig-noexec
route-noexec
topology subnet
proto ${family%%:*}
local ${family#*:}
server 10.99.0.0 255.255.255.0
ca /tmp/cert.pem
cert /tmp/cert.pem
key /tmp/key.pem
dh none
verify-client-cert none
script-security 2
auth-user-pass-verify /tmp/refuse via-file
tmp-dir /tmp
CONF
    unshare --net sh -c "ip link set lo up
      timeout 8 chroot $root openvpn --config /tmp/conf & sleep 2
      timeout 5 chroot $root openvpn --client --dev null --proto ${family%%:*} --remote ${family#*:} --ca /tmp/cert.pem \
        --auth-user-pass /tmp/login --nobind --connect-retry-max 1 >/dev/null 2>&1; wait" 2>&1 |
      sed -nE "s/^[0-9-]+ [0-9:]+ //; s/(:|\])[0-9]{4,5} TLS/\1PORT TLS/; s/\]PORT/]:PORT/; /TLS Auth Error/s/^/$2: /p" | head -n 1
  done
}

seen=$(refuse trixie 2.6.14-1+deb13u3; refuse sid 2.7.8-1)
echo "$seen"
[ "$seen" = '2.6.14-1+deb13u3: 127.0.0.1:PORT TLS Auth Error: Auth Username/Password verification failed for peer
2.6.14-1+deb13u3: ::1 TLS Auth Error: Auth Username/Password verification failed for peer
2.7.8-1: udp4:127.0.0.1:PORT TLS Auth Error: Auth Username/Password verification failed for peer
2.7.8-1: udp6:[::1]:PORT TLS Auth Error: Auth Username/Password verification failed for peer' ] || exit 1
