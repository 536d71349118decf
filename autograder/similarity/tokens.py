"""From cells to tokens that say how a program works, and not how its author names and lays out things.

A lexer of one regular expression, because what students hand in need not be Python: `tokenize` of the standard library
stops at the first error, and cuts f-strings differently from one Python to the next. This one reads whatever comes, in
time that grows with its length, and leaves out what does not matter:

- white space, line breaks, comments, docstrings, trailing commas, lines of IPython (`%`, `!`, `?`)
- numbers, which all become `0`, and strings, which all become `''`, f-strings with what stands in them
- names that the author could have chosen otherwise, which all become `n`

Kept are keywords and builtins, what the release imports or defines, and names after a dot: a copy can rename `window`
and `make_pairs`, but not `keras.layers.GRU` or `.reshape`. A method or attribute that the notebook itself defines is
its author's again, and so is a variable that bears the name of a keyword argument.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

MAX_CELL_CHARACTERS = 200_000
MAX_LINE_CHARACTERS = 2_000  # a longer line is data, not a program
MAX_TOKENS = 50_000  # of all cells of a submission

PYTHON = frozenset({*keyword.kwlist, *dir(builtins)})

_LEXEME = re.compile(
    r"""
      (?P<space>(?:[^\S\n]|\\\n|\#[^\n]*+)++)
    | (?P<end>\n)
    | (?P<string>[bBfFrRtTuU]{0,2}(?:'''(?:[^'\\]|\\.|'(?!''))*+(?:'''|\Z) | \"""(?:[^"\\]|\\.|"(?!""))*+(?:\"""|\Z)
        | '(?:[^'\\\n]|\\.)*+(?:'|$) | "(?:[^"\\\n]|\\.)*+(?:"|$)))
    | (?P<number>(?:\d[\w.]*+|\.\d[\w.]*+)(?:(?<=[eE])[+-]\d[\w]*+)?)
    | (?P<name>[^\W\d]\w*+)
    | (?P<sign>\*\*=?|//=?|>>=?|<<=?|->|:=|\.\.\.|[-+*/%&|^@=<>!]=|.)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_MAGIC = re.compile(r"[%!?][^\n]*")
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


class Token(NamedTuple):
    """One token: its text, normalised or not yet, and the line of the cell that it begins on, from 1."""

    kind: str
    text: str
    line: int


def lex(source: str) -> list[Token]:
    """The tokens of a cell, names, numbers and strings as they are written; of any text, `MAX_TOKENS` + 1 at most."""
    tokens: list[Token] = []
    source, line, depth, place = _bounded(source), 1, 0, 0
    while place < len(source) and len(tokens) <= MAX_TOKENS:
        fresh = depth == 0 and (not tokens or tokens[-1].kind == "end")
        found = (_MAGIC.match(source, place) if fresh else None) or _LEXEME.match(source, place)
        assert found is not None  # the last alternative takes any character
        kind, text, place = found.lastgroup, found.group(), found.end()
        if kind == "sign":
            depth = depth + 1 if text in _OPEN else max(depth - 1, 0) if text in _CLOSE else depth
        if kind == "end" or (kind == "sign" and text == ";"):
            _end_statement(tokens, line, inside=depth > 0)
        elif kind == "string" and tokens and tokens[-1].kind == "string":
            pass  # strings side by side are one
        elif kind not in {"space", None}:
            assert kind is not None
            if text in _CLOSE and tokens and tokens[-1].text == ",":
                tokens.pop()
            tokens.append(Token(kind, text, line))
        line += text.count("\n")
    _end_statement(tokens, line, inside=False)
    return [token for token in tokens if token.kind != "end"]


def _end_statement(tokens: list[Token], line: int, *, inside: bool) -> None:
    """Note the end of a statement; one that is only a string is a docstring or a comment, and goes."""
    if inside or not tokens or tokens[-1].kind == "end":
        return
    if tokens[-1].kind == "string" and (len(tokens) == 1 or tokens[-2].kind == "end"):
        tokens.pop()
    else:
        tokens.append(Token("end", "", line))


def _bounded(source: str) -> str:
    """The source with lines that are too long emptied, so that numbers of lines stay; cut where it is too long."""
    lines = source[:MAX_CELL_CHARACTERS].split("\n")
    return "\n".join("" if len(line) > MAX_LINE_CHARACTERS else line for line in lines)


def normalise(cells: Sequence[Sequence[Token]], kept: Collection[str]) -> list[list[Token]]:
    """The cells of one notebook with all that its author chose replaced.

    Args:
        cells: as `lex` gives them.
        kept: names of the release, which everybody has.
    """
    own = set().union(*(_own_members(cell) for cell in cells)) - PYTHON if cells else set()
    return [[_normal(cell, index, kept, own) for index in range(len(cell))] for cell in cells]


def _own_members(cell: Sequence[Token]) -> Iterable[str]:
    """Names that are defined (`def NAME`), or assigned after a dot (`.NAME =`)."""
    edge = Token("end", "", 0)
    for before, token, after in zip([edge, *cell], cell, [*cell[1:], edge], strict=False):
        if token.kind == "name" and (before.text == "def" or (before.text == "." and after.text in {"=", ":"})):
            yield token.text


def _normal(cell: Sequence[Token], index: int, kept: Collection[str], own: Collection[str]) -> Token:
    token = cell[index]
    if token.kind == "number":
        return token._replace(text="0")
    if token.kind == "string":
        return token._replace(text="''")
    if token.kind != "name":
        return token
    before = cell[index - 1].text if index else ""
    common = token.text not in own if before == "." else token.text in PYTHON or token.text in kept
    return token if common else token._replace(text="n")
