"""The table of results: rows with a figure, what it is compared with, and the bar it has to reach."""

import os
import subprocess
import sys
import time

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results.md")
# How a figure was measured; what is by the clock means little on a machine that does other work.
CPU, CLOCK, COUNT = "CPU", "clock", "count"


class Table:
    def __init__(self, quiet):
        self.rows, self.notes, self.quiet = [], [], quiet

    def row(self, work, figure, unit, ratio=None, against="", bar="", met=None, by=CPU):
        self.rows.append({"work": work, "figure": figure, "unit": unit, "by": by, "ratio": ratio, "against": against,
                          "bar": bar, "met": met})
        if not self.quiet:
            print("  " + " | ".join(cell for cell in self.cells(self.rows[-1]) if cell), file=sys.stderr)

    def note(self, text):
        self.notes.append(text)

    def agree(self, title, found, expected):
        """Says where two lists of attackers differ."""
        missing, extra = sorted(expected - found), sorted(found - expected)
        if not missing and not extra:
            self.note(f"{title}: the same {len(expected):,} attackers.")
            return
        some = ", ".join(missing[:3] + extra[:3])
        self.note(f"{title}: {len(missing):,} missing and {len(extra):,} more of {len(expected):,} ({some}).")

    @staticmethod
    def number(value):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

    def cells(self, row):
        ratio = f"{self.number(row['ratio'])} × {row['against']}" if row["ratio"] is not None else ""
        met = {True: "yes", False: "**no**", None: ""}[row["met"]]
        return [row["work"], f"{self.number(row['figure'])} {row['unit']}", row["by"], ratio, row["bar"], met]

    def text(self, markdown):
        rows = [["work", "figure", "by", "ratio", "bar", "reached"], *[self.cells(row) for row in self.rows]]
        if markdown:
            return "\n".join(["| " + " | ".join(row) + " |" for row in [rows[0], ["---"] * 6, *rows[1:]]])
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)

    def keep(self):
        """Writes results.md; what stands below its heading "What bounds it" is written by people and stays."""
        written = ""
        if os.path.exists(RESULTS):
            with open(RESULTS) as old:
                text = old.read()
                written = text[text.index("\n## What bounds"):] if "\n## What bounds" in text else ""
        with open(RESULTS, "w") as out:
            out.write("# The last measurement\n\n")
            out.write(f"{machine()}, load average {os.getloadavg()[0]:.1f} at the end; {versions()}; "
                      f"{time.strftime('%Y-%m-%d', time.gmtime())}. Written by `make bench`.\n\n"
                      "By CPU: CPU seconds, user and system, on one core. By the clock: means something only when nothing "
                      "else ran. Read the ratios: the rates are this machine's.\n\n")
            out.write(self.text(markdown=True) + "\n\nDid they find the same?\n\n")
            out.write("".join(f"- {note}\n" for note in self.notes) + written)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{model}, {len(os.sched_getaffinity(0))} cores"


def versions():
    """Which peers stood beside."""
    found = []
    for package in ("fail2ban", "sshguard", "grep"):
        asked = subprocess.run(["dpkg-query", "-Wf", "${Version}", package], capture_output=True, text=True)
        found.append(f"{package} {asked.stdout}" if asked.returncode == 0 else f"no {package}")
    return ", ".join(found)
