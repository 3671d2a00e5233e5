#!/usr/bin/env python3
"""The manual pages: one for each command, from what the program says of itself, and those of the files it reads, from docs/.

    manual.py BAILIFF DOCS OUT      SOURCE_DATE_EPOCH dates them
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import roff
from roff import bold, escape, italic

FILES = [
    ("/etc/bailiff/bailiff.yaml", "The settings, see \\fBbailiff.yaml\\fR(5)."),
    ("/etc/bailiff/filters", "Filters of your own, see \\fBbailiff\\-filter\\fR(5); they come before those of the same name below."),
    ("/usr/share/bailiff/filters", "The filters that come with the program."),
    ("/var/lib/bailiff/bailiff.db", "The audit: failures, bans, and what operators did."),
    ("/run/bailiff/bailiff.sock", "The socket through which the commands ask the daemon."),
]
EXIT_STATUS = [
    ("0", "Done."),
    ("1", "No: not banned, samples fail, nothing is known."),
    ("2", "Wrong usage or settings."),
    ("3", "The daemon is not there."),
]
# The pages that are made of a document: name, section, what it is, document.
DOCUMENTS = [
    ("bailiff.yaml", "5", "settings of bailiff", "settings.md"),
    ("bailiff-filter", "5", "filters of bailiff, and how to write one", "filters.md"),
]


def shown(items):
    return [item for item in items if item.get("shouldDisplay", True)]


def page_name(path):
    return "-".join(path)


def reference(name, section="1"):
    return f"{bold(name)}({section})"


def value(argument):
    return italic(argument.get("valueName", ""))


def option_names(argument):
    dash = {"long": "--", "short": "-", "longWithSingleDash": "-"}
    names = sorted(argument["names"], key=lambda name: name["kind"] != "short")
    return [bold(dash[name["kind"]] + name["name"]) for name in names]


def usage(argument):
    if argument["kind"] == "positional":
        text = value(argument)
    else:
        text = option_names(argument)[-1]
        if argument["kind"] == "option":
            text += "\\ " + value(argument)
    if argument.get("isRepeating"):
        text += "\\ ..."
    return f"[{text}]" if argument.get("isOptional") else text


def described(argument):
    tag = value(argument) if argument["kind"] == "positional" else ", ".join(option_names(argument))
    if argument["kind"] == "option":
        tag += " " + value(argument)
    text = escape(argument.get("abstract", ""))
    if argument.get("discussion"):
        text += "\n" + escape(argument["discussion"])
    if argument.get("allValues"):
        text += " One of " + ", ".join(bold(name) for name in argument["allValues"]) + "."
    if argument.get("defaultValue"):
        text += " Default: " + bold(argument["defaultValue"]) + "."
    return f".TP\n{tag}\n{text}\n"


def discussion(text):
    """Paragraphs, and indented blocks as they are."""
    result = ""
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines = block.split("\n")
        # `Examples:` and what is indented below it stand in one block.
        plain = [line for line in lines if not line.startswith("  ")]
        kept = [line.removeprefix("  ") for line in lines if line.startswith("  ")]
        if plain:
            result += ".PP\n" + escape("\n".join(plain)) + "\n"
        if kept:
            result += roff.literal("\n".join(kept))
    return result.removeprefix(".PP\n")


def is_common(argument):
    return {name["name"] for name in argument.get("names", [])} & {"help", "version"}


def command_page(command, path, version, epoch):
    name = page_name(path)
    subcommands = [sub for sub in shown(command.get("subcommands", [])) if sub["commandName"] != "help"]
    arguments = [argument for argument in shown(command.get("arguments", [])) if not is_common(argument)]
    text = roff.header(name, "1", version, epoch, "Bailiff")
    text += f".SH NAME\n{escape(name)} \\- {escape(command.get('abstract', '').rstrip('.'))}\n"
    text += ".SH SYNOPSIS\n.nh\n.ad l\n" + bold(" ".join(path))
    if subcommands:
        text += " " + italic("command") + " [" + italic("options") + "]"
    elif arguments:
        text += "\n" + "\n".join(usage(argument) for argument in arguments)
    text += "\n.ad b\n.hy\n"
    if command.get("discussion"):
        text += ".SH DESCRIPTION\n" + discussion(command["discussion"])
    if subcommands:
        text += ".SH COMMANDS\n"
        for sub in subcommands:
            text += f".TP\n{reference(page_name([*path, sub['commandName']]))}\n{escape(sub.get('abstract', ''))}\n"
    for title, chosen in (
        ("ARGUMENTS", [argument for argument in arguments if argument["kind"] == "positional"]),
        ("OPTIONS", [argument for argument in arguments if argument["kind"] != "positional"]),
    ):
        if chosen:
            text += f".SH {title}\n" + "".join(described(argument) for argument in chosen)
    text += ".SH EXIT STATUS\n" + "".join(f".TP\n{bold(code)}\n{escape(what)}\n" for code, what in EXIT_STATUS)
    if len(path) == 1:
        text += ".SH FILES\n" + "".join(f".TP\n{italic(file)}\n{what}\n" for file, what in FILES)
    also = [reference(page_name(path[:-1]))] if len(path) > 1 else []
    also += [reference(name, section) for name, section, _, _ in DOCUMENTS]
    text += ".SH SEE ALSO\n" + ", ".join(also) + "\n"
    return name, text, subcommands


def main():
    bailiff, docs, out = sys.argv[1:4]
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    version = subprocess.run([bailiff, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    told = subprocess.run([bailiff, "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout

    def write(name, section, text):
        directory = pathlib.Path(out, f"man{section}")
        directory.mkdir(parents=True, exist_ok=True)
        directory.joinpath(f"{name}.{section}").write_text(text)

    def walk(command, path):
        name, text, subcommands = command_page(command, path, version, epoch)
        write(name, "1", text)
        for sub in subcommands:
            walk(sub, [*path, sub["commandName"]])

    walk(json.loads(told)["command"], ["bailiff"])
    for name, section, what, document in DOCUMENTS:
        text = roff.header(name, section, version, epoch, "Bailiff")
        text += f".SH NAME\n{escape(name)} \\- {escape(what)}\n"
        text += roff.Markdown(pathlib.Path(docs, document)).body()
        text += ".SH SEE ALSO\n" + reference("bailiff") + "\n"
        write(name, section, text)


if __name__ == "__main__":
    main()
