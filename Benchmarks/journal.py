"""Journals to measure with: files as journald leaves them, and a journald of our own that is written to."""

import os
import random
import shutil
import socket
import subprocess
import time

import corpora
import programs

REMOTE = "/lib/systemd/systemd-journal-remote"
JOURNALD = "/lib/systemd/systemd-journald"
MATCH = "_SYSTEMD_UNIT=ssh.service"
BOOT = "5f1c5d9b5b3c4d0c8d3b1f1f2e3d4c5b"
# What journald adds to an entry of a service, besides what differs from one to the next.
COMMON = "\n".join([
    "PRIORITY=6", "SYSLOG_FACILITY=4", "SYSLOG_IDENTIFIER=sshd", "_TRANSPORT=syslog", "_UID=0", "_GID=0", "_COMM=sshd",
    "_EXE=/usr/sbin/sshd", "_CAP_EFFECTIVE=1ffffffffff", "_SYSTEMD_CGROUP=/system.slice/ssh.service", MATCH,
    "_SYSTEMD_SLICE=system.slice", "_SYSTEMD_INVOCATION_ID=8c0d1f3a1d0f4a5fb1a2c3d4e5f60718", f"_BOOT_ID={BOOT}",
    "_MACHINE_ID=3d1219c7c4c5404aaa1f6d2a48adfda4", "_HOSTNAME=web"])


def available():
    return os.path.exists(REMOTE) and shutil.which("cc") and os.path.exists("/usr/include/systemd/sd-journal.h")


def quiet(rng):
    """A line of sshd's that tells of nothing bad."""
    while True:
        line = corpora.auth_quiet(rng)
        if line.startswith("sshd["):
            return line


def make(directory, entries, percent):
    """Journal files that systemd-journal-remote makes of an export stream (https://systemd.io/JOURNAL_EXPORT_FORMATS)."""
    rng = random.Random(f"journal {entries} {percent}")
    share, attackers = corpora.attack_plan(rng, entries * percent // 100)
    pending = len(share)
    first = int(time.time() // 86_400 * 86_400 - 86_400) * 1_000_000
    os.mkdir(directory)
    with open(f"{directory}.errors", "w") as errors:
        remote = subprocess.Popen([REMOTE, "-o", f"{directory}/past.journal", "--split-mode=none", "-"],
                                  stdin=subprocess.PIPE, stdout=errors, stderr=errors)
        for number in range(entries):
            if rng.random() * (entries - number) < pending:
                pending -= 1
                line = corpora.auth_attack(rng, share[pending])
            else:
                line = quiet(rng)
            program, message = line.split("]: ", 1)
            pid = program.split("[")[1]
            at = first + number * (80_000_000_000 // entries)
            remote.stdin.write((
                f"__REALTIME_TIMESTAMP={at}\n__MONOTONIC_TIMESTAMP={at - first + 1}\n{COMMON}\nSYSLOG_PID={pid}\n_PID={pid}\n"
                f"_CMDLINE=sshd: {pid} [priv]\n_SOURCE_REALTIME_TIMESTAMP={at - 40}\nMESSAGE={message}\n\n").encode())
        remote.stdin.close()
        if remote.wait() != 0:
            raise SystemExit(f"systemd-journal-remote ended with {remote.returncode}: see {directory}.errors")
    return corpora.Corpus(directory, entries, attackers, 0)


def loop(corpus, directory, repeat=3):
    """The C loop, compiled here; the best of `repeat`."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "journal.c")
    subprocess.run(["cc", "-O2", "-o", f"{directory}/loop", source, "-lsystemd"], check=True)
    best = None
    for _ in range(repeat):
        started = time.monotonic()
        process = subprocess.Popen(programs.pinned([f"{directory}/loop", corpus.path, MATCH]), stdout=subprocess.PIPE)
        entries = int(process.stdout.read().split()[0])
        cpu, wall, _ = programs.finish([process], started)
        if entries != corpus.lines:
            raise SystemExit(f"the journal holds {entries} entries, not {corpus.lines}")
        if best is None or cpu < best.cpu:
            best = programs.Result(corpus.lines, cpu, wall)
    return best


class Journald:
    """A journald that writes to /run and /var/log/journal of this mount namespace, which must be private."""

    def __init__(self, directory):
        machine = open("/etc/machine-id").read().strip()
        for path in ("/run", "/var/log/journal"):
            os.makedirs(path, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)
        for path in ("/run/systemd/journal", "/run/log/journal", f"/var/log/journal/{machine}"):
            os.makedirs(path)
        with open(f"{directory}/journald.conf", "w") as out:
            out.write("[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nRateLimitBurst=0\nReadKMsg=no\nAudit=no\n"
                      "ForwardToSyslog=no\nForwardToWall=no\n")
        subprocess.run(["mount", "--bind", f"{directory}/journald.conf", "/etc/systemd/journald.conf"], check=True)
        self.process = subprocess.Popen([JOURNALD], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            if os.path.exists("/run/systemd/journal/socket"):
                break
            time.sleep(0.05)
        open("/run/systemd/journal/flushed", "w").close()
        subprocess.run(["journalctl", "--flush"], check=True, stderr=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.connect("/run/systemd/journal/socket")

    def write(self, identifier, message):
        """An entry in journald's native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL)."""
        self.socket.send(f"SYSLOG_IDENTIFIER={identifier}\nPRIORITY=6\nMESSAGE={message}\n".encode())

    def stop(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait()
