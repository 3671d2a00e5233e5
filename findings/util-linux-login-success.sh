#!/bin/bash
# util-linux's login logs each wrong password, and of a login that works nothing but what PAM says.
#
# Guess: for a right password it writes `LOGIN ON pts/0 BY alice FROM 198.51.100.7`, as it writes `FAILED LOGIN 1 FROM …` for a wrong one.
# Seen (login 1:4.16.0-2+really2.41.5-0+deb13u1, Debian 13): no such line; only pam_unix tells, with the name and without the address. So
# who came in by telnet, and from where, is in wtmp alone; a log of logins cannot have the address.
#
# Needs root (a chroot, a mount namespace).
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debian "$work" trixie login=1:4.16.0-2+really2.41.5-0+deb13u1 libpam-modules libpam-modules-bin libpam-runtime passwd dash coreutils
root=$work/root
ls "$work"/apt/archives | sed -n 's/^login_/login_/p'
echo 'root:x:0:0:root:/root:/bin/sh
alice:x:1000:1000::/:/bin/sh' > "$root/etc/passwd"
echo "alice:$(openssl passwd -6 right):19000:0:99999:7:::" > "$root/etc/shadow"
echo 'root:x:0:
tty:x:5:
alice:x:1000:' > "$root/etc/group"
mkdir -p "$root"/{proc,dev,etc/pam.d,var/log,root,run}
rm -f "$root"/etc/pam.d/*
for service in login remote other; do
  printf 'auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_unix.so\n' > "$root/etc/pam.d/$service"
done
touch "$root/etc/login.defs"
cat > "$work/try.py" <<'PY'
import os, pty, socket, sys, threading, time
root = sys.argv[1]
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(root + "/dev/log")
lines = []
def listen():
    while True:
        lines.append(log.recv(4096).decode())
threading.Thread(target=listen, daemon=True).start()
def login(*answers):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chroot(root); os.chdir("/")
        os.execv("/bin/login", ["login", "-h", "198.51.100.7"])
    end = time.time() + 12
    for answer in answers:
        time.sleep(2.5)
        os.write(terminal, answer.encode() + b"\n")
    time.sleep(2.5)
    os.close(terminal)
    os.waitpid(pid, 0)
login("alice", "wrong")
login("alice", "right", "exit")
time.sleep(1)
for line in lines:
    print(line.split(": ", 1)[1].strip())
PY
unshare --mount sh -c "mount --make-rprivate / ; mount --bind /proc $root/proc; mount -t tmpfs tmpfs $root/dev; mkdir $root/dev/pts
  for n in null zero random urandom tty; do touch $root/dev/\$n; mount --bind /dev/\$n $root/dev/\$n; done; mount --bind /dev/pts $root/dev/pts
  python3 $work/try.py $root" | tee "$work/seen"
expect() { grep -qxF "$1" "$work/seen" || { echo "no longer so: $1" >&2; exit 1; }; }
expect 'FAILED LOGIN 1 FROM 198.51.100.7 FOR alice, Authentication failure'
expect 'pam_unix(remote:session): session opened for user alice(uid=1000) by (uid=0)'
if grep -q 'LOGIN ON' "$work/seen"; then
  echo "no longer so: the login that worked has a line" >&2
  exit 1
fi
