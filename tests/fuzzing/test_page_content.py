"""What students write, made into pages: nothing of it runs, loads, submits or leaves its box, and nothing takes long.

Takes about fifteen seconds of one core.
"""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import nbformat
import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.feedback import sanitise
from autograder.feedback.notebook_page import NotebookPage
from autograder.feedback.sanitise import image_uri, plain_text, prose, safe_html, terminal_text
from tests.feedback.hostile_pages import ATTACKS
from tests.feedback.page_audit import Audit
from tests.fuzzing.mutations import Reach, altered, bounded, edited, odd_values

ELSEWHERE = "http://elsewhere.example/x"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (64).to_bytes(4) + (48).to_bytes(4) + b"\x08\x02"
TAGS = """a abbr base body button div details em embed form frameset h1 h6 head html iframe img input link math meta mglyph
    mtext noscript object p plaintext pre script select span style svg table td template textarea title tr video xmp
    annotation-xml foreignObject animate set use image x-custom""".split()  # noqa: SIM905 - quotes hide the names
ATTRIBUTES = """href src srcset style id class onclick onerror onload onfocus onmouseover autofocus action formaction data
    xlink:href poster background name target srcdoc http-equiv content title alt colspan start ping is slot""".split()  # noqa: SIM905
URLS = [
    ELSEWHERE, "//elsewhere.example/x", "javascript:alert(1)", "JaVa\tScRiPt:alert(1)", "&#106;avascript:alert(1)", "#main",
    "java\nscript:alert(1)", "data:text/html,<script>alert(1)</script>", "data:image/svg+xml,<svg onload=alert(1)>", "../x",
    "vbscript:x", "file:///etc/passwd", "https:elsewhere.example", "\\\\elsewhere.example\\x", "ftp://elsewhere.example",
    "data:image/png;base64," + base64.b64encode(PNG).decode(), "\x01javascript:alert(1)", "mailto:a@b", "blob:x", "about:blank",
]  # fmt: skip
SCRAPS = [
    "<!--", "-->", "--!>", "<![CDATA[", "]]>", "<?", "</", "/>", ">", "<", '"', "'", "`", "=", "&", "&lt;script&gt;", "&#0;", "\0",
    "\ud800", "\u202e", "\x1b[31m", "\n", "\f", "{{7*7}}", "{% x %}", "<scr", "ipt>", "<img src=x onerror=alert(1)//", "</style>",
    "url(http://elsewhere.example/x)", "@import 'http://elsewhere.example/x'", "expression(alert(1))", "position:fixed", "\N{KELVIN SIGN}",
]  # fmt: skip
quotes = st.sampled_from(['"', "'", "", "`"])
attributes = st.builds(
    lambda name, quote, value, gap: f"{gap}{name}={quote}{value}{quote}",
    st.sampled_from(ATTRIBUTES), quotes, st.sampled_from(URLS) | st.text(max_size=5), st.sampled_from([" ", "/", "\n", "\f", ""]),
)  # fmt: skip
opening = st.builds(
    lambda tag, rest, end: f"<{tag}{''.join(rest)}{end}",
    st.sampled_from(TAGS), st.lists(attributes, max_size=3), st.sampled_from([">", "/>", ">>", ""]),
)  # fmt: skip
closing = st.sampled_from(TAGS).map("</{}>".format)
nasty_html = st.lists(
    opening | opening | closing | st.sampled_from(SCRAPS) | st.sampled_from(ATTACKS) | st.text(max_size=6), max_size=12
).map("".join)
nasty_markdown = st.lists(
    nasty_html
    | st.sampled_from(["# ", "> ", "* ", "\n\n", "    ", "```\n", "~~~html\n", "$$", "$", "| a | b |\n|---|---|\n", "\\", "<" + ELSEWHERE + ">"])
    | st.sampled_from(URLS).map("[x]({})".format)
    | st.sampled_from(URLS).map("![x]({} 'y')".format)
    | st.sampled_from(URLS).map("[x]: {}\n[x]".format),
    max_size=8,
).map("".join)  # fmt: skip


def expect_inert(html: str, source: str) -> None:
    """As a tokenizer and as a browser's own parser read it."""
    page = Audit(html)
    assert page.dangers == [], source
    assert page.problems == [], source
    assert set(page.tags) <= sanitise._TAGS, source
    assert not {name for _, name, _ in page.attributes} & {"id", "class", "style"}, source
    for tag, name, value in page.attributes:
        # A link to elsewhere waits for a click; everything that loads by itself is inside the page.
        assert tag == "a" or "elsewhere" not in value or name in {"alt", "title"}, source
        if tag == "a" and name == "href":
            assert value.lower().startswith(("http://", "https://", "mailto:")), source
    # What a browser makes of it is what was meant: parsing it again changes nothing (no mutation into something else).
    again = nh3.clean(
        html,
        tags=set(sanitise._TAGS),
        clean_content_tags=set(sanitise._DROPPED_WITH_CONTENT),
        attributes=sanitise._ATTRIBUTES,
        attribute_filter=sanitise._keep_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer nofollow",
    )
    assert as_read(again) == as_read(html), source


def as_read(html: str) -> str:
    """Without what no reader sees: how quotes and hard spaces are spelled, and line breaks at the start of a block."""
    spelled = html.replace("&#39;", "'").replace("&#34;", '"').replace("&nbsp;", "\xa0")
    return re.sub("<pre>\n+", "<pre>", spelled)


def test_html() -> None:
    reach = Reach()

    @bounded(500)
    @given(html=nasty_html)
    def attempt(html: str) -> None:
        cleaned = str(safe_html(html))
        expect_inert(cleaned, html)
        reach("kept some" if "<" in cleaned else "text alone")

    attempt()
    reach.expect(**{"kept some": 0.2})


def test_damaged_attacks() -> None:
    """Half an attack may be completed by the cleaning itself."""

    @bounded(300)
    @given(
        data=st.sampled_from(ATTACKS).flatmap(
            lambda attack: edited(attack.encode(), [scrap.encode(errors="replace") for scrap in SCRAPS])
        )
    )
    def attempt(data: bytes) -> None:
        html = data.decode(errors="replace")
        expect_inert(str(safe_html(html)), html)

    attempt()


def test_markdown_and_outputs() -> None:
    """All ways by which a notebook's text becomes HTML on the page."""
    reach = Reach()
    new = nbformat.v4

    @bounded(150)
    @given(text=nasty_markdown)
    def attempt(text: str) -> None:
        data = {"text/html": text, "text/markdown": text, "text/plain": text, "image/svg+xml": text}
        outputs = [new.output_from_msg({"header": {"msg_type": "stream"}, "content": {"name": "stdout", "text": text}})]
        for kind, content in data.items():
            outputs += [nbformat.from_dict({"output_type": "display_data", "data": {kind: content}, "metadata": {}})]
        outputs.append(nbformat.from_dict({"output_type": "error", "ename": text, "evalue": text, "traceback": [text]}))
        notebook = {
            "cells": [
                {"cell_type": "markdown", "source": text},
                {"cell_type": "code", "source": text, "outputs": outputs},
            ]
        }
        shown_text, shown_code = NotebookPage().cells(notebook)
        expect_inert(str(shown_text.html), text)
        for output in shown_code.outputs:
            expect_inert(str(output.html), text)
        # The highlighter's own classes carry the colours; the student's text in it is escaped.
        page = Audit(str(shown_code.html))
        assert page.dangers == []
        assert set(page.tags) <= {"div", "pre", "span"}
        assert {name for _, name, _ in page.attributes} <= {"class"}
        reach("kept some" if "<" in str(shown_text.html) else "nothing")

    attempt()
    reach.expect(**{"kept some": 0.5})


def test_any_notebook_is_shown() -> None:
    """Fields of any type: cells, sources, outputs, pictures."""
    base = {
        "cells": [
            {"cell_type": "markdown", "source": ["a", "b"], "metadata": {"nbgrader": {"grade_id": "x"}}},
            {
                "cell_type": "code",
                "source": "x = 1",
                "outputs": [
                    {"output_type": "stream", "text": ["a"]},
                    {"output_type": "error", "traceback": ["a"], "ename": "E", "evalue": "v"},
                    {
                        "output_type": "display_data",
                        "data": {"image/png": base64.b64encode(PNG).decode(), "text/plain": "p"},
                    },
                    {"output_type": "execute_result", "data": {"text/html": "<b>x</b>", "image/svg+xml": "<svg/>"}},
                ],
            },
        ]
    }

    @bounded(300)
    @given(notebook=altered(base, odd_values | st.sampled_from(ATTACKS), most=5))
    def attempt(notebook: Any) -> None:
        if not isinstance(notebook, dict):
            return
        for cell in NotebookPage().cells(notebook):
            for html in (cell.html, *(output.html for output in cell.outputs)):
                str(html).encode()
                assert Audit(str(html)).dangers == []

    attempt()


def test_text_is_text() -> None:
    """Names, messages and what a terminal showed: no controls, no markup of their own."""

    @bounded(300)
    @given(text=st.lists(st.sampled_from(SCRAPS) | st.text(max_size=10), max_size=8).map("".join))
    def attempt(text: str) -> None:
        for shown in (plain_text(text), terminal_text(text)):
            shown.encode()
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
        page = Audit(str(prose(text)))
        assert set(page.tags) <= {"code"}
        assert page.attributes == page.problems == []

    attempt()


def test_images_are_data_of_the_page() -> None:
    """Whatever claims to be a picture: a data URI of base64 that cannot leave its attribute, or nothing."""
    reach = Reach()
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    valid = [("image/png", base64.b64encode(PNG).decode()), ("image/svg+xml", svg)]
    valid.append(("image/jpeg", base64.b64encode(b"\xff\xd8\xff\xe0").decode()))

    @bounded(300)
    @given(data=st.data())
    def attempt(data: st.DataObject) -> None:
        kind, content = data.draw(st.sampled_from(valid))
        damaged = data.draw(
            st.just(content.encode()) | edited(content.encode(), [b'"', b"'", b">", b"\n", b"=", b"\xc3\xa9"])
        )
        kind = data.draw(st.sampled_from([kind, "image/gif", "text/html", kind + '" onerror="x']))
        uri = image_uri(kind, damaged.decode(errors="replace"))
        assert uri is None or re.fullmatch(r"data:image/(png|jpeg|svg\+xml);base64,[A-Za-z0-9+/]*=*", uri)
        reach("refused" if uri is None else "shown")

    attempt()
    reach.expect(refused=0.2, shown=0.1)


PIECES = ["[", "*a_", "`", "![", "](", "<a ", "&", "**", "*", "_", "~~", "| a ", "$a", "> ", "- ", "1. ", "<!--", "[a]: ", "\\", "..", "%",
          "a.", "'", '"', "{", "f'{", "x\n\n", "\t", "http://", "<div>", "</b>", "\x1b[", "\x1b]", "\r", "&#", "$$\n", "%%ruby\n"]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_no_cell_costs_more_than_a_few_seconds(piece: str) -> None:
    """Text made to be slow: highlighting 50,000 stars in a row once took half a minute."""
    text = piece * (50_000 // len(piece))
    outputs = [{"output_type": "stream", "text": text}, {"output_type": "display_data", "data": {"text/html": text}}]
    cells = [{"cell_type": "markdown", "source": text}, {"cell_type": "code", "source": text, "outputs": outputs}]
    start = time.perf_counter()
    NotebookPage().cells({"cells": cells})
    assert time.perf_counter() - start < 6


@pytest.mark.parametrize("kind", ["code", "html"])
def test_what_a_page_cannot_show_is_not_parsed(kind: str) -> None:
    """A notebook within every single bound: behind two million characters comes plain text, and then nothing."""
    slow = "[a" * 25_000
    output = {"output_type": "display_data", "data": {"text/html": "<b>" + slow, "text/plain": slow}}
    cell = {"cell_type": "code", "outputs": [output]} if kind == "html" else {"cell_type": kind, "source": slow}
    start = time.perf_counter()
    shown = NotebookPage().cells({"cells": [cell] * 400})
    assert time.perf_counter() - start < 40
    assert sum(len(part.html) + sum(len(output.html) for output in part.outputs) for part in shown) < 13_000_000
    last = shown[-1].outputs[-1].html if kind == "html" else shown[-1].html
    assert "reached its size limit" in last
