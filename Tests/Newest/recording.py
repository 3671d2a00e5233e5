"""What the logs said during which act, in the format of fixtures/truth."""

import ipaddress
import json
import time


class Recording:
    """Follows log files and puts each new line down to the act in which it was written."""

    QUIET = 0.4  # seconds without a new byte after which an act's lines are taken to be all there

    def __init__(self, directory):
        self.directory = directory
        self.acts = []  # {number, note, abuse, address, …}
        self.lines = {}  # log name: [(labels, line)]
        self._files = {}  # log name: (path, offset)
        self._act = None

    def follow(self, path, name):
        self._files[name] = (path, path.stat().st_size if path.exists() else 0)
        self.lines.setdefault(name, [])

    def begin(self, visitor, note, user, labels):
        self._collect(None)  # what came late, or by itself, is nobody's
        family = "IPv6" if ":" in visitor.address else "IPv4"
        self._act = {
            "number": len(self.acts) + 1, "note": f"{family} {note}", "abuse": labels.pop("abuse", visitor.abuse),
            "address": visitor.address, "user": user, "labels": labels}
        self.acts.append(self._act)

    def end(self, settle):
        deadline = time.monotonic() + settle
        sizes, since, grew = self._sizes(), time.monotonic(), False
        if any(size > self._files[name][1] for name, size in sizes.items()):
            grew = True
        while (now := time.monotonic()) < deadline:
            time.sleep(0.05)
            if (new := self._sizes()) != sizes:
                sizes, since, grew = new, now, True
            elif grew and now - since > self.QUIET:
                break
        self._collect(self._act)
        self._act = None

    def write(self, daemon, version):
        """A file for each log that has lines; returns {log name: path}."""
        for lines in self.lines.values():
            for labels, _ in lines:
                labels["version"] = version
        written = {}
        for name, lines in self.lines.items():
            if not lines:
                continue
            path = self.directory / (f"{daemon}.{name}.jsonl" if name else f"{daemon}.jsonl")
            with open(path, "w") as file:
                for labels, line in lines:
                    file.write(json.dumps({"line": line, **labels}) + "\n")
            written[name] = path
        return written

    def _sizes(self):
        return {name: path.stat().st_size if path.exists() else 0 for name, (path, _) in self._files.items()}

    def _collect(self, act):
        for name, (path, offset) in list(self._files.items()):
            if not path.exists():
                continue
            with open(path, "rb") as file:
                file.seek(offset)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1] if act is None else data
            self._files[name] = (path, offset + len(whole))
            if act is None or not whole:
                continue
            for line in whole.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n"):
                self.lines[name].append((_labels(act, line), line))


def _labels(act, line):
    shown = any(form in line for form in spellings(act["address"]))
    return {
        "abuse": act["abuse"] and shown, "host": act["address"] if shown else None,
        "user": act["user"] if act["user"] and act["user"] in line else None,
        "note": act["note"], "action": act["number"], "action_abuse": act["abuse"], "client": act["address"], **act["labels"]}


def spellings(address):
    """How daemons write an address: compressed, all zeros written, or without leading zeros only."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return [address]
    full = parsed.exploded
    return [address, full, ":".join(group.lstrip("0") or "0" for group in full.split(":"))]


def shortened(records, limit, act_limit=15):
    """Acts by their first lines, those over IPv4 first, as long as they are not more than `limit` lines together; in the log's
    order."""
    acts = {}
    for record in records:
        lines = acts.setdefault(record["action"], [])
        if len(lines) < act_limit:
            lines.append(id(record))
    kept = set()
    for action in sorted(acts, key=lambda action: (_is_ipv6(records, action), action)):
        if len(kept) + len(acts[action]) <= limit:
            kept.update(acts[action])
    return [record for record in records if id(record) in kept]


def _is_ipv6(records, action):
    return next(":" in record["client"] for record in records if record["action"] == action)
