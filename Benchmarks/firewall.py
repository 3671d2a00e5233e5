#!/usr/bin/env python3
"""What the firewall reaches: `Benchmarks/firewall.py BAILIFF [--only PART]… [nftables|ipset]…`, as root. Needs gcc, nft, ipset, iptables.

Parts, each with both backends and in network namespaces of its own:
  ban        bans into a table of 200,000: CPU a ban, line to kernel; beside it `nft add element` and `ipset add`
  start      100,000 stored bans until the kernel has them; beside it `nft -f` and `ipset restore`
  download   an open download over a published port: from the ban to its last byte
  packets    packets a second past 100,000 banned addresses, against no rule at all
  repair     after `nft flush ruleset` with 20,000 bans: until all is whole, and a banned client's packets after that
  list       a list of two million addresses: until it is in force, the most memory, its exchange
"""
import argparse, json, os, pathlib, random, re, sqlite3, statistics, subprocess, sys, tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
random.seed(7)


def addresses(count, first):
    return [f"{a >> 24}.{a >> 16 & 255}.{a >> 8 & 255}.{a & 255}" for a in (first + 3 * i for i in range(count))]


class Namespace:
    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdout.readline()

    def enter(self, *words):
        return ["nsenter", f"--target={self.holder.pid}", "--net", *words]

    def run(self, *words, **more):
        return subprocess.run(self.enter(*words), text=True, capture_output=True, **more)

    def shell(self, text):
        done = self.run("sh", "-ec", text)
        if done.returncode:
            raise SystemExit(f"{text}: {done.stderr}")
        return done.stdout

    def link(self, other, name, address, peer, peer_address):
        """A veth pair from here to `other`."""
        self.shell(f"ip link add {name} type veth peer name {peer} netns {other.holder.pid}\nip address add {address} dev {name}\n"
                   f"ip link set {name} up")
        other.shell(f"ip address add {peer_address} dev {peer}; ip link set {peer} up")

    def close(self):
        self.holder.kill()
        self.holder.wait()


class Machine(Namespace):
    """A namespace with a daemon."""

    def __init__(self, bailiff, backend, more="", maxretry=1):
        super().__init__()
        self.bailiff, self.backend = bailiff, backend
        self.directory = tempfile.TemporaryDirectory(prefix="bailiff-firewall-")
        self.path = pathlib.Path(self.directory.name)
        self.log = self.path / "auth.log"
        self.log.write_text("")
        self.config = f"{self.path}/bailiff.yaml"
        pathlib.Path(self.config).write_text(
            f"state: {self.path}/state\nsocket: {self.path}/s\nfilters: [{ROOT}/filters]\nfirewall: {{backend: {backend}}}\n"
            "bans_per_minute_warning: 1000000\nprotect_sessions: false\n"
            f"jails:\n  sshd: {{filter: sshd, backend: files, logpath: [{self.log}], maxretry: {maxretry}, bantime: 1d, port: all}}\n{more}")
        self.daemon = None

    def start(self, waits=True):
        self.said = []
        self.daemon = subprocess.Popen(self.enter(self.bailiff, "run", "--config", self.config), stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=lambda: self.said.extend(self.daemon.stdout), daemon=True).start()
        if waits:
            self.wait(lambda: self.ask("status").returncode in (0, 4))

    def holds(self, count):
        """Has the daemon said that so many bans are in force, after the kernel has confirmed them? Listing a large set takes nf_tables the square
        of its size."""
        return any(f" {count} bans in force" in line for line in self.said)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()

    def ask(self, *words, text=None):
        return self.run(self.bailiff, *words, "--config", self.config, input=text)

    def store(self, ids):
        """Bans that a replay has recorded; the next start puts them into the kernel."""
        past = self.path / "past.log"
        with open(past, "w") as out:
            out.writelines(self.line(id) for id in ids)
        subprocess.run([self.bailiff, "replay", "--record", "--config", self.config, past], stdout=subprocess.DEVNULL, check=True)

    @staticmethod
    def line(id):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return f"{stamp} web sshd[1]: Failed password for root from {id} port 4711 ssh2\n"

    def entries(self):
        if self.backend == "ipset":
            return sum(int(count) for count in re.findall(r"Number of entries: (\d+)", self.run("ipset", "list", "-t").stdout))
        shown = self.run(self.bailiff, "firewall", "show", "--json").stdout
        return sum(json.loads(line)["bans"] or 0 for line in shown.splitlines())

    def wait(self, what, seconds=300, pause=0.02):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return
            if self.daemon.poll() is not None:
                raise SystemExit("the daemon has ended")
            time.sleep(pause)
        raise SystemExit("it takes too long")

    def status(self, key):
        for line in open(f"/proc/{self.daemon.pid}/status"):
            if line.startswith(key):
                return int(line.split()[1]) / 1024

    def cpu(self):
        """Seconds, of all threads (proc(5), schedstat)."""
        return sum(int(open(path).read().split()[0]) for path in pathlib.Path(f"/proc/{self.daemon.pid}/task").glob("*/schedstat")) / 1e9

    def applied(self):
        """When the kernel had each ban, by id."""
        with sqlite3.connect(f"file:{self.path}/state/bailiff.db?mode=ro", uri=True) as db:
            return {id: at / 1e6 for id, at in db.execute("SELECT identity, applied FROM ban WHERE applied IS NOT NULL")}

    def close(self):
        if self.daemon and self.daemon.poll() is None:
            self.stop()
        super().close()


def say(text):
    print(text, flush=True)


def of_bans(bailiff, backend):
    machine = Machine(bailiff, backend, "  quiet: {filter: sshd, backend: files, logpath: [PATH], maxretry: 1000000, bantime: 1d}\n")
    text = pathlib.Path(machine.config).read_text().replace("PATH", f"{machine.path}/quiet.log")
    pathlib.Path(machine.config).write_text(text)
    (machine.path / "quiet.log").write_text("")
    machine.store(addresses(200_000, 0x30000000))
    machine.start()
    machine.wait(lambda: machine.entries() >= 200_000)
    time.sleep(3)

    def cost(path, first, count=400):
        before, written = machine.cpu(), {}
        with open(path, "a", buffering=1) as log:
            for address in addresses(count, first):
                line = machine.line(address)
                written[address] = time.time()
                log.write(line)
                time.sleep(0.015)
        time.sleep(2)
        return (machine.cpu() - before) / count * 1e6, written

    quiet, _ = cost(machine.path / "quiet.log", 0x50000000)
    banned, written = cost(machine.log, 0x60000000)
    # Many at once: what a ban costs where an attack is.
    many, before = addresses(20_000, 0x70000000), machine.cpu()
    with open(machine.log, "a") as log:
        log.writelines(machine.line(address) for address in many)
    held = 200_000 + len(written) + len(many)
    machine.wait(lambda: machine.entries() >= held, pause=0.5)
    time.sleep(1)
    at_once = (machine.cpu() - before) / len(many) * 1e6
    applied = machine.applied()
    times = sorted((applied[id] - at) * 1e3 for id, at in written.items() if id in applied)
    say(f"{backend}: bans into a table of 200,000: one at a time {banned:.0f} µs of CPU, of which a failure alone {quiet:.0f}; 20,000 at once "
        f"{at_once:.0f} µs each, all told; line to kernel median {statistics.median(times):.2f} ms, 99 % {times[len(times) * 99 // 100]:.2f} ms "
        f"({len(times)} of {len(written)})")
    machine.close()

    peer = Namespace()
    if backend == "nftables":
        elements = ", ".join(f"{id} timeout 1d" for id in addresses(200_000, 0x30000000))
        peer.run("nft", "-f", "-", input="table inet t { set s { type ipv4_addr; flags timeout; size 1000000; }; }\n"
                 f"add element inet t s {{ {elements} }}\n")
        words = ["nft", "add", "element", "inet", "t", "s", "{ ID timeout 1d }"]
    else:
        peer.run("ipset", "restore", input="create s hash:ip timeout 86400 maxelem 1000000\n"
                 + "".join(f"add s {id}\n" for id in addresses(200_000, 0x30000000)))
        words = ["ipset", "add", "s", "ID"]
    took = []
    for id in addresses(20, 0x60000000):
        begin = time.monotonic()
        peer.run(*[word.replace("ID", id) for word in words], check=True)
        took.append((time.monotonic() - begin) * 1e3)
    say(f"{backend}: `{words[0]} add` of one beside 200,000: median {statistics.median(took):.1f} ms")
    peer.close()


def of_a_start(bailiff, backend):
    machine = Machine(bailiff, backend)
    ids = addresses(100_000, 0x30000000)
    machine.store(ids)

    took, cpu = [], []
    for _ in range(3):
        begin = time.monotonic()
        machine.start(waits=False)
        machine.wait(lambda: machine.holds(len(ids)), pause=0.005)
        took.append(time.monotonic() - begin)
        cpu.append(machine.cpu())
        machine.stop()
        machine.run(bailiff, "firewall", "clear")
    say(f"{backend}: 100,000 stored bans in the kernel {min(took):.2f} s after the start of the process (of three; {max(took):.2f} at most; {min(cpu):.2f} s of CPU)")
    machine.close()
    took = []
    for _ in range(3):
        peer = Namespace()
        if backend == "nftables":
            words, text = ["nft", "-f", "-"], ("table inet t { set s { type ipv4_addr; flags timeout; size 1000000; }; }\nadd element inet t s { "
                                              + ", ".join(f"{id} timeout 1d" for id in ids) + " }\n")
        else:
            words, text = ["ipset", "restore"], ("create s hash:ip timeout 86400 maxelem 1000000\n" + "".join(f"add s {id}\n" for id in ids))
        begin = time.monotonic()
        peer.run(*words, input=text, check=True)
        took.append(time.monotonic() - begin)
        peer.close()
    say(f"{backend}: `{' '.join(words)}` with the same 100,000: {min(took):.2f} s")


DOWNLOAD_SERVER = """
import socket
server = socket.create_server(("0.0.0.0", 80))
print(flush=True)
while True:
    client, _ = server.accept()
    try:
        while True: client.sendall(b"x" * 65536)
    except OSError: pass
"""
DOWNLOAD_CLIENT = """
import socket, sys, time
client = socket.socket()
# What has arrived is read at once: the packets are measured, not a full buffer's way through Python.
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
client.connect(("198.51.100.1", 8080))
client.settimeout(2)
got, last = 0, 0
print(flush=True)
try:
    while True:
        some = client.recv(65536)
        if not some: break
        got, last = got + len(some), time.time()
except OSError: pass
print(got, last, flush=True)
"""


def of_a_download(bailiff, backend):
    took = []
    for _ in range(5):
        machine, client, container = Machine(bailiff, backend), Namespace(), Namespace()
        machine.link(client, "eth0", "198.51.100.1/24", "eth0", "198.51.100.7/24")
        machine.link(container, "docker0", "203.0.113.1/24", "eth0", "203.0.113.2/24")
        container.shell("ip route add default via 203.0.113.1")
        machine.shell("sysctl -qw net.ipv4.ip_forward=1; iptables -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 203.0.113.2:80\n"
                      "iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; iptables -A FORWARD -i eth0 -j ACCEPT")
        server = subprocess.Popen(container.enter(sys.executable, "-c", DOWNLOAD_SERVER), stdout=subprocess.PIPE)
        server.stdout.readline()
        machine.start()
        download = subprocess.Popen(client.enter(sys.executable, "-c", DOWNLOAD_CLIENT), stdout=subprocess.PIPE, text=True)
        download.stdout.readline()
        time.sleep(0.5)
        with open(machine.log, "a") as log:
            log.write(machine.line("198.51.100.7"))
        got, last = download.stdout.readline().split()
        took.append((float(last) - machine.applied()["198.51.100.7"]) * 1e3)
        server.kill()
        for one in (machine, client, container):
            one.close()
    say(f"{backend}: an open download over a published port has its last byte {statistics.median(took):.1f} ms after the ban "
        f"({min(took):.1f} to {max(took):.1f}, {len(took)} runs; negative: before the answer of the kernel)")


def of_packets(bailiff, backend):
    program = tempfile.NamedTemporaryFile(prefix="packets-", delete=False).name
    subprocess.run(["gcc", "-O2", "-o", program, ROOT / "Benchmarks/packets.c"], check=True)

    def pair(machine):
        client = Namespace()
        machine.link(client, "eth0", "198.51.100.1/24", "eth0", "198.51.100.7/24")
        sink = subprocess.Popen(machine.enter(sys.executable, "-c", "import socket,time; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);"
                                              "s.bind(('198.51.100.1',9)); print(flush=True); time.sleep(1e6)"), stdout=subprocess.PIPE)
        sink.stdout.readline()
        return client, sink

    def rate(machine, client, seconds=2):
        """Packets that reached the socket, whether it had room for them or not."""
        def reached():
            names, values = [line.split()[1:] for line in machine.shell("grep ^Udp: /proc/net/snmp").splitlines()]
            udp = dict(zip(names, map(int, values)))
            return udp["InDatagrams"] + udp["RcvbufErrors"]
        before = reached()
        sent = client.run("taskset", "-c", "1", program, "198.51.100.7", "198.51.100.1", "9", f"{seconds}", check=True).stdout
        return (reached() - before) / seconds, int(sent) / seconds

    bare, guarded = Namespace(), Machine(bailiff, backend)
    guarded.store(addresses(100_000, 0x30000000))
    guarded.start()
    guarded.wait(lambda: guarded.entries() >= 100_000, pause=0.5)
    pairs = [(one, *pair(one)) for one in (bare, guarded)]
    time.sleep(2)
    rates = [[], []]
    for _ in range(7):
        for place, (machine, client, _) in enumerate(pairs):
            rates[place].append(rate(machine, client)[0])
    ratios = [with_ / without for without, with_ in zip(*rates)]
    say(f"{backend}: packets past 100,000 banned addresses {statistics.median(rates[1]):,.0f}/s, without any rule {statistics.median(rates[0]):,.0f}/s: "
        f"{statistics.median(ratios):.3f} ({min(ratios):.2f} to {max(ratios):.2f}, 7 pairs)")
    for machine, client, sink in pairs:
        sink.kill()
        client.close()
        machine.close()
    os.unlink(program)


KNOCK = """
import socket, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    client.sendto(repr(time.time()).encode(), ("198.51.100.1", 9))
    time.sleep(0.0002)
"""


def of_a_repair(bailiff, backend):
    machine, client = Machine(bailiff, backend), Namespace()
    machine.link(client, "eth0", "198.51.100.1/24", "eth0", "198.51.100.7/24")
    machine.store(addresses(19_999, 0x30000000) + ["198.51.100.7"])
    machine.start()
    machine.wait(lambda: machine.entries() >= 20_000, pause=0.5)
    sink = subprocess.Popen(machine.enter("python3", "-uc", "import socket,time; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);"
                                          "s.bind(('198.51.100.1',9)); print()\nwhile True: print(s.recv(100).decode(), time.time())"),
                            stdout=subprocess.PIPE, text=True)
    sink.stdout.readline()
    came = []
    threading.Thread(target=lambda: came.extend(sink.stdout), daemon=True).start()
    knock = subprocess.Popen(client.enter(sys.executable, "-c", KNOCK))
    time.sleep(1)
    if came:
        raise SystemExit("the ban does not hold")
    begin = time.time()
    machine.run("nft", "flush", "ruleset", check=True)
    time.sleep(5)
    knock.kill()
    time.sleep(0.3)
    last = max((float(line.split()[1]) for line in came), default=begin)
    say(f"{backend}: `nft flush ruleset` with 20,000 bans: {len(came)} packets of a banned client that sends 3,000 a second get in, the last "
        f"{(last - begin) * 1e3:.0f} ms after the flush began; {machine.entries():,} held")
    sink.kill()
    client.close()
    machine.close()


def of_a_list(bailiff, backend):
    count = 2_000_000
    machine = Machine(bailiff, backend, f"lists:\n  big: {{path: LIST, limit: {count}}}\n")
    pathlib.Path(machine.config).write_text(pathlib.Path(machine.config).read_text().replace("LIST", f"{machine.path}/big.txt"))
    ids = addresses(count, 0x20000000)
    (machine.path / "big.txt").write_text("\n".join(ids) + "\n")
    begin = time.monotonic()
    machine.start(waits=False)
    machine.wait(lambda: machine.holds(count), pause=0.05)
    seconds = time.monotonic() - begin
    machine.wait(lambda: machine.ask("status").returncode in (0, 4), pause=0.1)
    ready = time.monotonic() - begin
    most, now = machine.status("VmHWM"), machine.status("VmRSS")
    say(f"{backend}: a list of {count:,} addresses: in force {seconds:.1f} s after the start (the daemon answers after {ready:.1f} s); memory "
        f"{most:.0f} MB at most, {now:.0f} MB then")
    # Another one, of which half is the same, while one that is in both knocks.
    client = Namespace()
    machine.link(client, "eth0", "198.51.100.1/24", "eth0", f"{ids[-1]}/0")
    machine.shell(f"ip route add {ids[-1]} dev eth0")
    sink = subprocess.Popen(machine.enter("python3", "-uc", "import socket,time; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);"
                                          "s.bind(('198.51.100.1',9)); print()\nwhile True: print(s.recv(100).decode(), time.time())"),
                            stdout=subprocess.PIPE, text=True)
    sink.stdout.readline()
    came = []
    threading.Thread(target=lambda: came.extend(sink.stdout), daemon=True).start()
    knock = subprocess.Popen(client.enter(sys.executable, "-c", KNOCK))
    other = ids[count // 2:] + addresses(count // 2, 0x60000000)
    open(f"/proc/{machine.daemon.pid}/clear_refs", "w").write("5")
    (machine.path / "new.txt").write_text("\n".join(other) + "\n")
    os.rename(machine.path / "new.txt", machine.path / "big.txt")
    before, begin = machine.cpu(), time.monotonic()
    machine.ask("reload")

    def rests():
        # The pieces go to the kernel one after the other; when all are there the daemon has nothing to do.
        used = machine.cpu()
        time.sleep(0.5)
        return any("1000000 added" in line for line in machine.said) and machine.cpu() - used < 0.02
    machine.wait(rests, pause=0)
    seconds = time.monotonic() - begin - 0.5
    knock.kill()
    say(f"{backend}: exchanged for another, half of it the same, within {seconds:.1f} s ({machine.cpu() - before:.1f} s of CPU); memory "
        f"{machine.status('VmHWM'):.0f} MB at most; {len(came)} packets of an address in both got in")
    sink.kill()
    client.close()
    machine.close()


PARTS = {"ban": of_bans, "start": of_a_start, "download": of_a_download, "packets": of_packets, "repair": of_a_repair, "list": of_a_list}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bailiff")
    parser.add_argument("backends", nargs="*", default=["nftables", "ipset"])
    parser.add_argument("--only", action="append", choices=list(PARTS))
    options = parser.parse_intermixed_args()
    for part in options.only or PARTS:
        for backend in options.backends:
            PARTS[part](os.path.abspath(options.bailiff), backend)
