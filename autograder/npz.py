"""An `.npz` file as hostile bytes: exactly what a probe writes, and nothing else that a zip or a `.npy` could hold.

Probes store their members one behind the other, without compression, comments, extra fields or gaps. Whatever differs
from that is refused, so that there are no bombs, no overlapping members and no second way to read the same bytes;
arrays are views of the file, and nothing is allocated because a header says so.

Formats: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16; numpy.lib.format, version 1.0.
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.errors import EvidenceError

MAX_DIMENSIONS = 16
MAX_EMPTY = 10**6  # an array of shape (10**15, 0) holds nothing, and becomes 10**15 empty lists when it is shown

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MEMBER = re.compile(rb"tree\.json|a[0-9]{1,6}\.npy")
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '(?P<order>[<>|=])(?P<kind>[biufcmMU])(?P<size>[0-9]{1,9})(?P<unit>(?:\[[0-9A-Za-z]{1,12}\])?)', "
    rb"'fortran_order': (?P<fortran>True|False), 'shape': \((?P<shape>[0-9, ]{0,400})\), \} *\n"
)
_LAST_CHARACTER, _HALF_CHARACTERS, _REPLACEMENT = 0x10FFFF, (0xD800, 0xDFFF), 0xFFFD


def read_members(data: bytes, *, max_members: int) -> dict[str, memoryview]:
    """The members of an uncompressed zip file by name, as views of its bytes.

    Raises:
        EvidenceError: it is not laid out as a probe lays it out, or a checksum is wrong.
    """
    if len(data) < _END.size:
        raise EvidenceError(f"Evidence must be a zip file. Received: {len(data)} bytes")
    magic, disk, first_disk, here, count, size, start, comment = _END.unpack_from(data, len(data) - _END.size)
    if magic != b"PK\5\6" or disk or first_disk or comment or start + size + _END.size != len(data):
        raise EvidenceError("Evidence must be a zip file as a probe writes it. Received: another or no end record")
    if here != count or count > max_members:
        raise EvidenceError(f"Evidence is too large: at most {max_members} members are read. Received: {count}")
    members: dict[str, memoryview] = {}
    entry, local = start, 0
    for _ in range(count):
        name, content, local_end = _read_member(data, entry, local, start)
        if name in members:
            raise EvidenceError(f"A member of the evidence comes twice. Received: {name}")
        members[name] = content
        entry, local = entry + _ENTRY.size + len(name), local_end
    if local != start or entry != start + size:
        raise EvidenceError("Evidence must hold its members without gaps. Received: bytes that belong to no member")
    return members


def _read_member(data: bytes, entry: int, local: int, start: int) -> tuple[str, memoryview, int]:
    """One member by its entry in the directory: it must lie at `local`, before the directory's `start`."""
    if entry + _ENTRY.size > len(data) - _END.size or local + _LOCAL.size > start:
        raise EvidenceError("The evidence's directory is cut off. Received: more members announced than there are")
    magic, _, _, flags, method, _, _, crc, packed, size, named, extra, comment, disk, _, _, place = _ENTRY.unpack_from(
        data, entry
    )
    if magic != b"PK\1\2" or flags or method or packed != size or extra or comment or disk or place != local:
        raise EvidenceError(
            f"Evidence must be stored as a probe stores it: no compression, no extras, one member behind the other. "
            f"Received: method {method}, flags {flags}, a member at {place} where {local} was due"
        )
    name = data[entry + _ENTRY.size : entry + _ENTRY.size + named]
    if not _MEMBER.fullmatch(name):
        raise EvidenceError(f"Evidence has members of other names. Received: {name[:60]!r}")
    head = _LOCAL.unpack_from(data, local)
    begin = local + _LOCAL.size + named
    same = (head[0], *head[2:4], *head[6:]) == (b"PK\3\4", 0, 0, crc, size, size, named, 0)
    if not same or data[local + _LOCAL.size : begin] != name or begin + size > start:
        raise EvidenceError(f"A member and the evidence's directory disagree. Received: {name.decode()}")
    content = memoryview(data)[begin : begin + size]
    if zlib.crc32(content) != crc:
        raise EvidenceError(f"A member of the evidence is damaged. Received: a wrong checksum of {name.decode()}")
    return name.decode(), content, begin + size


def read_array(data: memoryview) -> NDArray[Any]:
    """One `.npy` member as an array of numbers, times or text in this machine's byte order; mostly a view.

    Truth values are 0 or 1 and text holds only characters that exist, whatever the bytes are; extended floats come as
    float64. NaN and infinities stay: checks look for them.

    Raises:
        EvidenceError: the header is not what NumPy writes for such an array, or does not fit the bytes that follow.
    """
    length = int.from_bytes(data[8:10], "little")
    header = _HEADER.fullmatch(data[10 : 10 + length]) if data[:8] == _MAGIC and len(data) >= 10 + length else None
    if header is None:
        raise EvidenceError(
            f"Arrays come as .npy version 1.0 with numbers, times or text. Received: {bytes(data[:80])!r}"
        )
    body = data[10 + length :]
    dtype = _dtype(header)
    shape = tuple(int(part) for part in header["shape"].split(b",") if part.strip())
    _expect_fit(shape, dtype, len(body))
    array: NDArray[Any] = np.frombuffer(body, _carrier(dtype)) if len(body) else np.empty(0, _carrier(dtype))
    return _sound(array, dtype).reshape(shape, order="F" if header["fortran"] == b"True" else "C")


def _dtype(header: re.Match[bytes]) -> np.dtype[Any]:
    text = b"".join(header.group("order", "kind", "size", "unit")).decode()
    try:
        dtype = np.dtype(text)
    except (TypeError, ValueError, OverflowError) as error:
        raise EvidenceError(f"Arrays hold numbers, times or text. Received: dtype {text}") from error
    if not dtype.itemsize or (dtype.kind == "b" and dtype.itemsize != 1):
        raise EvidenceError(f"Arrays hold something. Received: dtype {text}")
    return dtype


def _expect_fit(shape: tuple[int, ...], dtype: np.dtype[Any], size: int) -> None:
    if (
        len(shape) > MAX_DIMENSIONS
        or math.prod(shape) * dtype.itemsize != size
        or (not size and math.prod(max(length, 1) for length in shape) > MAX_EMPTY)
    ):
        raise EvidenceError(f"An array's header does not fit its bytes. Received: shape {shape!s:.80}, {size} bytes")


def _carrier(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype under which any bytes are valid: numbers of characters instead of text, bytes instead of truth."""
    if dtype.kind == "U":
        return np.dtype(np.uint32).newbyteorder(dtype.byteorder)
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype


def _sound(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    if dtype.kind == "b":
        return native.astype(np.bool_)
    if dtype.kind == "U":
        if native.size and native.max() > _LAST_CHARACTER:
            raise EvidenceError(f"Text holds characters that do not exist. Received: number {native.max()}")
        half = (native >= _HALF_CHARACTERS[0]) & (native <= _HALF_CHARACTERS[1])
        whole = np.where(half, np.uint32(_REPLACEMENT), native) if half.any() else native
        return whole.view(f"U{dtype.itemsize // 4}")
    if dtype.kind in "fc" and dtype.itemsize > (8 if dtype.kind == "f" else 16):
        with np.errstate(all="ignore"):
            return native.astype(np.float64 if dtype.kind == "f" else np.complex128)
    return native
