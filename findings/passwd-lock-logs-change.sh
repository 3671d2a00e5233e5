#!/bin/bash
# passwd -l, -u and -d log what a new password logs: that an account was locked, or has none any more, is in no log.
#
# Guess (from what usermod writes; with 4.13 it was seen while recording): each is a line of its own, as useradd, usermod and userdel have one for each thing that they do; `-d`, after which everybody
# gets in, above all.
# Seen (shadow 4.17.4, Debian 13): all three say `password for 'alice' changed by 'root'`. `usermod -L` says `lock user 'alice' password`.
#
# Needs root (a chroot, a mount namespace).
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debian "$work" trixie passwd=1:4.17.4-2 libpam-modules libpam-runtime dash coreutils
root=$work/root
ls "$work"/apt/archives | sed -n 's/^passwd_/passwd_/p'
echo 'root:x:0:0:root:/root:/bin/sh
alice:x:1000:1000::/:/bin/sh' > "$root/etc/passwd"
echo "root:*:19000:0:99999:7:::
alice:$(openssl passwd -6 right):19000:0:99999:7:::" > "$root/etc/shadow"
echo 'root:x:0:
shadow:x:42:
alice:x:1000:' > "$root/etc/group"
mkdir -p "$root"/{proc,dev,etc/pam.d,run}
rm -f "$root"/etc/pam.d/*
for service in passwd usermod other; do
  printf 'auth sufficient pam_rootok.so\naccount required pam_permit.so\npassword required pam_unix.so\nsession required pam_permit.so\n' > "$root/etc/pam.d/$service"
done
touch "$root/etc/login.defs"
cat > "$work/try.py" <<'PY'
import socket, subprocess, sys
root = sys.argv[1]
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(root + "/dev/log")
log.settimeout(1)
for command in (["passwd", "-l"], ["passwd", "-u"], ["passwd", "-d"], ["usermod", "-L"]):
    subprocess.run(["chroot", root, *command, "alice"], stdout=subprocess.DEVNULL)
    try:
        while True:
            print(" ".join(command) + ": " + log.recv(4096).decode().split(": ", 1)[1].strip())
    except TimeoutError:
        pass
PY
unshare --mount sh -c "mount --make-rprivate / ; mount --bind /proc $root/proc; mount -t tmpfs tmpfs $root/dev
  touch $root/dev/null; mount --bind /dev/null $root/dev/null; python3 $work/try.py $root" | tee "$work/seen"
expect() { grep -qxF "$1" "$work/seen" || { echo "no longer so: $1" >&2; exit 1; }; }
for option in -l -u -d; do expect "passwd $option: password for 'alice' changed by 'root'"; done
expect "usermod -L: lock user 'alice' password"
