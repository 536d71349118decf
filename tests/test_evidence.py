"""Evidence files: what goes in comes out, and hostile bytes end as one EvidenceError."""

import io
import json
import os
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest

from autograder.errors import EvidenceError
from autograder.evidence import Other, Raised, decode, encode, read_evidence


def archive(tree, compression=zipfile.ZIP_STORED, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr("tree.json", tree if isinstance(tree, (str, bytes)) else json.dumps(tree))
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def test_values_come_back_as_they_were():
    frame = pd.DataFrame(
        {"T (degC)": np.float32([1, 2]), "n": [3, 4]}, index=pd.date_range("2009-01-01", periods=2, freq="10min")
    )
    values = {
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "empty": np.zeros((0, 432, 14), np.float32),
        "scalar": np.float32(1.5),
        "frame": frame,
        "nested": {"list": [1, None, "text", True], "bytes": b"\x00\xff"},
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    back = decode(encode(values))
    np.testing.assert_array_equal(back["array"], values["array"])
    assert back["array"].dtype == np.float32
    assert back["empty"].shape == (0, 432, 14)
    assert back["scalar"] == 1.5
    pd.testing.assert_frame_equal(back["frame"], frame, check_freq=False, check_index_type=False)
    assert back["nested"] == values["nested"]
    np.testing.assert_array_equal(back["fortran"], values["fortran"])


def test_exceptions_and_unknown_objects_are_shown():
    raised = {"name": "ValueError", "message": "no", "function": "f", "line": 3, "source": "g()"}
    back = decode(archive({"a": {"$raised": raised}, "b": {"$other": {"type": "x.Y", "repr": "<Y>"}}}))
    assert back["a"] == Raised("ValueError", "no", "f", 3, "g()")
    assert str(back["a"]) == "ValueError: no (in f, line 3: `g()`)"
    assert back["b"] == Other("x.Y", "<Y>")


def test_a_probe_cannot_be_given_just_anything():
    with pytest.raises(EvidenceError, match="cannot be given a object"):
        encode({"x": object()})


HUGE_HEADER = (
    b"\x93NUMPY\x01\x00"
    + struct.pack("<H", 118)
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
    + b"\n"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a zip",
        archive("not json"),
        archive("[]"),
        archive("[" * 100_000),
        archive({"a": json.loads("[" * 60 + "]" * 60)}),
        archive({"a": {"$array": "missing.npy"}}),
        archive({"a": {"$array": "../../etc/passwd"}}),
        archive({"a": {"$array": ["a0.npy"]}}),
        archive({"a": {"$unknown": 1}}),
        archive({"a": {"x": 1, "y": 2}}),
        archive({"a": {"$frame": {}}}),
        archive({"a": {"$series": 5}}),
        archive({"a": {"$raised": []}}),
        archive({"a": {"$array": "a0.npy"}}, a0=npy(np.array([object()], dtype=object))),
        archive({"a": {"$array": "a0.npy"}}, a0=npy(np.zeros(2, [("x", "i4")]))),
        archive({"a": {"$array": "a0.npy"}}, a0=HUGE_HEADER),
        archive({"a": {"$array": "a0.npy"}}, a0=npy(np.arange(4))[:-8]),
        archive({"a": {"$array": "a0.npy"}}, a0=b"\x93NUMPY\x03\x00junk"),
    ],
    ids=range(19),
)
def test_hostile_bytes_end_as_one_error(data):
    with pytest.raises(EvidenceError):
        decode(data)


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    """Nothing that is compressed is read: probes compress nothing."""
    with pytest.raises(EvidenceError, match="no compression.*Received: method 8"):
        decode(archive({"a": {"$array": "a0.npy"}}, zipfile.ZIP_DEFLATED, a0=bytes(50 * 2**20)))


def test_more_bytes_than_allowed_are_refused():
    with pytest.raises(EvidenceError, match="at most 100 bytes are read. Received: 185 bytes"):
        decode(archive({"a": "x" * 60}), max_bytes=100)


def test_what_is_read_costs_what_is_there():
    """An array is handed out once, columns are counted: references cannot multiply what a small file makes of memory."""
    with pytest.raises(EvidenceError, match="not there, or twice. Received: 'a0.npy'"):
        decode(archive({"a": [{"$array": "a0.npy"}, {"$array": "a0.npy"}]}, a0=npy(np.zeros(3))))
    empty = {"$frame": {"columns": [], "arrays": [], "index": [], "datetime": False}}
    with pytest.raises(EvidenceError, match="4000 columns together"):
        decode(archive({"a": [empty] * 4001}))
    wide = {"$frame": {"columns": ["x"] * 4001, "arrays": [[]] * 4001, "index": [], "datetime": False}}
    with pytest.raises(EvidenceError, match="4000 columns together"):
        decode(archive({"a": wide}))


def test_text_is_whole_and_bounded():
    """Half a character would make a report that no file can hold; a long text one that nobody can open."""
    tree = {
        "half": "a\ud800b",
        "long": "x" * 30_000,
        "raised": {"$raised": {"name": "E\udfff", "message": "m" * 5000, "line": "3"}},
        "other": {"$other": {"type": "t" * 999, "repr": "r" * 999}},
    }
    back = decode(archive(tree))
    assert back["half"] == "a?b"
    assert len(back["long"]) == 20_000
    assert back["raised"].name == "E?"
    assert (len(back["raised"].message), back["raised"].line) == (1000, None)
    assert (len(back["other"].type), len(back["other"].repr)) == (200, 500)


def test_numbers_that_are_not_finite_come_through_as_what_they_are():
    tree = '{"nan": NaN, "inf": -Infinity, "large": 1e999, "whole": ' + "9" * 400 + ', "a": {"$array": "a0.npy"}}'
    back = decode(archive(tree, a0=npy(np.array([np.nan, np.inf]))))
    assert np.isnan(back["nan"])
    assert (back["inf"], back["large"]) == (-np.inf, np.inf)
    assert back["whole"] == int("9" * 400)
    np.testing.assert_array_equal(back["a"], [np.nan, np.inf])


def test_links_pipes_folders_and_large_files_are_refused(tmp_path):
    (tmp_path / "real.npz").write_bytes(encode({"a": 1}))
    (tmp_path / "link.npz").symlink_to(tmp_path / "real.npz")
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "folder.npz").mkdir()
    for name in ("link.npz", "pipe.npz", "folder.npz", "absent.npz"):
        with pytest.raises(EvidenceError, match=name):
            read_evidence(tmp_path / name)
    with pytest.raises(EvidenceError, match="real.npz is too large: 10 bytes are allowed. Received: 124 bytes"):
        read_evidence(tmp_path / "real.npz", max_bytes=10)
    assert read_evidence(tmp_path / "real.npz") == {"a": 1}
