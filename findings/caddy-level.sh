#!/bin/bash
# Caddy's access log: what was an error in 2.6 is information in 2.11, and the sign that a password came has another text.
#
# Guess: a wrong password leaves the same JSON in both, with a field or two more.
# Seen: 2.6.2 (Debian 12) writes every 4xx, so also a wrong password, with "level":"error" and "Authorization":[]; 2.11.4 (unstable)
# writes "level":"info" and "Authorization":["REDACTED"]. Only a 5xx is an error there. Whoever looks for errors, or for the empty list,
# sees nothing after the upgrade. The honest first request without a password has no Authorization in either.
#
# Needs root (chroot, a network namespace).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. "$(dirname "$0")/lib/debian.sh"

log() { # DIRECTORY DIRECTIVE: what a request without a password and one with a wrong one leave
  local caddy="$work/$1/root/usr/bin/caddy" digest
  digest=$("$caddy" hash-password --plaintext right)
  cat > "$work/$1/Caddyfile" <<CONF
{
  admin off
  auto_https off
}
http://127.0.0.1:8080 {
  log {
    output file $work/$1/access.log
  }
  $2 * {
    alice $digest
  }
  respond hello
}
CONF
  HOME=$work unshare --net sh -c "ip link set lo up
    timeout 20 $caddy run --config $work/$1/Caddyfile >/dev/null 2>&1 & sleep 3
    curl -s -o /dev/null http://127.0.0.1:8080/; curl -s -o /dev/null -u alice:wrong http://127.0.0.1:8080/; sleep 1; kill %1 2>/dev/null || kill \$!"
  python3 -c 'import json, sys
for line in open(sys.argv[1]):
    entry = json.loads(line)
    print(entry["level"], entry["status"], entry["request"]["headers"].get("Authorization"))' "$work/$1/access.log"
}

debian "$work/old" bookworm caddy=2.6.2-5
debian "$work/new" sid caddy=2.11.4-1
old=$(log old basicauth); new=$(log new basic_auth)
printf 'caddy 2.6.2:\n%s\ncaddy 2.11.4:\n%s\n' "$old" "$new"
[ "$old" = "error 401 None
error 401 []" ] || exit 1
[ "$new" = "info 401 None
info 401 ['REDACTED']" ] || exit 1
