"""What the filters find in the recorded lines, by act."""

import dataclasses
import ipaddress
import json
import pathlib
import subprocess
import tempfile

@dataclasses.dataclass
class Score:
    """Of the filters of one daemon, over all of its logs."""
    acts: dict = dataclasses.field(default_factory=dict)  # abusive acts: number: note
    neutral: set = dataclasses.field(default_factory=set)  # those whose lines honest people leave too
    found: dict = dataclasses.field(default_factory=dict)  # filter: numbers of acts
    made_up: list = dataclasses.field(default_factory=list)  # (filter, address, line)
    unknown: list = dataclasses.field(default_factory=list)  # filters that are not there
    banned: set = dataclasses.field(default_factory=set)  # (filter, address) of honest people, by the filters' own limits

    @property
    def missed(self):
        found = set().union(*self.found.values()) | self.neutral
        return [note for number, note in self.acts.items() if number not in found]

    @property
    def is_good(self):
        return not self.missed and not self.made_up and not self.banned


def score(bailiff, filters, names, logs):
    """Runs the filters of these names over each of the logs ({name: path of a .jsonl}), and counts by act: an abusive act is
    found when one of its lines is reported with the abuser's address; any other report is made up, but for honest people's
    mistakes (`neutral`), which may count."""
    result = Score()
    for path in logs.values():
        records = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
        for record in records:
            if record["action_abuse"]:
                result.acts[record["action"]] = record["note"]
            if record.get("neutral"):
                result.neutral.add(record["action"])
        for name in names:
            if not (pathlib.Path(filters) / f"{name}.yaml").exists():
                result.unknown += [name] if name not in result.unknown else []
                continue
            honest = [record["line"] for record in records if not record["action_abuse"]]
            result.banned |= {(name, address) for address in bans(bailiff, filters, name, honest)}
            found = result.found.setdefault(name, set())
            for record, addresses in zip(records, failures_by_line(bailiff, filters, name, [record["line"] for record in records])):
                for address in addresses:
                    if record["action_abuse"] and address == record["client"]:
                        found.add(record["action"])
                    elif record["action_abuse"] or not record.get("neutral"):
                        result.made_up.append((name, address, record["line"]))
    return result


def failures_by_line(bailiff, filters, name, lines):
    """The addresses that the filter reports for each line, with a weight."""
    results = _run(bailiff, filters, name, ["filter", "test", name], lines)
    if len(results) < len(lines):
        raise RuntimeError(f"bailiff filter test {name}: {len(results)} results for {len(lines)} lines")
    return [[_plain(failure["host"]) for failure in result["failures"] if failure.get("weight", 1) > 0] for result in results]


def bans(bailiff, filters, name, lines):
    """Whom a jail of this filter, with the filter's own limits, bans."""
    return [event["id"] for event in _run(bailiff, filters, name, ["replay"], lines) if event.get("action") == "ban"]


def _run(bailiff, filters, name, command, lines):
    """What the program prints of these lines, as JSON."""
    if not lines:
        return []
    with tempfile.TemporaryDirectory() as directory:
        log = pathlib.Path(directory) / "log"
        log.write_bytes("".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape"))
        settings = pathlib.Path(directory) / "bailiff.yaml"
        settings.write_text(json.dumps({
            "filters": [str(filters)], "jails": {name: {"filter": name, "logpath": [str(log)]}}}))
        run = subprocess.run(
            [bailiff, *command, log, "--json", "--config", settings], capture_output=True, text=True, errors="replace")
        if run.returncode not in (0, 1):
            raise RuntimeError(f"bailiff {' '.join(command)}: {run.stderr[-500:]}")
        return [json.loads(line) for line in run.stdout.splitlines()]


def _plain(address):
    """The short form; ::ffff:192.0.2.7 is 192.0.2.7."""
    parsed = ipaddress.ip_address(address)
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
