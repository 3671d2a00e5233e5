#!/usr/bin/env python3
"""What open dashboards cost: BAILIFF [dashboards] [seconds].

A daemon in a dry run, a log in which 1,000 addresses a minute reach a jail's limit, and so many dashboards that hold a stream of
events each and fetch the first page again when something happens, as dashboard.js does: two seconds later, and not again before.
Prints the processor's share and the time from a line to what is decided of it (a dry run has no kernel), without dashboards and with them.
"""
import asyncio, os, re, signal, subprocess, sys, tempfile, time, datetime, urllib.parse, http.client

BAILIFF = sys.argv[1]
DASHBOARDS = int(sys.argv[2]) if len(sys.argv) > 2 else 200
SECONDS = int(sys.argv[3]) if len(sys.argv) > 3 else 30
PORT = 18000 + os.getpid() % 10000
HOME = tempfile.mkdtemp(prefix="bailiff-dashboards-")
CONFIG = f"{HOME}/bailiff.yaml"


def settings():
    open(f"{HOME}/auth.log", "w").close()
    with open(CONFIG, "w") as file:
        file.write(f"""state: {HOME}/state
socket: {HOME}/socket
firewall: {{backend: dry-run}}
bans_per_minute_warning: 100000
api: {{listen: "127.0.0.1:{PORT}", trusted_proxies: [127.0.0.1]}}
jails:
  sshd: {{filter: sshd, backend: files, logpath: [{HOME}/auth.log], maxretry: 3, bantime: 1h}}
""")


def ask(path, cookie=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    if cookie:
        headers["Cookie"] = cookie
    connection.request("POST" if body else "GET", path, body, headers)
    answer = connection.getresponse()
    return answer, answer.read()


def log_in():
    subprocess.run([BAILIFF, "user", "add", "load", "--config", CONFIG], input="correct horse\n", text=True, check=True,
                   stdout=subprocess.DEVNULL)
    answer, _ = ask("/login", body=urllib.parse.urlencode({"name": "load", "password": "correct horse"}))
    return answer.headers["Set-Cookie"].split(";")[0]


class Dashboard:
    """One browser, at an address of its own behind a proxy."""

    pages = 0
    refused = 0

    def __init__(self, number, cookie):
        self.head = (f"Host: localhost\r\nCookie: {cookie}\r\n"
                     f"X-Forwarded-For: 198.51.{100 + number // 250}.{number % 250 + 1}\r\n")
        self.due = False

    async def page(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(f"GET / HTTP/1.1\r\n{self.head}Connection: close\r\n\r\n".encode())
        answer = await reader.read(-1)
        writer.close()
        Dashboard.pages += answer.startswith(b"HTTP/1.1 200")
        Dashboard.refused += not answer.startswith(b"HTTP/1.1 200")

    async def refresh(self):
        await asyncio.sleep(2)
        self.due = False
        await self.page()

    async def run(self):
        await self.page()
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(f"GET /api/v1/events?after=now HTTP/1.1\r\n{self.head}\r\n".encode())
        while line := await reader.readline():
            if line.startswith(b"event: ") and not self.due:
                self.due = True
                self.task = asyncio.create_task(self.refresh())


async def attack(seconds, start):
    """1,000 bans a minute: 16.7 addresses a second, three lines each."""
    number = start
    begin = time.monotonic()
    with open(f"{HOME}/auth.log", "a") as log:
        while time.monotonic() - begin < seconds:
            stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            address = f"11.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            for _ in range(3):
                log.write(f"{stamp} web sshd[812]: Failed password for root from {address} port 4711 ssh2\n")
            log.flush()
            number += 1
            await asyncio.sleep(max(0, begin + (number - start) * 0.06 - time.monotonic()))
    return number


def figures(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    text = subprocess.run(["curl", "-s", "--unix-socket", f"{HOME}/socket", "http://b/metrics"], capture_output=True,
                          text=True).stdout
    buckets = {float(edge.replace("+Inf", "inf")): int(float(count)) for edge, count in
               re.findall(r'bailiff_line_to_decision_seconds_bucket\{le="([^"]+)"\} (\S+)', text)}
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), buckets, time.monotonic()


def report(name, before, after):
    counts = {edge: after[1].get(edge, 0) - before[1].get(edge, 0) for edge in after[1]}
    total = max(counts.values(), default=0)

    def quantile(share):
        return next((edge for edge, count in sorted(counts.items()) if count >= total * share), float("nan"))

    share = (after[0] - before[0]) / (after[2] - before[2]) * 100
    print(f"{name:>16}: {share:5.1f} % of a core, line to decision p50 <= {quantile(.5) * 1000:.2f} ms, "
          f"p99 <= {quantile(.99) * 1000:.2f} ms, {total} lines", flush=True)


async def main():
    settings()
    daemon = subprocess.Popen([BAILIFF, "run", "--quiet", "--config", CONFIG], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            time.sleep(0.1)
            if subprocess.run([BAILIFF, "bans", "--config", CONFIG], capture_output=True).returncode == 0:
                break
        cookie = log_in()
        number = await attack(3, 0)
        before = figures(daemon.pid)
        number = await attack(SECONDS, number)
        report("no dashboard", before, figures(daemon.pid))
        dashboards = [asyncio.create_task(Dashboard(index, cookie).run()) for index in range(DASHBOARDS)]
        await asyncio.sleep(3)
        Dashboard.pages = Dashboard.refused = 0
        before = figures(daemon.pid)
        await attack(SECONDS, number)
        report(f"{DASHBOARDS} dashboards", before, figures(daemon.pid))
        print(f"{Dashboard.pages / SECONDS:.0f} pages a second, {Dashboard.refused} refused")
        for dashboard in dashboards:
            dashboard.cancel()
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()


asyncio.run(main())
