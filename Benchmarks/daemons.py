"""Daemons at work: Bailiff and fail2ban as an administrator runs them, lines that come as on an ordinary day, and what each has
used."""

import os
import random
import signal
import subprocess
import time

import corpora
import programs

LIMITS = "maxretry: 5, findtime: 10m, bantime: 10m"


class Daemon:
    """A running daemon, and what it has used."""

    def __init__(self, name, command, directory, environment=None):
        self.name = name
        self.log = open(f"{directory}/output", "w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=environment)

    def usage(self):
        pid = self.process.pid
        if self.process.poll() is not None:
            self.log.seek(0)
            raise SystemExit(f"{self.name} ended with {self.process.returncode}: {self.log.read()[-800:]}")
        wake_ups, cpu = 0, 0
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{thread}/status") as lines:
                    wake_ups += next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))
                with open(f"/proc/{pid}/task/{thread}/schedstat") as text:
                    cpu += int(text.read().split()[0]) / 1e9
            except FileNotFoundError:
                pass
        with open(f"/proc/{pid}/io") as lines:
            written = next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
        with open(f"/proc/{pid}/status") as lines:
            fields = dict(line.split(":", 1) for line in lines)
        return {"cpu": cpu, "bytes": written, "wake_ups": wake_ups,
                "anonymous_mb": int(fields["RssAnon"].split()[0]) / 1024, "rss_mb": int(fields["VmRSS"].split()[0]) / 1024,
                "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()


def bailiff(binary, directory, jails, name="bailiff", extra=""):
    os.makedirs(directory)
    config = programs.settings(directory, jails, extra)
    with open(config) as old:
        text = old.read().replace("maxretry: 5, findtime: 30d, bantime: 30d", LIMITS)
    with open(config, "w") as out:
        out.write(text)
    return Daemon(name, [binary, "run", "--quiet", "--config", config], directory)


def fail2ban(directory, backend, source):
    """fail2ban-server as a process of its own, as it is by default but for its paths and its action, of which it has none."""
    os.makedirs(f"{directory}/action.d")
    for name in ("filter.d", "paths-common.conf", "paths-debian.conf"):
        os.symlink(f"/etc/fail2ban/{name}", f"{directory}/{name}")
    with open(f"{directory}/fail2ban.conf", "w") as out:
        out.write(f"[DEFAULT]\nloglevel = INFO\nlogtarget = {directory}/fail2ban.log\nsyslogsocket = auto\n"
                  f"socket = {directory}/socket\npidfile = {directory}/pid\ndbfile = {directory}/fail2ban.sqlite3\n"
                  "dbpurgeage = 1d\ndbmaxmatches = 10\nallowipv6 = auto\n[Definition]\n")
    with open(f"{directory}/jail.conf", "w") as out:
        out.write(f"[DEFAULT]\nbackend = {backend}\nfindtime = 10m\nbantime = 10m\nmaxretry = 5\nusedns = no\nignoreself = false\n"
                  f"logtimezone = UTC\naction =\nbantime.increment = false\nmaxmatches = 5\n[sshd]\nenabled = true\nfilter = sshd\n"
                  f"{source}\n")
    command = ["fail2ban-server", "-f", "-c", directory, "-s", f"{directory}/socket", "-p", f"{directory}/pid", "start"]
    return Daemon(f"fail2ban {backend}", command, directory, {**os.environ, "TZ": "UTC"})


def can_import(module):
    """fail2ban's own Python, not this one."""
    return subprocess.run(["/usr/bin/python3", "-c", f"import {module}"], capture_output=True).returncode == 0


def who(rng):
    """Half of the attempts are of a dozen who go on, the others of many who try once or twice."""
    return corpora.address(rng.randrange(12), 0) if rng.random() < 0.5 else corpora.address(rng.randrange(65_536), 1)


def play(seconds, rate, percent, write):
    """Calls `write(program, message)` so often a second, each line by itself; returns how many failures there were."""
    rng = random.Random(f"{rate} {percent}")
    started, failures = time.monotonic(), 0
    for number in range(int(seconds * rate)):
        pause = started + number / rate - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        is_failure = rng.random() * 100 < percent
        failures += is_failure
        write(corpora.auth_attack(rng, who(rng)) if is_failure else corpora.auth_quiet(rng))
    return failures
