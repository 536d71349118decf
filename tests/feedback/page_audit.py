"""Reads a page as a browser would, and notes what must not be in it or does not close."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Audit(HTMLParser):
    """Reads a page as a browser's tokenizer would, and notes what is in it and what is wrong with its nesting."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.ids, self.problems, self.open = [], [], [], [], []
        self.feed(html)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing, line {self.getpos()[0]}")

    @property
    def dangers(self):
        """Everything that could run, load or submit, or lead a click to code."""
        runs = {
            "script",
            "iframe",
            "object",
            "embed",
            "form",
            "input",
            "button",
            "base",
            "link",
            "frame",
            "video",
            "audio",
            "template",
        }
        found = [tag for tag in self.tags if tag in runs]
        for tag, name, value in self.attributes:
            target = "".join(value.split()).lower()
            if name.startswith("on") or name in {"srcset", "action", "formaction", "background", "poster"}:
                found.append(f"{tag}@{name}")
            if name in {"href", "src", "xlink:href"} and target.startswith(
                ("javascript:", "vbscript:", "data:text", "//")
            ):
                found.append(f"{tag}@{name}={target[:40]}")
            if name == "src" and not target.startswith("data:image/"):
                found.append(f"{tag}@src={target[:40]}")
            if name == "style" and ("fixed" in target or "url(" in target.replace("url(#", "")):
                found.append(f"{tag}@style={target[:60]}")
        return found
