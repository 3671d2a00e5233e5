"""Text in man(7)'s language: what every manual page begins with, escaping, and Markdown carried over."""

import re
import subprocess
import time
import xml.etree.ElementTree as xml

CMARK = ["cmark-gfm", "--extension", "table", "--extension", "autolink"]
NAMESPACE = "{http://commonmark.org/xml/1.0}"


def escape(text):
    """Plain text as roff shows it: hyphens that can be copied, and no line that begins a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def bold(text):
    return f"\\fB{escape(text)}\\fR"


def italic(text):
    return f"\\fI{escape(text)}\\fR"


def header(name, section, version, epoch, manual):
    date = time.strftime("%Y-%m-%d", time.gmtime(epoch))
    return f'.TH "{name.upper()}" "{section}" "{date}" "bailiff {version}" "{manual}"\n'


def literal(text):
    return ".RS 4\n.EX\n" + escape(text.rstrip("\n")) + "\n.EE\n.RE\n"


class Markdown:
    """A Markdown document as the body of a manual page. A table becomes a list: first column tagged, others below it."""

    def __init__(self, path):
        text = subprocess.run([*CMARK, "-t", "xml", path], check=True, capture_output=True, text=True).stdout
        self.root = xml.fromstring(text)

    def body(self):
        text = "".join(self.block(node) for node in self.root)
        # A heading begins a paragraph by itself.
        return re.sub(r"(?m)^(\.S[HS] .*\n)\.PP\n", r"\1", text)

    def block(self, node):
        kind = node.tag.removeprefix(NAMESPACE)
        if kind == "heading":
            level = int(node.get("level"))
            if level == 1:
                return ".SH DESCRIPTION\n"
            return (f".SH {self.inline(node).upper()}\n" if level == 2 else f".SS {self.inline(node)}\n")
        if kind == "paragraph":
            return ".PP\n" + self.inline(node) + "\n"
        if kind == "code_block":
            return literal(node.text or "")
        if kind == "list":
            return "".join(self.item(node, index) for index, _ in enumerate(node))
        if kind == "table":
            return self.table(node)
        if kind == "block_quote":
            return ".RS 4\n" + "".join(self.block(child) for child in node) + ".RE\n"
        if kind in ("thematic_break", "html_block"):
            return ""
        raise ValueError(f"no manual page has a {kind}")

    def item(self, items, index):
        mark = f"{index + 1}." if items.get("type") == "ordered" else "\\(bu"
        blocks = [self.block(child) for child in items[index]]
        first = blocks[0].removeprefix(".PP\n") if blocks else ""
        return f'.IP "{mark}" 4\n{first}' + "".join(f".RS 4\n{block}.RE\n" for block in blocks[1:])

    def table(self, node):
        titles = [self.inline(cell) for cell in node[0]]
        text = ""
        for row in node[1:]:
            cells = [self.inline(cell) for cell in row]
            text += f".TP\n{cells[0] or titles[0]}\n"
            # Every column but the last is short: its title says what it is.
            told = [f"{title}: {cell}" for title, cell in zip(titles[1:-1], cells[1:-1]) if cell]
            meaning = [cells[-1]] if len(cells) > 1 and cells[-1] else []
            text += "\n.br\n".join(["; ".join(told)] * bool(told) + meaning) + "\n"
        return text

    def inline(self, node):
        text = ""
        for child in node:
            kind = child.tag.removeprefix(NAMESPACE)
            if kind == "text":
                text += escape(child.text or "")
            elif kind == "code":
                text += bold(child.text or "")
            elif kind in ("emph", "strong"):
                text += ("\\fI" if kind == "emph" else "\\fB") + self.inline(child) + "\\fR"
            elif kind == "link":
                text += self.inline(child)
            elif kind == "softbreak":
                text += "\n"
            elif kind == "linebreak":
                text += "\n.br\n"
        # A line that begins with a dot inside a paragraph would be taken for a request.
        return re.sub(r"(?m)^([.'])(?!br$)", r"\\&\1", text)
