#!/usr/bin/env python3
"""The documentation as plain HTML: each Markdown file a page, with links between them, and nothing fetched from anywhere.

    site.py ROOT OUT      ROOT has README.md, CHANGELOG.md, SECURITY.md and docs/
"""

import html
import pathlib
import re
import subprocess
import sys

from roff import CMARK

STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 52rem; padding: 1rem }
nav { border-bottom: 1px solid #8886; padding-bottom: .5rem } nav a { margin-right: 1em; white-space: nowrap }
pre { overflow-x: auto; padding: .75em; background: #8881 } code { font-size: .9em }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { border: 1px solid #8886; padding: .25em .6em; text-align: left; vertical-align: top }
"""


def pages(root):
    """Markdown file to page, the README first."""
    first = [root / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md")]
    chosen = [path for path in first if path.exists()] + sorted((root / "docs").glob("*.md"))
    return {path: "index.html" if path.name == "README.md" else path.stem.lower() + ".html" for path in chosen}


def title(path):
    return re.search(r"(?m)^# (.+)$", path.read_text()).group(1)


def anchor(match):
    """Headings get GitHub's anchors, which the documents' own links name."""
    level, text = match.groups()
    name = re.sub(r"[^\w\- ]", "", html.unescape(re.sub(r"<[^>]+>", "", text)).lower()).replace(" ", "-")
    return f'<h{level} id="{name}">{text}</h{level}>'


def linked(text, path, root, names):
    """Links to documents lead to their pages; those to other files of the source are plain text."""

    def link(match):
        target, label = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match.group(0)
        file, _, part = target.partition("#")
        page = names.get((path.parent / file).resolve())
        if page is None:
            return label
        return f'<a href="{page}{"#" + part if part else ""}">{label}</a>'

    return re.sub(r'(?s)<a href="([^"]*)">(.*?)</a>', link, text)


def main():
    root, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    names = pages(root)
    menu = "".join(f'<a href="{page}">{html.escape(title(path))}</a>\n' for path, page in names.items())
    for path, page in names.items():
        body = subprocess.run([*CMARK, "-t", "html", path], check=True, capture_output=True, text=True).stdout
        body = re.sub(r"<h([1-6])>(.*?)</h\1>", anchor, body)
        body = linked(body, path, root, names)
        (out / page).write_text(
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width">\n<title>{html.escape(title(path))}</title>\n'
            f"<style>{STYLE}</style>\n</head>\n<body>\n<nav>{menu}</nav>\n{body}</body>\n</html>\n")


if __name__ == "__main__":
    main()
