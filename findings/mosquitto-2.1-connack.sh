#!/bin/bash
# Mosquitto's refused clients: 2.1 moved the address from one line to another, and what stands in its old place is the client's own text.
#
# Guess: newer versions add fields; the lines of a refused password keep their shape.
# Seen: 2.0.21 (Debian 13) with `log_type all` says
#     Sending CONNACK to 127.0.0.1 (0, 5)
#     Client sensor1 disconnected, not authorised.
# (the first names the address, the second does not); 2.1.2 says
#     Sending CONNACK to sensor1 (0, 5)
#     Client sensor1 [127.0.0.1:PORT] disconnected: not authorised.
# (the first names the id that the client chose, the second has the address, without `log_type all` too). A pattern that takes the
# address from "Sending CONNACK to" takes the client's word from 2.1 on.
#
# Needs root (chroots, a network namespace). About two minutes.
set -euo pipefail
command -v debootstrap >/dev/null || { apt-get update -q; apt-get install -qy --no-install-recommends debootstrap; } >/dev/null
work=$(mktemp -d)
trap 'umount -R "$work"/*/proc 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT

debian() { # SUITE PACKAGE=VERSION…
  local suite=$1; shift
  debootstrap --variant=minbase "$suite" "$work/$suite" >/dev/null
  printf '#!/bin/sh\nexit 101\n' > "$work/$suite/usr/sbin/policy-rc.d"; chmod 755 "$work/$suite/usr/sbin/policy-rc.d"
  DEBIAN_FRONTEND=noninteractive chroot "$work/$suite" apt-get -o Acquire::Check-Valid-Until=false -qy --no-install-recommends install "$@" >/dev/null
}

refuse() { # SUITE: what is logged when sensor1 comes with a wrong password
  cat > "$work/$1/tmp/m.conf" <<'CONF'
listener 1883 127.0.0.1
allow_anonymous false
password_file /tmp/users
log_dest stderr
log_type all
CONF
  chroot "$work/$1" sh -c 'mosquitto_passwd -b -c /tmp/users alice right; chown mosquitto: /tmp/users; chmod 755 /tmp'
  unshare -n sh -c "ip link set lo up
    timeout 5 chroot $work/$1 mosquitto -c /tmp/m.conf & sleep 2
    chroot $work/$1 mosquitto_pub -h 127.0.0.1 -i sensor1 -u alice -P wrong -t a -m b; sleep 1" 2>&1 | sed -E 's/^[0-9]+: //; s/:[0-9]{4,5}\]/:PORT]/'
}

debian trixie mosquitto=2.0.21-1 mosquitto-clients=2.0.21-1
debian sid mosquitto=2.1.2-3 mosquitto-clients=2.1.2-3
old=$(refuse trixie); new=$(refuse sid)
grep -E 'CONNACK|not authorised' <<<"$old" | sed 's/^/2.0.21: /'
grep -E 'CONNACK|not authorised' <<<"$new" | sed 's/^/2.1.2: /'
expect() { grep -qxF "$2" <<<"$1" || { echo "no longer there: $2" >&2; exit 1; }; }
expect "$old" 'Sending CONNACK to 127.0.0.1 (0, 5)'
expect "$old" 'Client sensor1 disconnected, not authorised.'
expect "$new" 'Sending CONNACK to sensor1 (0, 5)'
expect "$new" 'Client sensor1 [127.0.0.1:PORT] disconnected: not authorised.'
