"""Evidence files: what goes in comes out, and hostile bytes end as one EvidenceError."""

import io
import json
import os
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.errors import EvidenceError
from autograder.evidence import Other, Raised, decode, encode, read_evidence


def archive(tree, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
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
    with pytest.raises(EvidenceError, match="too large"):
        decode(archive({"a": {"$array": "a0.npy"}}, a0=bytes(50 * 2**20)), max_bytes=2**20)


def test_links_pipes_folders_and_large_files_are_refused(tmp_path):
    (tmp_path / "real.npz").write_bytes(encode({"a": 1}))
    (tmp_path / "link.npz").symlink_to(tmp_path / "real.npz")
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "folder.npz").mkdir()
    for name in ("link.npz", "pipe.npz", "folder.npz", "absent.npz"):
        with pytest.raises(EvidenceError, match=name):
            read_evidence(tmp_path / name)
    with pytest.raises(EvidenceError, match="may have 10 bytes"):
        read_evidence(tmp_path / "real.npz", max_bytes=10)
    assert read_evidence(tmp_path / "real.npz") == {"a": 1}


VALID = encode({"a": np.arange(12.0), "b": {"c": [1, "two"]}, "f": pd.DataFrame({"x": [1.0, 2.0]})})


@settings(max_examples=300, deadline=None)
@given(position=st.integers(0, len(VALID) - 1), replacement=st.binary(min_size=1, max_size=12))
def test_damaged_files_never_raise_anything_else(position, replacement):
    damaged = VALID[:position] + replacement + VALID[position + len(replacement) :]
    try:
        decode(damaged)
    except EvidenceError as error:
        assert str(error)


@settings(max_examples=200, deadline=None)
@given(
    tree=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["$array", "$frame", "$series", "$raised", "$other", "$dict", "$bytes", "index", "array", "name"]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
def test_any_tree_is_read_or_refused(tree):
    try:
        decode(archive({"a": tree}, a0=npy(np.arange(3))))
    except EvidenceError as error:
        assert str(error)
