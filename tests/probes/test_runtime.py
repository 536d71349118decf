"""Probes call student code and write what came of it, whatever it does."""

import numpy as np
import pandas as pd

from autograder.evidence import Other, Raised


def test_values_of_all_kinds_arrive(probe, student):
    namespace = student(
        "import numpy as np, pandas as pd\nframe = pd.DataFrame({'a': [1.0, 2.0], 'b': ['x', 'y']})\nclass Odd: pass\nodd = Odd()"
    )
    found = probe(
        namespace,
        "def probe(student, given):\n"
        "    import numpy as np\n"
        "    return {'double': lambda: np.asarray(given.x) * 2, 'frame': student.frame, 'odd': student.odd,\n"
        "            'list': [1, (2.5, None)], 'has': student.has('nothing'), 'given': given.frame, 'wide': given.mixed}",
        x=[1, 2],
        frame=pd.DataFrame({"c": np.float32([1.0])}, index=pd.date_range("2009-01-01", periods=1)),
        mixed=pd.DataFrame({"i": [1], "f": [0.5]}),
    )
    np.testing.assert_array_equal(found["double"], [2, 4])
    assert list(found["frame"].columns) == ["a", "b"]
    assert list(found["frame"]["b"]) == ["x", "y"]
    assert isinstance(found["odd"], Other)
    assert found["list"] == [1, [2.5, None]]
    assert found["has"] is False
    assert found["given"].index[0] == pd.Timestamp("2009-01-01")
    assert found["given"]["c"].dtype == np.float32
    assert list(found["wide"].dtypes.astype(str)) == ["int64", "float64"]


def test_an_exception_costs_only_its_own_entry(probe, student):
    namespace = student("def broken(x):\n    return x + undefined_name\n")
    source = "def probe(student, given):\n    return {'bad': lambda: student.broken(1), 'good': lambda: 2, 'none': lambda: student.absent}"
    found = probe(namespace, source)
    assert found["good"] == 2
    assert found["bad"].name == "NameError"
    assert found["bad"].function == "broken"
    assert found["bad"].line == 2
    assert found["none"] == Raised("NotDefined", "`absent` is not defined")


def test_exit_and_interrupt_are_evidence_too(probe, student):
    namespace = student("import sys\ndef leave(): sys.exit(3)\ndef stop(): raise KeyboardInterrupt\n")
    source = "def probe(student, given):\n    return {'first': lambda: 1, 'exit': lambda: student.leave(), 'stop': lambda: student.stop(), 'after': lambda: 4}"
    found = probe(namespace, source)
    assert found["first"] == 1
    assert found["exit"].name == "SystemExit"
    assert found["$probe"].name == "TimeLimit"
    assert "after" not in found


def test_an_exception_in_the_probe_itself_is_kept(probe, student):
    found = probe(student("x = 1"), "def probe(student, given):\n    student.make_dataset(1)\n    return {}")
    assert found["$probe"].name == "NotDefined"


def test_too_large_and_too_deep_values_are_refused_by_name(probe, student, modules):
    modules.runtime._settings["max_bytes"] = 10_000
    namespace = student(
        "import numpy as np\nbig = np.zeros(10_000)\ndeep = []\nfor _ in range(100): deep = [deep]\nfine = np.ones(10)"
    )
    found = probe(
        namespace,
        "def probe(student, given):\n    return {name: getattr(student, name) for name in ('big', 'deep', 'fine')}",
    )
    assert found["big"].name == "TooLarge"
    assert "(10000,)" in found["big"].message
    assert found["deep"].name == "TooLarge"
    assert found["fine"].shape == (10,)


def test_what_student_code_prints_while_probed_goes_nowhere(probe, student, capsys):
    namespace = student("def loud():\n    print('secret'); return 1")
    assert probe(namespace, "def probe(student, given):\n    return {'x': lambda: student.loud()}")["x"] == 1
    assert capsys.readouterr().out == ""


def test_probes_draw_the_same_random_numbers_each_time(probe, student):
    namespace = student("import numpy as np, random\ndef draw(): return [np.random.rand(), random.random()]")
    source = "def probe(student, given):\n    return {'x': lambda: student.draw()}"
    first = probe(namespace, source)
    np.random.rand(5)
    assert probe(namespace, source) == first


HOSTILE = """
class Number(int):
    def __int__(self): raise RuntimeError("no")
    __index__ = __repr__ = __str__ = __float__ = __int__
class Text(str):
    def __getitem__(self, item): return ["not a text"]
class Items(list):
    def __iter__(self):
        while True: yield 1
class Names(dict):
    def items(self): raise RuntimeError("no")
class Liar:
    __class__ = property(lambda self: 1 / 0)
class Unshown(Exception):
    def __str__(self): raise self
def unshown(): raise Unshown
number, text, items, names, liar = Number(7), Text("six"), Items([1, 2]), Names(a=1), Liar()
"""


def test_derived_classes_count_as_the_plain_value_within(probe, student):
    """What they answer when they are asked does not matter; what cannot be looked at costs its own entry alone."""
    source = (
        "def probe(student, given):\n"
        "    return {**{name: (lambda name=name: getattr(student, name)) for name in given.names}, 'unshown': lambda: student.unshown()}"
    )
    found = probe(student(HOSTILE), source, names=["number", "text", "items", "names", "liar"])
    assert (found["number"], found["text"], found["items"], found["names"]) == (7, "six", [1, 2], {"a": 1})
    assert found["liar"].name == "ZeroDivisionError"
    assert (found["unshown"].name, found["unshown"].message) == ("Unshown", "an exception that cannot be shown")


def test_the_same_values_are_the_same_bytes(probe, student, tmp_path):
    written = []
    for _ in range(2):
        probe(
            student("x = 1.5"),
            "def probe(student, given):\n    import numpy as np\n    return {'x': student.x, 'a': np.arange(3)}",
        )
        written.append((tmp_path / "q.npz").read_bytes())
    assert written[0] == written[1]


def test_what_cannot_be_put_back_does_not_cost_the_evidence(probe, student):
    """An object that raises when the notebook is put back after the probe, and a library that was patched."""
    source = (
        "import random\nclass Fickle:\n    calm = True\n    def __eq__(self, other):\n        raise RuntimeError('no')\n    __hash__ = None\n"
        "fickle = {'a': Fickle()}\nlater = [1]\ndef change():\n    later.append(2); random.setstate = None\n    return 5\n"
    )
    import random

    setstate = random.setstate
    try:
        namespace = student(source)
        assert probe(namespace, "def probe(student, given):\n    return {'x': lambda: student.change()}")["x"] == 5
        assert namespace["later"] == [1]
    finally:
        random.setstate = setstate
