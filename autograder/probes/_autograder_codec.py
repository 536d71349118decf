"""The kernel's half of the evidence format: write what a student's code returned, read what a probe is given.

See `autograder/evidence.py` for the format and for the other half, which trusts none of this.

The functions that are needed are taken here, before the first cell of the notebook: whoever shadows or patches `json`
or `np.asarray` later, by accident or not, does so for their own code.
"""

import io
import sys
from json import dumps, loads
from os import replace
from types import SimpleNamespace
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy import asarray
from numpy.lib.format import read_array, write_array

MAX_TEXT = 20_000
MAX_ITEMS = 50_000
MAX_DEPTH = 30


class TooLarge(ValueError):
    """A value is larger than evidence may be."""


def read(path):
    """What the probe is given, as a namespace."""
    with ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    tree = loads(contents.pop("tree.json"))
    arrays = {name: read_array(io.BytesIO(content), allow_pickle=False) for name, content in contents.items()}
    return SimpleNamespace(**{name: _decode(node, arrays) for name, node in tree.items()})


def _decode(node, arrays):
    if isinstance(node, list):
        return [_decode(item, arrays) for item in node]
    if not isinstance(node, dict):
        return node
    ((kind, value),) = node.items()
    if kind == "$dict":
        return {key: _decode(item, arrays) for key, item in value.items()}
    if kind == "$frame":
        import pandas as pd

        index = arrays[value["index"]]
        index = pd.DatetimeIndex(index.astype("datetime64[ns]")) if value["datetime"] else pd.Index(index)
        columns = [arrays[name] for name in value["arrays"]]
        if len({column.dtype for column in columns}) == 1:
            return pd.DataFrame(np.stack(columns, axis=1), index=index, columns=value["columns"])
        frame = pd.concat([pd.Series(column, index=index) for column in columns], axis=1)
        frame.columns = value["columns"]
        return frame
    array = arrays[value]
    return array.tobytes() if kind == "$bytes" else array


class Writer:
    """Collects values and writes them as one file; each value is bounded by what is left of `max_bytes`."""

    def __init__(self, max_bytes):
        self.arrays = []
        self.left = max_bytes

    def write(self, path, tree):
        """Write atomically: the file has its name only when it is whole."""
        temporary = f"{path}.part"
        with ZipFile(temporary, "w") as archive:
            archive.writestr(ZipInfo("tree.json"), dumps(tree))  # with no time: the same evidence has the same bytes
            for number, array in enumerate(self.arrays):
                member = io.BytesIO()
                write_array(member, array, version=(1, 0), allow_pickle=False)
                archive.writestr(ZipInfo(f"a{number}.npy"), member.getvalue())
        replace(temporary, path)

    def node(self, value, depth=0):
        """One value as a node of the tree; arrays are put aside."""
        if depth > MAX_DEPTH:
            raise TooLarge(f"the value is nested more than {MAX_DEPTH} levels deep")
        # Classes derived from these may answer with anything: the plain value within is what counts.
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int.__int__(value)
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, str):
            return str.__str__(value)[:MAX_TEXT]
        if isinstance(value, np.generic):
            return self.node(value.item() if value.dtype.kind in "biuf" else asarray(value), depth + 1)
        if isinstance(value, dict):
            if dict.__len__(value) > MAX_ITEMS:
                raise TooLarge(f"a dictionary has {dict.__len__(value)} entries, {MAX_ITEMS} are kept")
            return {"$dict": {str(key)[:200]: self.node(item, depth + 1) for key, item in dict.items(value)}}
        if isinstance(value, (list, tuple)):
            plain = list if isinstance(value, list) else tuple
            if plain.__len__(value) > MAX_ITEMS:
                raise TooLarge(f"a list has {plain.__len__(value)} items, {MAX_ITEMS} are kept")
            return [self.node(item, depth + 1) for item in plain.__iter__(value)]
        return self._table(value) or self._array_like(value)

    def _table(self, value):
        pandas = sys.modules.get("pandas")
        if pandas is None:
            return None
        if isinstance(value, pandas.DataFrame):
            columns = [self._column(value.iloc[:, position]) for position in range(value.shape[1])]
            names = [str(name)[:200] for name in value.columns]
            return {"$frame": {"columns": names, "arrays": columns, **self._index(value.index, pandas)}}
        if isinstance(value, pandas.Series):
            return {
                "$series": {
                    "array": self._column(value),
                    "name": None if value.name is None else str(value.name)[:200],
                    **self._index(value.index, pandas),
                }
            }
        return None

    def _index(self, index, pandas):
        if isinstance(index, pandas.DatetimeIndex):
            naive = index.tz_localize(None) if index.tz is not None else index
            return {"index": self._add(asarray(naive.as_unit("ns").asi8)), "datetime": True}
        return {"index": self._column(index), "datetime": False}

    def _column(self, column):
        array = column.to_numpy()
        if array.dtype.kind in "biufcmM":
            return self._add(array)
        if array.size > MAX_ITEMS:
            raise TooLarge(f"a column of {array.size} objects, {MAX_ITEMS} are kept")
        return [str(item)[:200] for item in array]

    def _array_like(self, value):
        if hasattr(value, "__array__") or hasattr(value, "__array_interface__"):
            array = asarray(value)
            if array.dtype.kind in "biufcmMU":
                return {"$array": self._add(array)}
            if array.dtype.name == "bfloat16":
                return {"$array": self._add(array.astype(np.float32))}
        return {
            "$other": {"type": f"{type(value).__module__}.{type(value).__qualname__}"[:200], "repr": repr(value)[:500]}
        }

    def _add(self, array):
        if array.nbytes > self.left:
            raise TooLarge(
                f"an array of shape {array.shape} and {array.nbytes} bytes is more than is kept ({self.left})"
            )
        self.left -= array.nbytes
        self.arrays.append(np.array(array, order="C"))
        return f"a{len(self.arrays) - 1}.npy"
