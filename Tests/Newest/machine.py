"""A machine made for one daemon: a Debian in a chroot, with its own processes, network, host name and log files.

Everything here runs inside namespaces that `newest` has entered (mount, pid, net, uts), so nothing has to be cleaned up: when the
process ends, its mounts, processes, interfaces and files are gone.
"""

import contextlib
import os
import pathlib
import shlex
import subprocess
import time

from recording import Recording
from visitors import Visitor

SERVER = ("198.51.100.1", "2001:db8:78::1")
ABUSER = ("198.51.100.2", "2001:db8:78::2")
HONEST = ("198.51.100.3", "2001:db8:78::3")


class Machine:
    """The server, and the two hosts that visit it."""

    def __init__(self, root, suite, output):
        self.root = pathlib.Path(root)
        self.suite = suite
        self.recording = Recording(output)
        self._visitors = {}
        _mount_system(self.root)
        self._write_names()
        self._write_tools()
        self._make_network()

    # What a driver calls.

    def add_user(self, name, password="right", *options):
        """An account with a home directory and a password."""
        self.run(["useradd", "--create-home", "--shell", "/bin/bash", *options, name])
        self.run(["chpasswd"], input=f"{name}:{password}\n")

    def write(self, path, text, mode=0o644):
        """Writes a file of the server's, and the directories above it."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def path(self, path):
        return self.root / path.lstrip("/")

    def run(self, command, check=True, **options):
        """Runs a command on the server to its end; returns what it printed. A text is a shell's."""
        result = subprocess.run(
            self.inside(command), capture_output=True, text=True, errors="surrogateescape", **options)
        if check and result.returncode != 0:
            raise RuntimeError(f"{command} ended with {result.returncode}: {result.stdout}{result.stderr}")
        return result.stdout + result.stderr

    def start(self, command, log=None, **options):
        """Starts a daemon in the foreground; what it prints goes into the file `log` (a path of the server's)."""
        file = self.path(log or "/var/log/daemon.out")
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "ab") as output:
            return subprocess.Popen(
                self.inside(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)

    def start_syslog(self, path="/var/log/syslog"):
        """rsyslog, writing everything into one file in Debian's format."""
        self.write("/etc/rsyslog.conf", f'module(load="imuxsock")\n*.* {path}\n')
        self.path(path).touch()
        self.start("rsyslogd -n -i /run/rsyslogd.pid", log="/var/log/rsyslogd.out")
        wait_until(lambda: self.path("/dev/log").exists(), "rsyslogd opened /dev/log")

    def make_certificate(self, directory="/etc/ssl/test", owner="root"):
        """key.pem, cert.pem and both.pem, self-signed, for server.example.test. Needs the package openssl."""
        self.run(f"mkdir -p {directory} && cd {directory} && openssl req -x509 -newkey rsa:2048 -nodes -days 30 "
                 "-subj /CN=server.example.test -keyout key.pem -out cert.pem && cat key.pem cert.pem > both.pem "
                 f"&& chown -R {owner} . && chmod 600 key.pem both.pem")

    def wait_for_port(self, port, protocol="tcp", timeout=30):
        """Waits until somebody listens, without connecting."""
        wait_until(lambda: _is_bound(port, protocol), f"port {port}/{protocol} opened", timeout)

    def wait_for_text(self, path, text, timeout=30):
        file = self.path(path)
        wait_until(lambda: file.exists() and text in file.read_text(errors="replace"), f"{path} has {text!r}", timeout)

    def log(self, path, name=""):
        """Records what is written to this file from now on, as the fixture DAEMON.NAME.jsonl."""
        self.recording.follow(self.path(path), name)

    @property
    def abusers(self):
        """The abuser over IPv4, and over IPv6."""
        return [Visitor(self, self._visitors["abuser"], ABUSER[i], SERVER[i], abuse=True) for i in (0, 1)]

    @property
    def honest(self):
        return [Visitor(self, self._visitors["honest"], HONEST[i], SERVER[i], abuse=False) for i in (0, 1)]

    @contextlib.contextmanager
    def act(self, visitor, note, user=None, settle=2.0, **labels):
        """What is logged while the body runs, and until `settle` seconds have passed or the logs are quiet, is this act's."""
        self.recording.begin(visitor, note, user, labels)
        try:
            yield visitor
        finally:
            self.recording.end(settle)

    # How it is made.

    def inside(self, command):
        words = ["sh", "-c", command] if isinstance(command, str) else list(command)
        environment = ["LANG=C.UTF-8", "TZ=UTC", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        return ["env", "-i", *environment, "chroot", str(self.root), *words]

    def _write_names(self):
        self.write("/etc/hostname", "server\n")
        self.write("/etc/hosts", "".join(
            f"{address} {name}.example.test {name}\n"
            for name, addresses in {"server": SERVER, "client": HONEST}.items() for address in addresses)
            + "127.0.0.1 localhost\n::1 localhost\n")
        self.path("/etc/resolv.conf").unlink(missing_ok=True)
        self.write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        subprocess.run(["hostname", "server"], check=True)

    def _write_tools(self):
        """`become USER COMMAND`: su refuses Debian's system users since they are made with an account that has expired."""
        self.write("/usr/local/bin/become", '''#!/bin/sh
user=$1; shift
exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups env HOME="$(getent passwd "$user" | cut -d: -f6)" "$@"
''', 0o755)

    def _make_network(self):
        """The server's bridge, with a cable to each visitor; a visitor is a network namespace without a name."""
        ip("link set lo up")
        ip("link add br0 type bridge")
        for address, bits in zip(SERVER, (24, 64)):
            ip(f"address add {address}/{bits} dev br0 {'nodad' if ':' in address else ''}")
        ip("link set br0 up")
        for name, addresses in {"abuser": ABUSER, "honest": HONEST}.items():
            process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
            own = os.readlink("/proc/self/ns/net")
            wait_until(lambda: os.readlink(f"/proc/{process.pid}/ns/net") != own, "a visitor has its network")
            self._visitors[name] = process.pid
            ip(f"link add to-{name} type veth peer name eth0 netns {process.pid}")
            ip(f"link set to-{name} master br0 up")
            enter = f"nsenter --net=/proc/{process.pid}/ns/net ip"
            for address, bits in zip(addresses, (24, 64)):
                shell(f"{enter} address add {address}/{bits} dev eth0 {'nodad' if ':' in address else ''}")
            shell(f"{enter} link set eth0 up")
            shell(f"{enter} link set lo up")


def shell(command):
    subprocess.run(shlex.split(command), check=True)


def ip(words):
    shell(f"ip {words}")


def wait_until(condition, what, timeout=30):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {timeout} s: {what}")
        time.sleep(0.05)


def _is_bound(port, protocol):
    """Is the port in /proc/net, listening (tcp: state 0A) or bound (udp)?"""
    for file in (f"/proc/net/{protocol}", f"/proc/net/{protocol}6"):
        for line in pathlib.Path(file).read_text().splitlines()[1:]:
            words = line.split()
            if int(words[1].rsplit(":", 1)[1], 16) == port and (protocol == "udp" or words[3] == "0A"):
                return True
    return False


def _mount_system(root):
    """/proc, /sys, /dev, /run and /tmp of the machine's own."""
    shell(f"mount -t proc proc {root}/proc")
    shell(f"mount -t sysfs sysfs {root}/sys")
    for directory in ("dev", "run", "tmp"):
        shell(f"mount -t tmpfs -o mode={'1777' if directory == 'tmp' else '755'} tmpfs {root}/{directory}")
    for name, major, minor in (
            ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0), ("net/tun", 10, 200)):
        node = root / "dev" / name
        node.parent.mkdir(exist_ok=True)
        shell(f"mknod -m 666 {node} c {major} {minor}")
    for directory in ("pts", "shm"):
        (root / "dev" / directory).mkdir()
    shell(f"mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts {root}/dev/pts")
    shell(f"mount -t tmpfs -o mode=1777 tmpfs {root}/dev/shm")
    for name, target in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (root / "dev" / name).symlink_to(target)
    (root / "run/lock").mkdir(mode=0o1777)
