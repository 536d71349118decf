"""The executed notebook as safe HTML: code highlighted, markdown rendered, outputs sanitised, everything bounded.

The notebook is a student's: any field of it may be of another type than the format says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from typing import Any, Final

import mistune
from markupsafe import Markup
from nbconvert.filters import Highlight2HTML

from autograder.feedback.sanitise import image_uri, plain_text, safe_html, shorten, terminal_text

MAX_CELLS: Final = 400
MAX_SOURCE: Final = 50_000
MAX_OUTPUT: Final = 100_000
MAX_OUTPUTS_PER_CELL: Final = 60
MAX_PAGE: Final = 12_000_000
MAX_PARSED: Final = 2_000_000
MAX_REMEMBERED: Final = 8_000

_IMAGE_TYPES: Final = ("image/png", "image/jpeg", "image/svg+xml")
# Not "ipython3": 50,000 stars in a row cost it half a minute, and it hands cells on to lexers of other languages.
_highlight = Highlight2HTML(pygments_lexer="python3")


def _inline_math(_renderer: object, text: str) -> str:
    """Formulas stay as their source: typesetting them would take a script, and the page has none."""
    return str(Markup("<code>{}</code>").format(text))


def _block_math(_renderer: object, text: str) -> str:
    return str(Markup("<pre>{}</pre>").format(text.strip("\n")))


@cache
def _markdown_renderer() -> mistune.Markdown:
    renderer = mistune.HTMLRenderer(escape=False)
    markdown = mistune.create_markdown(renderer=renderer, plugins=["table", "strikethrough", "math"])
    renderer.register("inline_math", _inline_math)
    renderer.register("block_math", _block_math)
    return markdown


@dataclass(frozen=True)
class Output:
    """One output: safe HTML, and whether it is what the cell complained about."""

    html: Markup
    is_error: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell as the page shows it. `grade_id` is empty for cells that nbgrader does not know."""

    number: int
    kind: str
    grade_id: str
    html: Markup
    outputs: tuple[Output, ...] = ()


@dataclass
class Budget:
    """What is left of the page: a notebook within every single bound can still be too much to open.

    `to_parse` counts characters that are highlighted, rendered or cleaned: some cost ten microseconds each, and what
    comes after the last of them is shown as plain text.
    """

    left: int = MAX_PAGE
    to_parse: int = MAX_PARSED

    def may_parse(self, text: str, limit: int = MAX_SOURCE) -> bool:
        """Whether a text is short enough to be parsed, and there is time left for it."""
        if len(text) > limit:
            return False
        self.to_parse -= len(text)
        return self.to_parse >= 0

    def take(self, render: Callable[[], Markup]) -> Markup:
        """The HTML, or a note in its place when the page is full; then it is not even made."""
        if self.left >= 0:
            html = render()
            self.left -= len(html)
            if self.left >= 0:
                return html
        return Markup("<p>Not shown: this page has reached its size limit.</p>")


@dataclass
class NotebookPage:
    """Turns a notebook's cells into safe HTML."""

    budget: Budget = field(default_factory=Budget)

    def cells(self, notebook: Mapping[str, Any]) -> tuple[Cell, ...]:
        """The cells in order, at most `MAX_CELLS`; a last cell says how many are not shown."""
        cells = [cell for cell in _list(notebook.get("cells")) if isinstance(cell, Mapping)]
        shown = [self._cell(number, cell) for number, cell in enumerate(cells[:MAX_CELLS])]
        if len(cells) > MAX_CELLS:
            note = Markup("<p>{} more cells are not shown.</p>").format(len(cells) - MAX_CELLS)
            shown.append(Cell(number=MAX_CELLS, kind="markdown", grade_id="", html=note))
        return tuple(shown)

    def _cell(self, number: int, cell: Mapping[str, Any]) -> Cell:
        kind = cell.get("cell_type")
        source = plain_text(_text(cell.get("source")))
        if kind == "code":
            outputs = tuple(self._outputs(_list(cell.get("outputs"))))
            return Cell(number, "code", _grade_id(cell), self.budget.take(partial(_code, source, self.budget)), outputs)
        render = partial(_markdown, source, self.budget) if kind == "markdown" else partial(_pre, source, MAX_SOURCE)
        return Cell(number, "markdown", _grade_id(cell), self.budget.take(render))

    def _outputs(self, outputs: list[Any]) -> Iterator[Output]:
        readable = [output for output in outputs if isinstance(output, Mapping)]
        for output in readable[:MAX_OUTPUTS_PER_CELL]:
            html = self.budget.take(partial(_output, output, self.budget))
            if html:
                yield Output(html, is_error=output.get("output_type") == "error")
        if len(readable) > MAX_OUTPUTS_PER_CELL:
            left = len(readable) - MAX_OUTPUTS_PER_CELL
            yield Output(Markup("<p>{} more outputs are not shown.</p>").format(left))


def _code(source: str, budget: Budget) -> Markup:
    if not budget.may_parse(source):
        return _pre(source, MAX_SOURCE)
    return _rendered(_highlighted, source)


def _highlighted(source: str) -> Markup:
    # The highlighter escapes the source; what it returns is cleaned of nothing, as its classes carry the colours.
    return Markup(_highlight(source))  # noqa: S704


def _rendered(render: Callable[[str], Markup], source: str) -> Markup:
    """Two thirds of a class's cells are as they were released: short ones are rendered once."""
    return _remembered(render, source) if len(source) <= MAX_REMEMBERED else render(source)


@lru_cache(maxsize=128)  # of at most 8,000 characters, of which each can become 24: 25 MB at worst
def _remembered(render: Callable[[str], Markup], source: str) -> Markup:
    return render(source)


def _markdown(source: str, budget: Budget) -> Markup:
    if not budget.may_parse(source):
        return _pre(source, MAX_SOURCE)
    return _rendered(_typeset, source)


def _typeset(source: str) -> Markup:
    try:
        html = _markdown_renderer()(source)
    except RecursionError:  # quotes in quotes in quotes
        return _pre(source, MAX_SOURCE)
    return safe_html(str(html))


def _output(output: Mapping[str, Any], budget: Budget) -> Markup:
    match output.get("output_type"):
        case "stream":
            return _pre(terminal_text(_text(output.get("text"))), MAX_OUTPUT)
        case "error":
            traceback = [_text(line) for line in _list(output.get("traceback"))]
            text = "\n".join(traceback) or f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
            return _pre(terminal_text(text), MAX_OUTPUT)
        case "display_data" | "execute_result":
            data = output.get("data")
            return _rich(data, budget) if isinstance(data, Mapping) else Markup()
        case _:
            return Markup()


def _rich(data: Mapping[str, Any], budget: Budget) -> Markup:
    """The richest form that can be shown safely."""
    plain = terminal_text(_text(data.get("text/plain")))
    for media_type in _IMAGE_TYPES:
        uri = image_uri(media_type, _text(data.get(media_type))) if media_type in data else None
        if uri:
            return Markup('<img src="{}" alt="{}">').format(uri, _alternative(plain))
    html = _text(data.get("text/html"))
    if html and budget.may_parse(html, MAX_OUTPUT * 3):
        safe = safe_html(html)
        if safe.striptags():
            return safe
    markdown = _text(data.get("text/markdown"))
    if markdown:
        return _markdown(plain_text(markdown), budget)
    if plain:
        return _pre(plain, MAX_OUTPUT)
    kinds = ", ".join(sorted(str(kind) for kind in data))[:200] or "nothing"
    return Markup("<p>An output that this page cannot show ({}).</p>").format(plain_text(kinds))


def _alternative(plain: str) -> str:
    return f"Picture made by this cell. {plain[:200]}".strip()


def _pre(text: str, limit: int) -> Markup:
    return Markup("<pre>{}</pre>").format(shorten(text, limit)) if text else Markup()


def _text(value: object) -> str:
    """Text fields of a notebook are a string or a list of strings."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _grade_id(cell: Mapping[str, Any]) -> str:
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    return _text(nbgrader.get("grade_id"))[:80] if isinstance(nbgrader, Mapping) else ""
