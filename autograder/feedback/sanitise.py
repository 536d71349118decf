"""What students wrote, made harmless before it meets a browser.

Three kinds of content come from a submission: text (messages, names, tracebacks), HTML (markdown cells, rich outputs)
and images. Text loses its control characters and is escaped by the template. HTML goes through nh3, which keeps tags
of text and tables and drops everything that runs, loads, submits, overlays or carries an id or class of ours. Images
are shown only as data URIs whose bytes are what they claim to be.

The page's content security policy forbids the same things once more, so that one mistake here is not enough.
"""

from __future__ import annotations

import base64
import binascii
import re

import nh3
from markupsafe import Markup, escape

MAX_TAGS = 10_000
MAX_MESSAGE = 2_000
MAX_IMAGE_BYTES = 2 * 1024 * 1024
MAX_IMAGE_PIXELS = 40_000_000

_TAGS = frozenset(
    """a abbr b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd
    li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr tt u ul var""".split()  # noqa: SIM905 - fifty quotes hide the names
)
_DROPPED_WITH_CONTENT = frozenset(
    """applet audio button canvas embed form frame frameset iframe math noembed noframes noscript object script select
    style svg template textarea title video xmp""".split()  # noqa: SIM905
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_LINK_SCHEMES = ("http://", "https://", "mailto:")
_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_DATA_URI = re.compile(r"data:(image/[a-z+]+);base64,(.*)", re.DOTALL)

# Colour and cursor codes of terminals: CSI sequences, OSC sequences (titles, links), and single-character escapes.
_TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Controls but tab and newline, bidirectional overrides (they let text pretend to stand elsewhere), lone surrogates.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_HEADING = re.compile(r"<(/?)h([1-6])>")


def plain_text(text: str) -> str:
    """Text without terminal codes and control characters; newlines and tabs stay."""
    return _CONTROLS.sub("", _TERMINAL_CODES.sub("", text.replace("\r\n", "\n")))


def terminal_text(text: str) -> str:
    """What a terminal would show in the end: of a line that a progress bar rewrote, its last state."""
    lines = _TERMINAL_CODES.sub("", text.replace("\r\n", "\n")).split("\n")
    return plain_text("\n".join(_last_state(line) for line in lines))


def _last_state(line: str) -> str:
    # Keras moves back with backspaces before it writes a progress bar anew; both mean "start of line" to a reader.
    states = [state for state in re.split(r"[\r\x08]+", line) if state]
    return states[-1] if states else ""


def safe_html(html: str) -> Markup:
    """A student's HTML as well-formed, inert HTML that cannot leave the box it is put in.

    Headings move two levels down, below the page's own. A fragment of more than `MAX_TAGS` tags is shown as text,
    since the time to clean deeply nested tags grows with the square of their number.
    """
    html = plain_text(html)
    if html.count("<") > MAX_TAGS:
        return Markup("<pre>{}</pre>").format(html)
    cleaned = nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags=set(_DROPPED_WITH_CONTENT),
        attributes=_ATTRIBUTES,
        attribute_filter=_keep_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(_HEADING.sub(_lower_heading, cleaned))  # noqa: S704 - this is the one place where cleaned HTML is trusted


def _keep_attribute(tag: str, attribute: str, value: str) -> str | None:
    if (tag, attribute) == ("img", "src"):
        match = _DATA_URI.fullmatch(value)
        return image_uri(match[1], match[2]) if match else None
    if attribute == "href":
        return value if value.lower().startswith(_LINK_SCHEMES) else None
    return value


def _lower_heading(match: re.Match[str]) -> str:
    return f"<{match[1]}h{min(int(match[2]) + 2, 6)}>"


def image_uri(media_type: str, encoded: str) -> str | None:
    """A data URI of a PNG, JPEG or SVG for use in an `<img>`, where no script of an SVG runs; None if it is not one.

    `encoded` is base64 for PNG and JPEG. For SVG it may also be the markup itself, as notebooks have it.
    """
    if media_type == "image/svg+xml" and encoded.lstrip().startswith("<"):
        data = plain_text(encoded).encode()
    else:
        if len(encoded) > MAX_IMAGE_BYTES * 3 // 2:
            return None
        try:
            data = base64.b64decode("".join(encoded.split()), validate=True)
        except (binascii.Error, ValueError):
            return None
    if len(data) > MAX_IMAGE_BYTES or not _is_image(media_type, data):
        return None
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _is_image(media_type: str, data: bytes) -> bool:
    if media_type == "image/svg+xml":
        return b"<svg" in data[:4096]
    magic = _MAGIC.get(media_type)
    if magic is None or not data.startswith(magic):
        return False
    if media_type == "image/png":
        # A few kilobytes of PNG can unpack to gigabytes; the size stands in the first chunk.
        width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
        return 0 < width * height <= MAX_IMAGE_PIXELS
    return True


def prose(text: str) -> Markup:
    """A message as HTML: escaped, `backticks` as code, and never longer than a reader would read."""
    text = shorten(plain_text(text), MAX_MESSAGE)
    parts = re.split(r"`([^`\n]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts)
    )


def shorten(text: str, limit: int) -> str:
    """The text, or its beginning with a note of how much was left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n… {len(text) - limit:,} more characters are not shown."
