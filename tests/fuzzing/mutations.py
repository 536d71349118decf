"""How valid files are damaged: edits of bytes that know the format's own words, and edits of JSON values."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def bounded(examples: int) -> Callable[[Any], Any]:
    """The same examples on every machine, no more than these, and none remembered."""
    return settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=SLOW_IS_FINE
    )


class Reach:
    """How far the examples of a test came: fuzzing that never gets past the door proves nothing."""

    def __init__(self) -> None:
        self.places: Counter[str] = Counter()

    def __call__(self, place: str) -> None:
        self.places[place] += 1

    def expect(self, **shares: float) -> None:
        """At least these shares of all examples came to the places of these names."""
        total = self.places.total()
        found = {place: self.places[place] / total for place in shares}
        assert all(found[place] >= least for place, least in shares.items()), dict(self.places)


@st.composite
def edited(draw: st.DrawFn, content: bytes, words: Sequence[bytes] = (b"\0", b"\xff"), most: int = 4) -> bytes:
    """Bytes with a few edits: overwritten, cut out, doubled, cut off, or with a word of the format in their place."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, most))):
        begin = draw(st.integers(0, max(len(data) - 1, 0)))
        end = min(len(data), begin + draw(st.sampled_from([1, 1, 2, 4, 8, 40])))
        match draw(st.sampled_from(["byte", "word", "insert", "cut", "double", "bit", "end"])):
            case "byte":
                data[begin:end] = draw(st.binary(min_size=end - begin, max_size=end - begin))
            case "word":
                data[begin:end] = draw(st.sampled_from(words))
            case "insert":
                data[begin:begin] = draw(st.sampled_from(words))
            case "cut":
                del data[begin:end]
            case "double":
                data[end:end] = data[begin:end]
            case "bit" if data:
                data[begin] ^= 1 << draw(st.integers(0, 7))
            case "end" if draw(st.booleans()):
                del data[begin:]
    return bytes(data)


odd_numbers = st.sampled_from(
    [0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 10**400, 1e308, -1e-320, float("nan"), float("inf"), float("-inf"), 0.5]
)
odd_texts = st.one_of(
    st.text(max_size=8),
    st.integers(19_999, 20_001).map(lambda length: "x" * length),
    st.sampled_from(["", "\0", "\ud800", "a\udfffb", "\u202e", "../..", "/etc/passwd", "<script>", "\x1b[2J", "nan"]),
)
odd_values = st.recursive(
    st.none() | st.booleans() | odd_numbers | odd_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: Sequence[Any] = ()
    if isinstance(value, dict):
        inner = list(value)
    elif isinstance(value, list):
        inner = range(len(value))
    return [path, *(place for key in inner for place in _places(value[key], (*path, key)))]


@st.composite
def altered(draw: st.DrawFn, document: Any, values: st.SearchStrategy[Any] = odd_values, most: int = 4) -> Any:
    """A JSON value with a few of its parts replaced, left out, doubled or exchanged."""
    result = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, most))):
        places = _places(result)[1:]
        if not places:
            return copy.deepcopy(draw(values))
        *way, last = draw(st.sampled_from(places))
        home = result
        for key in way:
            home = home[key]
        match draw(st.sampled_from(["replace", "replace", "remove", "double", "exchange", "add"])):
            case "replace":
                home[last] = copy.deepcopy(draw(values))
            case "remove":
                del home[last]
            case "double" if isinstance(home, list):
                home.insert(last, copy.deepcopy(home[last]))
            case "exchange" if isinstance(home, list):
                other = draw(st.integers(0, len(home) - 1))
                home[last], home[other] = home[other], home[last]
            case "add" if isinstance(home, dict):
                home[draw(odd_texts)] = copy.deepcopy(draw(values))
    return result


def as_json(value: Any) -> bytes:
    """JSON as Python writes it, with NaN, and with half characters as escapes."""
    return json.dumps(value).encode()


JSON_WORDS = (b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"null", b"NaN", b"-Infinity", b"1e999", b"9" * 500)
JSON_WORDS += (
    b'"\\ud800"',
    b"[" * 300,
    b'{"a":' * 300,
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"true",
    b"-1",
    b'""',
    b"\r\n",
)
