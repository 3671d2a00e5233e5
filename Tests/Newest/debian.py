"""Debians in directories: one base for each suite, and above it a layer for each daemon with its packages."""

import contextlib
import fcntl
import os
import pathlib
import shlex
import subprocess
import tempfile

MIRROR = os.environ.get("DEBIAN_MIRROR", "")  # empty: debootstrap's own
CACHE = pathlib.Path(os.environ.get("BAILIFF_NEWEST_CACHE", "/var/cache/bailiff-newest"))
# A mirror's unstable may be older than its signature says; no service may start while it is installed.
APT = "apt-get -o Acquire::Check-Valid-Until=false -o Dpkg::Use-Pty=0 -y -q --no-install-recommends"
ALWAYS = ["rsyslog", "iproute2", "ca-certificates"]


def base(suite):
    """The suite's base; made when it is missing."""
    root = CACHE / suite / "base"
    with _lock(suite):
        if not (root / "etc/debian_version").exists():
            print(f"making a Debian {suite} in {root}", flush=True)
            subprocess.run(["debootstrap", "--variant=minbase", suite, root, *MIRROR.split()], check=True, stdout=subprocess.DEVNULL)
            (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
            (root / "usr/sbin/policy-rc.d").chmod(0o755)
            (root / "etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\npath-exclude=/usr/share/man/*\n")
            _install(suite, root, ALWAYS)
    return root


def layer(suite, driver):
    """The directory that holds what the daemon's packages add to the base; made when it is missing."""
    lower = base(suite)
    upper = CACHE / suite / driver.__name__
    done = upper.with_suffix(".installed")
    wanted = "\n".join(sorted(driver.PACKAGES) + [getattr(driver, "SETUP", "")])
    with _lock(suite):
        if done.exists() and done.read_text() == wanted:
            return upper
        subprocess.run(["rm", "-rf", upper, f"{upper}.work", done], check=True)
        upper.mkdir()
        pathlib.Path(f"{upper}.work").mkdir()
        with tempfile.TemporaryDirectory() as root:
            _mount_overlay(root, [lower], upper, f"{upper}.work")
            try:
                _install(suite, pathlib.Path(root), driver.PACKAGES, getattr(driver, "SETUP", ""))
            finally:
                subprocess.run(["umount", "-R", root], check=True)
        done.write_text(wanted)
    return upper


def mount(suite, driver, root):
    """Mounts the daemon's Debian at `root`; what is written there goes into memory. For a mount namespace of one's own."""
    memory = pathlib.Path(root).with_suffix(".memory")
    memory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", memory], check=True)
    for name in ("upper", "work"):
        (memory / name).mkdir()
    _mount_overlay(root, [CACHE / suite / driver.__name__, CACHE / suite / "base"], memory / "upper", memory / "work")


def version(root, package):
    found = subprocess.run(
        ["chroot", root, "dpkg-query", "-Wf", "${Version}", package], capture_output=True, text=True)
    return found.stdout.strip() or "?"


def _mount_overlay(root, lower, upper, work):
    lowers = ":".join(str(path) for path in lower)
    subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lowers},upperdir={upper},workdir={work}", root], check=True)


def _install(suite, root, packages, setup=""):
    """Installs with the host's network; downloads are kept for the next machine."""
    archives = CACHE / suite / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    update = "" if (root / "var/lib/apt/lists/lock").exists() else f"{APT} update && "
    script = f"""set -e
        mount -t proc proc {root}/proc
        mount --bind /dev {root}/dev
        mount --bind {archives} {root}/var/cache/apt/archives
        trap 'umount {root}/var/cache/apt/archives {root}/dev {root}/proc' EXIT
        cp /etc/resolv.conf {root}/etc/resolv.conf
        export DEBIAN_FRONTEND=noninteractive
        chroot {root} sh -c {shlex.quote(f'{update}{APT} install {" ".join(packages)}')}
        cp /etc/ssl/certs/ca-certificates.crt {root}/etc/ssl/certs/ 2>/dev/null || true  # a SETUP trusts whom the host trusts
        {f"chroot {root} sh -ec {shlex.quote(setup)}" if setup else ""}
        """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"installing {' '.join(packages)}: {(done.stdout + done.stderr)[-1500:]}")


@contextlib.contextmanager
def _lock(suite):
    (CACHE / suite).mkdir(parents=True, exist_ok=True)
    with open(CACHE / suite / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
