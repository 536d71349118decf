"""Evidence as hostile bytes: a value within its bounds or an EvidenceError, and checks that bear any such value.

Takes about fifteen seconds of one core.
"""

from __future__ import annotations

import io
import json
import math
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autograder import checks
from autograder.checks import Failure
from autograder.checks.values import shorten
from autograder.errors import AutograderError, EvidenceError
from autograder.evidence import MAX_DEPTH, MAX_TEXT, Other, Raised, decode, encode
from tests.fuzzing.mutations import JSON_WORDS, Reach, altered, as_json, bounded, edited, odd_numbers, odd_values

INDEX = pd.date_range("2009-01-01", periods=3, freq="10min")
VALUES = {
    "x": np.arange(6, dtype=np.float32).reshape(2, 3),
    "empty": np.zeros((0, 432, 14), np.float32),
    "nested": {"list": [1, None, "text", True, float("nan")], "bytes": b"\0\xff"},
    "frame": pd.DataFrame({"T": [1.0, 2.0, 3.0], "n": [1, 2, 3]}, index=INDEX),
    "text": np.array(["a", "größer"]),
    "times": INDEX.to_numpy(),
}
NPY_WORDS = (
    b"<f8",
    b">f4",
    b"|b1",
    b"|O",
    b"<U0",
    b"<M8[ns]",
    b"<c32",
    b"True",
    b"()",
    b"(0,",
    b"99999999999999999",
    b"-1",
)
NPY_WORDS += (
    b"'descr'",
    b"'shape'",
    b"\x93NUMPY\x02\x00",
    b"[('a', '<i4')]",
    b"\xff\xff",
    b"(" * 50,
    b", ",
    b"1_0",
    b"0x10",
)


def members_of(data: bytes) -> dict[str, bytes]:
    from zipfile import ZipFile

    with ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def packed(members: list[tuple[str, bytes]], **fields: int) -> bytes:
    """A zip file as a probe writes it, around any contents; `fields` overwrites what its directory says."""
    body, directory = b"", b""
    for name, content in members:
        place, crc, size = len(body), zlib.crc32(content), len(content)
        said = {"method": 0, "flags": 0, "crc": crc, "packed": size, "size": size, "place": place, "extra": 0} | fields
        tail = (said["crc"] & 0xFFFFFFFF, said["packed"], said["size"], len(name.encode()), said["extra"])
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, said["flags"], said["method"], 0, 33, *tail)
        body += name.encode() + content
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, said["flags"], said["method"], 0, 33, *tail, 0, 0, 0, 0, said["place"]
        )
        directory += name.encode()
    count = fields.get("count", len(members))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def read(data: bytes, reach: Reach) -> dict[str, Any]:
    """Decode, and hold the result against its bounds."""
    try:
        values = decode(data)
    except EvidenceError as error:
        assert 0 < len(str(error)) < 600
        str(error).encode()
        reach("refused at the door" if str(error).startswith(DOOR) else "refused")
        return {}
    reach("read")
    for value in values.values():
        expect_bounded(value, 0)
    return values


def expect_bounded(value: Any, depth: int) -> None:
    assert depth <= MAX_DEPTH + 1
    match value:
        case str():
            assert len(value) <= MAX_TEXT
            value.encode()
        case list():
            for item in value:
                expect_bounded(item, depth + 1)
        case dict():
            for key, item in value.items():
                expect_bounded(key, depth)
                expect_bounded(item, depth + 1)
        case np.ndarray():
            assert value.dtype.kind in "biufcmMU"
            assert value.dtype.isnative
            assert math.prod(max(size, 1) for size in value.shape) <= max(10**6, value.size)
            str(value).encode()
        case pd.DataFrame() | pd.Series() | pd.DatetimeIndex():
            str(value.shape)
        case _:
            assert value is None or isinstance(value, (bool, int, float, bytes, Raised, Other))
            str(value).encode()


def examine(value: Any) -> None:
    """Every check of arrays, numbers, tables, histories, models and figures: it holds, or it is the student's failure."""
    wanted = np.array([[1.0, 2.0, 3.0]])

    def close() -> None:
        checks.expect_close(value, wanted, what="it")
        assert np.isfinite(np.asarray(value, dtype=np.float64)).all(), "NaN and infinities are close to nothing"

    attempts = [
        lambda: shorten(value),
        close,
        lambda: checks.expect_close(value, np.asarray(3.0), what="it"),
        lambda: checks.expect_shape(value, (None, 3), "it"),
        lambda: checks.expect_finite(value, "it"),
        lambda: checks.expect_dtype(value, "float32", "it"),
        lambda: checks.as_number(value, "it"),
        lambda: checks.as_list(value, "it"),
        lambda: checks.as_mapping(value, "it"),
        lambda: checks.has_moved(value, wanted),
        lambda: checks.expect_unmoved(value, value, "it"),
        lambda: checks.expect_same_frame(value, VALUES["frame"], "it"),
        lambda: checks.expect_unchanged(value, VALUES["frame"], "it"),
        lambda: checks.read_history(value, "it", ["loss"]) if isinstance(value, dict) else None,
        lambda: checks.observed_histories(value),
        lambda: checks.read_model(value, "it"),
        lambda: checks.read_figure(value, "it"),
    ]
    for attempt in attempts:
        try:
            attempt()
        except Failure as failure:
            assert len(failure.message) < 5000
            failure.message.encode()
        except AutograderError:
            pass


# What is said of a file before any of its arrays or nodes has been looked at.
DOOR = ("Evidence must", "Evidence has", "Evidence needs", "A member", "The evidence's directory")
DOOR += ("Evidence cannot be read: tree.json",)
VALID = encode(VALUES)
MEMBERS = members_of(VALID)
TREE = json.loads(MEMBERS["tree.json"])


def test_the_writer_of_these_tests_writes_what_probes_write():
    """Otherwise nothing below would get past the door."""
    values = decode(packed(list(MEMBERS.items())))
    assert sorted(values) == sorted(VALUES)
    for value in values.values():
        examine(value)


def test_damaged_files():
    """Any damage of a whole file: checksums and the layout refuse nearly all of it."""
    reach = Reach()

    @bounded(800)
    @given(
        data=edited(VALID, [*NPY_WORDS, b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", bytes(4), b"\xff" * 4])
    )
    def attempt(data: bytes) -> None:
        read(data, reach)

    attempt()
    reach.expect(**{"refused at the door": 0.5, "read": 0.005})


def test_damaged_members_behind_right_checksums():
    reach = Reach()

    @bounded(800)
    @given(data=st.data())
    def attempt(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(MEMBERS)))
        words = JSON_WORDS if name == "tree.json" else NPY_WORDS
        members = MEMBERS | {name: data.draw(edited(MEMBERS[name], words, most=1))}
        for value in read(packed(list(members.items())), reach).values():
            examine(value)

    attempt()
    reach.expect(read=0.04, refused=0.4)


def test_spliced_directories():
    """Members that come twice, under other names, compressed, overlapping, elsewhere, longer or shorter than said."""
    reach = Reach()
    names = st.sampled_from([*MEMBERS, "a99.npy", "../a0.npy", "/etc/passwd", "a0.npy/", "tree.json\0", "", "é"])
    number = st.sampled_from([0, 1, 8, 2**15, 2**16 - 1])
    large = number | st.sampled_from([2**31, 2**32 - 1, len(VALID)])
    fields = st.fixed_dictionaries(
        {}, optional={"method": number, "flags": number, "extra": number, "count": number}
    ) | st.fixed_dictionaries({}, optional={"crc": large, "packed": large, "size": large, "place": large})

    @bounded(500)
    @given(members=st.lists(st.tuples(names, st.sampled_from([*MEMBERS.values()])), max_size=12), fields=fields)
    def attempt(members: list[tuple[str, bytes]], fields: dict[str, int]) -> None:
        read(packed([("tree.json", MEMBERS["tree.json"]), *members], **fields), reach)

    attempt()
    reach.expect(**{"refused at the door": 0.5})


KINDS = ("$array", "$bytes", "$frame", "$series", "$raised", "$other", "$dict", "$none")
nodes = st.recursive(
    odd_values | st.sampled_from([{"$array": f"a{number}.npy"} for number in range(4)]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(lambda kind, value: {kind: value}, st.sampled_from(KINDS), inner)
        | st.builds(lambda value: {"$dict": value}, st.dictionaries(st.text(max_size=3), inner, max_size=3))
        | st.fixed_dictionaries({"columns": inner, "arrays": inner, "index": inner, "datetime": st.booleans()}).map(
            lambda value: {"$frame": value}
        )
    ),
    max_leaves=10,
)
arrays = npst.arrays(
    dtype=st.one_of(
        npst.boolean_dtypes(), npst.integer_dtypes(endianness="?"), npst.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
        npst.complex_number_dtypes(), npst.datetime64_dtypes(), npst.timedelta64_dtypes(), npst.unicode_string_dtypes(max_len=4),
        st.sampled_from([np.dtype(np.longdouble), np.dtype(np.clongdouble)]),
    ),
    shape=npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)  # fmt: skip


def test_any_tree_over_any_arrays():
    reach = Reach()

    @bounded(300)
    @given(
        tree=st.dictionaries(st.text(max_size=4), nodes, max_size=3) | altered(TREE, nodes),
        contents=st.lists(arrays, min_size=8, max_size=8),
    )
    def attempt(tree: Any, contents: list[np.ndarray]) -> None:
        members = [("tree.json", as_json(tree)), *((f"a{i}.npy", npy(array)) for i, array in enumerate(contents))]
        for value in read(packed(members), reach).values():
            examine(value)

    attempt()
    reach.expect(read=0.05, refused=0.3)


def test_any_array_and_any_number_is_borne_by_every_check():
    """NaN, infinities, empties, huge integers, other byte orders, text, times: a failure, never a crash, never a pass."""
    reach = Reach()

    @bounded(300)
    @given(array=arrays, numbers=st.lists(odd_numbers, max_size=4))
    def attempt(array: np.ndarray, numbers: list[Any]) -> None:
        tree = {"a": {"$array": "a0.npy"}, "numbers": numbers, "number": (numbers or [0])[0]}
        values = read(packed([("tree.json", as_json(tree)), ("a0.npy", npy(array))]), reach)
        for value in values.values():
            examine(value)

    attempt()
    reach.expect(read=0.99)


def test_headers_that_lie_allocate_nothing():
    """A few bytes that promise petabytes are refused in the memory that they take."""
    shapes = [
        "(10000000000000,)",
        "(10000000000000, 0)",
        "(0, 99999999999999)",
        "(1, 1000000000, 1000000000, 1000000000)",
    ]
    shapes += ["(-1,)", "(18446744073709551616,)", "(" + "1, " * 130 + ")", "(2, -3)", "(True,)", "(1.0,)"]
    for dtype in ("<f8", "|b1", "<U1000000", "<U0", "|V8", "|O", "|S3", "<M8[ns]", "('<f8', (99999,))"):
        for shape in shapes:
            header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
            member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
            data = packed([("tree.json", b'{"a": {"$array": "a0.npy"}}'), ("a0.npy", member)])
            tracemalloc.start()
            try:
                decode(data)
            except EvidenceError:
                pass
            else:
                raise AssertionError(header)
            finally:
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
            assert peak < 2**20


def test_the_largest_files_are_read_in_bounded_memory():
    """What a file makes of memory is a small multiple of its size, whatever it holds."""
    mebi = 2**20
    nested = b'{"a":[' + b'{"$dict":{"b":[]}},' * (mebi // 19) + b"0]}"
    texts = b'{"a":[' + b'"ab",' * (mebi // 5) + b"0]}"
    entries = packed([(f"a{number}.npy", b"") for number in range(4001)])
    many = entries[:-22] + struct.pack(
        "<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, *struct.unpack("<2L", entries[-10:-2]), 0
    )
    swapped = npy(np.zeros(mebi, ">f8"))
    for data in (
        packed([("tree.json", nested)]),
        packed([("tree.json", texts)]),
        entries,
        many,
        packed([("tree.json", b'{"a": {"$array": "a0.npy"}}'), ("a0.npy", swapped)]),
    ):
        tracemalloc.start()
        try:
            decode(data)
        except EvidenceError:
            pass
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 60 * max(len(data), mebi)
