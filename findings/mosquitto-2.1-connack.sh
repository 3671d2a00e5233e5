#!/bin/bash
# Mosquitto's refused clients: 2.1 moved the address from one line to another, and in its old place stands the client's own text.
#
# Guess: the lines about a refused password keep their shape; newer versions add fields.
# Seen with `log_type all`, a client that calls itself sensor1, a wrong password:
#   2.0.11 (Debian 12): Sending CONNACK to 127.0.0.1 (0, 5)      Client <unknown> disconnected, not authorised.
#   2.0.21 (Debian 13): Sending CONNACK to sensor1 (0, 5)        Client sensor1 disconnected, not authorised.
#   2.1.2  (unstable):  Sending CONNACK to sensor1 (0, 5)        Client sensor1 [127.0.0.1:PORT] disconnected: not authorised.
# In 2.0.21 no line about the refusal has the address; from 2.1 on the last one has, with every log_type. A pattern that takes the
# address behind "Sending CONNACK to", right for 2.0.11, takes the client's word from then on.
#
# Needs root (chroots, a network namespace).
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

refuse() { # SUITE VERSION: the lines about a refused client
  debian "$work/$1" "$1" "mosquitto=$2" "mosquitto-clients=$2"
  local root=$work/$1/root
  mkdir -p "$root/tmp" "$root/etc" "$root/dev" "$root/run/mosquitto"
  touch "$root/dev/null"
  echo 'root:x:0:0::/:/bin/sh' > "$root/etc/passwd"
  printf 'listener 1883 127.0.0.1\nallow_anonymous false\npassword_file /tmp/users\nlog_dest stderr\nlog_type all\nuser root\n' > "$root/tmp/conf"
  chroot "$root" mosquitto_passwd -b -c /tmp/users alice right >/dev/null 2>&1
  unshare --net sh -c "ip link set lo up
    timeout 6 chroot $root mosquitto -c /tmp/conf & sleep 2
    chroot $root mosquitto_pub -h 127.0.0.1 -i sensor1 -u alice -P wrong -t a -m b 2>/dev/null; wait" 2>&1 |
    sed -E 's/^[0-9TZ:-]+: //; s/:[0-9]{4,5}\]/:PORT]/' | grep -E '^Sending CONNACK|^Client .*not authorised' | sed "s/^/$2: /"
}

seen=$(refuse bookworm 2.0.11-1.2+deb12u2; refuse trixie 2.0.21-1; refuse sid 2.1.2-3)
echo "$seen"
[ "$seen" = '2.0.11-1.2+deb12u2: Sending CONNACK to 127.0.0.1 (0, 5)
2.0.11-1.2+deb12u2: Client <unknown> disconnected, not authorised.
2.0.21-1: Sending CONNACK to sensor1 (0, 5)
2.0.21-1: Client sensor1 disconnected, not authorised.
2.1.2-3: Sending CONNACK to sensor1 (0, 5)
2.1.2-3: Client sensor1 [127.0.0.1:PORT] disconnected: not authorised.' ] || exit 1
