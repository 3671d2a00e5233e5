"""The programs that are measured: each reads the same file on one core, and says whom it would ban.

CPU seconds are the kernel's (user and system), so a busy machine slows nobody's figure much; the wall clock is used only
where cores are compared.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATTERN = r"Failed password for .* from \d+\.\d+\.\d+\.\d+ port \d+"
SSHGUARD = "/usr/libexec/sshguard", "/usr/lib/sshguard", "/usr/lib/x86_64-linux-gnu"
TICKS = os.sysconf("SC_CLK_TCK")


class Result:
    def __init__(self, lines, cpu, wall, found=None, rss=None):
        self.lines, self.cpu, self.wall, self.found, self.rss = lines, max(cpu, 1e-6), max(wall, 1e-6), found, rss

    @property
    def rate(self):
        return self.lines / self.cpu


def mean(a, b):
    """Of two measurements of the same."""
    return Result(a.lines, (a.cpu + b.cpu) / 2, (a.wall + b.wall) / 2, a.found, a.rss)


def pinned(command, cores="0"):
    return ["taskset", "-c", cores, *command]


def finish(processes, started):
    """Waits for all; gives CPU seconds, wall seconds and the last one's peak RSS in bytes."""
    cpu, peak = 0.0, 0
    for process in processes:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu += usage.ru_utime + usage.ru_stime
        peak = usage.ru_maxrss * 1024
    return cpu, time.monotonic() - started, peak


# Bailiff


def files(path):
    """A jail's source, as the settings have it."""
    return f"logpath: [{path}], backend: files"


def entries(match):
    return f"journalmatch: ['{match}'], backend: journal"


def settings(directory, jails, extra=""):
    """Jails are a name, a filter and a source."""
    path = os.path.join(directory, "bailiff.yaml")
    state = os.path.join(directory, "state")
    text = f"state: {state}\nsocket: {directory}/socket\nfilters: [{directory}, {ROOT}/filters]\n"
    text += "ignoreself: false\nfirewall: {backend: dry-run}\n" + extra
    text += "defaults: {maxretry: 5, findtime: 30d, bantime: 30d}\njails:\n"
    for name, filter, source in jails:
        text += f"  {name}: {{filter: {filter}, {source}, port: all}}\n"
    with open(path, "w") as out:
        out.write(text)
    return path


def replay(binary, corpus, jails, record=True, cores="0", repeat=3, source=None, extra=""):
    """`bailiff replay`, the best of `repeat`; `found` is a set of ids for each jail."""
    source = source or files(corpus.path)
    best = None
    for _ in range(repeat):
        with tempfile.TemporaryDirectory(prefix="bailiff-bench-") as directory:
            config = settings(directory, [(name, filter, source) for name, filter in jails], extra)
            command = [binary, "replay", "--json", "--config", config, *(["--record"] if record else []), corpus.path]
            with open(os.path.join(directory, "out"), "w+") as out:
                started = time.monotonic()
                process = subprocess.Popen(pinned(command, cores), stdout=out)
                cpu, wall, rss = finish([process], started)
                if process.returncode != 0:
                    raise SystemExit(f"bailiff ended with {process.returncode}: {' '.join(command)}")
                if best and best.cpu <= cpu and best.wall <= wall:
                    continue
                out.seek(0)
                found = {name: set() for name, _ in jails}
                for line in out:
                    decision = json.loads(line)
                    if decision.get("action") == "ban":
                        found[decision["jail"]].add(decision["id"])
            if best:
                cpu, wall = min(cpu, best.cpu), min(wall, best.wall)
            best = Result(corpus.lines, cpu, wall, found, rss)
    return best


def side_by_side(binary, corpus, jails, record):
    """Two replays at once, each on a core of its own; gives the seconds until both are done."""
    with tempfile.TemporaryDirectory(prefix="bailiff-bench-") as directory:
        commands = []
        for core in ("0", "1"):
            own = os.path.join(directory, core)
            os.mkdir(own)
            config = settings(own, [(name, filter, files(corpus.path)) for name, filter in jails])
            commands.append(pinned([binary, "replay", "--json", "--config", config, *(["--record"] if record else []),
                                    corpus.path], core))
        started = time.monotonic()
        processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
        for process in processes:
            if process.wait() != 0:
                raise SystemExit(f"bailiff ended with {process.returncode}")
        return time.monotonic() - started


def peak(binary, corpus, jails, cores="0"):
    """The peak RSS of a replay without a store, in bytes. A process begins with the peak of the one that started it, so a small
    one does."""
    with tempfile.TemporaryDirectory(prefix="bailiff-bench-") as directory:
        config = settings(directory, [(name, filter, files(corpus.path)) for name, filter in jails])
        command = pinned([binary, "replay", "--json", "--config", config, corpus.path], cores)
        small = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        small += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        text = subprocess.run([sys.executable, "-S", "-c", small, *command], check=True, stdout=subprocess.PIPE).stdout
        return int(text) * 1024


def catch_up(binary, corpus, filter):
    """`bailiff run` on a log that was written while it was down: it has read an empty file before, then the lines came."""
    with tempfile.TemporaryDirectory(prefix="bailiff-bench-") as directory:
        log = os.path.join(directory, "log")
        open(log, "w").close()
        config = settings(directory, [("jail", filter, files(log))])
        errors = open(os.path.join(directory, "errors"), "w+")
        command = pinned([binary, "run", "--dry-run", "--config", config])
        process = subprocess.Popen(command, stdout=errors, stderr=errors)
        try:
            idle = settle(process.pid)
            before = bytes_read(process.pid)
            # Asleep meanwhile: it reads faster than the log is written.
            process.send_signal(signal.SIGSTOP)
            with open(corpus.path, "rb") as source, open(log, "ab", buffering=0) as out:
                shutil.copyfileobj(source, out, 64 << 20)
            # Rows are given their indexes when there is time; that belongs to idle time here as it does in replay. So it is
            # asked for the end when that is near: what was read is cheap to see.
            process.send_signal(signal.SIGCONT)
            started = time.monotonic()
            while bytes_read(process.pid) - before < os.path.getsize(log) and process.poll() is None:
                time.sleep(0.001)
            while read_lines(os.path.join(directory, "socket")) < corpus.lines:
                if process.poll() is not None or time.monotonic() - started > 120:
                    errors.seek(0)
                    raise SystemExit(f"bailiff run did not read its log: {errors.read()[-500:]}")
                time.sleep(0.001)
            return Result(corpus.lines, cpu_seconds(process.pid) - idle, time.monotonic() - started)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            errors.close()


def allocations(binary, directory, lines=20_000):
    """Allocations a line that does not match: what twice as many lines take more (FloorTests has the same, as a test)."""
    if not shutil.which("cc"):
        return None
    counter, log, count = (f"{directory}/{name}" for name in ("count.so", "unmatched", "count"))
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", counter, f"{ROOT}/fixtures/floors/count-allocations.c"], check=True)
    counts = []
    for times in (lines, 2 * lines):
        with open(log, "w") as out:
            out.write("Nov  5 06:51:16 web systemd-logind[612]: New session 4711 of user deploy.\n" * times)
        config = settings(directory, [("jail", "sshd", files(log))])
        subprocess.run([binary, "replay", "--json", "--config", config, log], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "LD_PRELOAD": counter, "ALLOCATIONS": count})
        with open(count) as text:
            counts.append(int(text.read()))
        os.remove(count)
    return (counts[1] - counts[0]) / lines


def bytes_read(pid):
    with open(f"/proc/{pid}/io") as text:
        return int(text.readline().split()[1])


def read_lines(path):
    """How many lines the daemon behind this socket has read."""
    return sum(source.get("read", 0) for source in ask_status(path).get("sources", []))


def ask_status(path):
    """What `bailiff status` asks, without starting a program, which takes longer than the daemon waits for more."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(path)
            client.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: bailiff\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(65536), b""))
            return json.loads(answer.partition(b"\r\n\r\n")[2])
        except (OSError, ValueError):
            return {}


# Peers


def grep(corpus, repeat=3):
    """`grep -cP` with one pattern, through a pipe: into /dev/null it stops at the first match."""
    best = None
    for _ in range(repeat):
        started = time.monotonic()
        process = subprocess.Popen(pinned(["grep", "-cP", PATTERN, corpus.path]), stdout=subprocess.PIPE,
                                   env={**os.environ, "LC_ALL": "C"})
        process.stdout.read()
        cpu, wall, _ = finish([process], started)
        if best is None or cpu < best.cpu:
            best = Result(corpus.lines, cpu, wall)
    return best


def sshguard(corpus):
    """sshguard's parser and blocker; five failures of 10 points each, as five tries elsewhere."""
    directory = next((d for d in SSHGUARD if os.path.exists(f"{d}/sshg-parser")), None)
    if directory is None:
        return None
    with open(corpus.path, "rb") as source, tempfile.TemporaryFile("w+") as out:
        started = time.monotonic()
        parser = subprocess.Popen(pinned([f"{directory}/sshg-parser"]), stdin=source, stdout=subprocess.PIPE)
        blocker = subprocess.Popen(
            pinned([f"{directory}/sshg-blocker", "-a", "50", "-p", "1000000", "-s", "1000000"]),
            stdin=parser.stdout, stdout=out, stderr=subprocess.DEVNULL)
        parser.stdout.close()
        cpu, wall, _ = finish([parser, blocker], started)
        out.seek(0)
        found = {line.split()[1] for line in out if line.startswith("block ")}
    return Result(corpus.lines, cpu, wall, {"sshd": found})


def cpu_seconds(pid):
    """Of all threads of a process; proc_pid_stat(5)."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def settle(pid, pause=0.5, quiet=8):
    """Waits until a process's CPU time stands still (under 4 % of a core); gives the CPU time at which it did."""
    last, calm, since = cpu_seconds(pid), 0, cpu_seconds(pid)
    while calm < quiet:
        time.sleep(pause)
        current = cpu_seconds(pid)
        if current - last > 0.04 * pause + 1 / TICKS:
            calm, since = 0, current
        else:
            calm += 1
        last = current
    return since


def fail2ban(corpus, filters):
    """fail2ban-server as a process of its own: its settings, socket and log in a directory that goes away, no database,
    no action. Its CPU time from the moment the lines appear until it stands still."""
    if not shutil.which("fail2ban-server"):
        return None
    with tempfile.TemporaryDirectory(prefix="bailiff-bench-") as directory:
        for name in ("filter.d", "paths-common.conf", "paths-debian.conf"):
            os.symlink(f"/etc/fail2ban/{name}", f"{directory}/{name}")
        os.mkdir(f"{directory}/action.d")
        log, socket = f"{directory}/log", f"{directory}/socket"
        open(log, "w").close()
        with open(f"{directory}/fail2ban.conf", "w") as out:
            out.write(f"[DEFAULT]\nloglevel = CRITICAL\nlogtarget = {directory}/errors\nsyslogsocket = auto\n"
                      f"socket = {socket}\npidfile = {directory}/pid\ndbfile = None\ndbmaxmatches = 0\n"
                      "allowipv6 = auto\n[Definition]\n")
        with open(f"{directory}/jail.conf", "w") as out:
            out.write("[DEFAULT]\nbackend = polling\nfindtime = 30d\nbantime = 30d\nmaxretry = 5\nusedns = no\n"
                      "ignoreself = false\nlogtimezone = UTC\naction =\nbantime.increment = false\nmaxmatches = 1\n")
            for name, filter in filters:
                out.write(f"[{name}]\nenabled = true\nfilter = {filter}\nlogpath = {log}\n")
        environment = {**os.environ, "TZ": "UTC"}
        command = ["fail2ban-server", "-f", "-c", directory, "-s", socket, "-p", f"{directory}/pid", "start"]
        errors = open(f"{directory}/output", "w+")
        process = subprocess.Popen(pinned(command), stdout=errors, stderr=errors, env=environment)
        try:
            idle = settle(process.pid)
            with open(corpus.path, "rb") as source, open(log, "ab", buffering=0) as out:
                shutil.copyfileobj(source, out, 64 << 20)
            started = time.monotonic()
            used = settle(process.pid, quiet=12) - idle
            wall = time.monotonic() - started
            found = {}
            for name, _ in filters:
                answer = subprocess.run(["fail2ban-client", "-c", directory, "-s", socket, "get", name, "banip"],
                                        capture_output=True, text=True, env=environment)
                found[name] = set(answer.stdout.split())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            errors.close()
    return Result(corpus.lines, used, wall, found)
