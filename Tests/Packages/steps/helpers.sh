# What the steps have in common.

# How many times as long all takes: a processor that is emulated is slow.
slow=1
[ "$(systemd-detect-virt)" != qemu ] || slow=5

said() { echo "== $(. /etc/os-release && echo "$VERSION_CODENAME"): $*"; }

# Prints the command, and what it prints.
show() {
  echo "\$ $*"
  "$@"
}

# Fails when what was promised is not so.
fail() {
  echo "FAILED: $*" >&2
  return 1
}

# Waits until a command succeeds.
until_so() {
  local tries
  for tries in $(seq 300); do
    ! "$@" >/dev/null 2>&1 || return 0
    sleep 0.2
  done
  fail "after a minute still not so: $*"
}

# Two hosts beside this one, in a network namespace: .2 and :2 attack, .3 and :3 are Alice's.
network() {
  ip link set lo up
  ip netns add others
  ip link add server type veth peer name others netns others
  ip addr add 10.77.0.1/24 dev server
  ip addr add fd77:0:0:1::1/48 dev server nodad
  ip link set server up
  local host
  for host in 2 3 4; do
    ip -n others addr add 10.77.0.$host/24 dev others
    # Each in a /64 of its own, since that is what is banned.
    ip -n others addr add fd77:0:0:$host::$host/48 dev others nodad
  done
  ip -n others link set lo up
  ip -n others link set others up
}

# reaches FROM [TO]: does a packet from there get an answer?
reaches() {
  local to=10.77.0.1
  case $1 in *:*) to=fd77:0:0:1::1 ;; esac
  ip netns exec others ping -q -n -c 1 -W $slow -I "$1" "$to" >/dev/null
}

# gets_to_sshd FROM: does sshd itself refuse who has no password? A ban closes the ports of its jail, not ping.
gets_to_sshd() {
  local said
  said=$(ip netns exec others timeout 5 ssh -b "$1" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o BatchMode=yes -o ConnectTimeout=2 root@10.77.0.1 true 2>&1) || true
  [[ $said == *'Permission denied'* ]]
}

# login FROM NAME PASSWORD: one try through sshd; whom a ban overtakes waits in vain.
login() {
  local to=10.77.0.1
  case $1 in *:*) to=fd77:0:0:1::1 ;; esac
  ip netns exec others timeout $((8 * slow)) sshpass -p "$3" ssh -b "$1" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 -o ConnectTimeout=$((3 * slow)) -o LogLevel=ERROR \
    "$2@$to" true
}

# attack FROM: six wrong passwords.
attack() {
  local name
  for name in root admin test oracle git root; do ! login "$1" "$name" wrong 2>/dev/null || fail "sshd let $name in"; done
}

banned() { bailiff bans --json | grep -qF "\"$1"; }

# Everything of ours that the kernel's firewall holds, by any of its names.
in_firewall() {
  { iptables-save; ip6tables-save; ipset list -n; nft list tables; } 2>/dev/null | grep -i bailiff || true
}
