#!/usr/bin/env python3
"""What the firewall costs with many entries: `Benchmarks/firewall.py BAILIFF [nftables|ipset]…`, as root.

Each backend in a network namespace of its own: a list of two million addresses (until the kernel holds them all, and the most memory
on the way), 100,000 bans put back at a start, bans into a table of 200,000 (CPU of the daemon a ban, and how soon the kernel has it),
and the repair after `nft flush ruleset` with 20,000 bans. Prints a line each.
"""
import json, os, pathlib, random, signal, subprocess, sys, tempfile, time

random.seed(7)


class Machine:
    def __init__(self, bailiff, backend, lists=""):
        self.bailiff, self.backend = bailiff, backend
        self.directory = tempfile.TemporaryDirectory(prefix="bailiff-firewall-")
        self.path = pathlib.Path(self.directory.name)
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec cat"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        (self.path / "auth.log").write_text("")
        filters = pathlib.Path(__file__).resolve().parent.parent / "filters"
        (self.path / "bailiff.yaml").write_text(
            f"state: {self.path}/state\nsocket: {self.path}/s\nfilters: [{filters}]\nfirewall: {{backend: {backend}}}\n"
            "bans_per_minute_warning: 1000000\n"
            f"jails:\n  sshd: {{filter: sshd, backend: files, logpath: [{self.path}/auth.log], maxretry: 1, bantime: 1d}}\n{lists}")
        self.daemon = None

    def enter(self, *words):
        return ["nsenter", f"--target={self.holder.pid}", "--net", *words]

    def start(self):
        self.daemon = subprocess.Popen(self.enter(self.bailiff, "run", "--quiet", "--config", f"{self.path}/bailiff.yaml"))

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()

    def run(self, *words, text=None):
        done = subprocess.run(self.enter(self.bailiff, *words, "--config", f"{self.path}/bailiff.yaml"), input=text, text=True,
                              capture_output=True)
        return done.stdout

    def entries(self):
        """In the kernel. Of nf_tables nobody tells a set's size: `nft` must read it."""
        if self.backend == "ipset":
            text = subprocess.run(self.enter("ipset", "list", "-t"), text=True, capture_output=True).stdout
            return sum(int(line.split(":")[1]) for line in text.splitlines() if line.startswith("Number of entries"))
        text = subprocess.run(self.enter(self.bailiff, "firewall", "show", "--json"), text=True, capture_output=True).stdout
        return sum(json.loads(line).get("entries") or 0 for line in text.splitlines())

    def wait(self, what, seconds=300):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return
            time.sleep(0.02)
        raise SystemExit("it takes too long")

    def status(self, key):
        for line in open(f"/proc/{self.daemon.pid}/status"):
            if line.startswith(key):
                return int(line.split()[1]) / 1024

    def cpu(self):
        fields = open(f"/proc/{self.daemon.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        if self.daemon and self.daemon.poll() is None:
            self.stop()
        self.holder.kill()


def addresses(count, first):
    return [f"{a >> 24}.{a >> 16 & 255}.{a >> 8 & 255}.{a & 255}" for a in (first + 3 * i for i in range(count))]


def of_a_list(bailiff, backend):
    machine = Machine(bailiff, backend)
    count = 2_000_000
    (machine.path / "big.txt").write_text("\n".join(addresses(count, 0x20000000)) + "\n")
    with open(machine.path / "bailiff.yaml", "a") as file:
        file.write(f"lists:\n  big: {{path: {machine.path}/big.txt, limit: {count}}}\n")
    begin = time.monotonic()
    machine.start()
    # The socket answers when the start is done, and with it the list.
    machine.wait(lambda: '"entries":' in machine.run("lists", "--json"))
    seconds = time.monotonic() - begin
    held, most, now = machine.entries(), machine.status("VmHWM"), machine.status("VmRSS")
    print(f"{backend}: a list of {held:,} addresses in force {seconds:.1f} s after the start; memory {most:.0f} MB at most, {now:.0f} MB then",
          flush=True)
    machine.close()


def of_bans(bailiff, backend):
    machine = Machine(bailiff, backend)
    machine.start()
    machine.wait(lambda: machine.run("status"))
    for place in range(0, 100_000, 1000):
        machine.run("ban", "-", "--force", text="\n".join(addresses(1000, 0x30000000 + 3 * place)))
    machine.stop()
    subprocess.run(machine.enter(bailiff, "firewall", "clear"), capture_output=True)
    begin = time.monotonic()
    machine.start()
    machine.wait(lambda: machine.entries() >= 100_000)
    print(f"{backend}: 100,000 bans in the kernel {time.monotonic() - begin:.2f} s after the start of the process", flush=True)
    machine.wait(lambda: machine.run("status"))
    for place in range(100_000, 200_000, 1000):
        machine.run("ban", "-", "--force", text="\n".join(addresses(1000, 0x30000000 + 3 * place)))
    count, before = 500, machine.cpu()
    with open(machine.path / "auth.log", "a", buffering=1) as log:
        for address in addresses(count, 0x60000000):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            log.write(f"{stamp} web sshd[1]: Failed password for root from {address} port 4711 ssh2\n")
            time.sleep(0.01)
    machine.wait(lambda: machine.entries() >= 200_000 + count)
    cpu = (machine.cpu() - before) / count
    print(f"{backend}: a ban into a table of 200,000 costs {cpu * 1e6:.0f} µs of the daemon's CPU, all told", flush=True)
    machine.close()


def of_a_repair(bailiff, backend):
    machine = Machine(bailiff, backend)
    machine.start()
    machine.wait(lambda: machine.run("status"))
    for place in range(0, 20_000, 1000):
        machine.run("ban", "-", "--force", text="\n".join(addresses(1000, 0x30000000 + 3 * place)))
    held = machine.entries()
    begin = time.monotonic()
    subprocess.run(machine.enter("nft", "flush", "ruleset"), check=True)

    def whole():
        if backend == "nftables":
            return "chain packets" in subprocess.run(machine.enter("nft", "-t", "list", "ruleset"), text=True, capture_output=True).stdout
        rules = subprocess.run(machine.enter("iptables", "-S"), text=True, capture_output=True).stdout
        return "-A INPUT -j BAILIFF" in rules and "-A BAILIFF" in rules
    machine.wait(whole)
    print(f"{backend}: after `nft flush ruleset` with {held:,} bans whole again within {time.monotonic() - begin:.2f} s, {machine.entries():,} held",
          flush=True)
    machine.close()


if __name__ == "__main__":
    for backend in sys.argv[2:] or ["nftables", "ipset"]:
        of_a_repair(sys.argv[1], backend)
        of_a_list(sys.argv[1], backend)
        of_bans(sys.argv[1], backend)
