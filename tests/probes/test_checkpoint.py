"""Probing leaves no trace: after a probe the notebook runs on as if there had been none."""

import random

import numpy as np
import pytest

CALL = "def probe(student, given):\n    return {'x': lambda: student.change(), 'y': lambda: student.change()}"

STATEFUL = {
    "global number": ("calls = 0\ndef change():\n    global calls\n    calls += 1\n    return calls", "calls"),
    "global list": ("log = []\ndef change():\n    log.append(1)", "log"),
    "nested containers": ("memo = {'a': [1, {2}]}\ndef change():\n    memo['a'][1].add(3); memo['b'] = 1", "memo"),
    "new global": ("def change():\n    global fresh\n    fresh = 1", "'fresh' in globals()"),
    "deleted global": ("x = 1\ndef change():\n    global x\n    del x", "x"),
    "array in place": ("import numpy as np\na = np.zeros(3)\ndef change():\n    a[0] += 1", "a.tolist()"),
    "frame in place": (
        "import pandas as pd\nf = pd.DataFrame({'a': [1.0]})\ndef change():\n    f.loc[0, 'a'] += 1; f['b'] = 2",
        "f.to_dict()",
    ),
    "series in place": ("import pandas as pd\ns = pd.Series([1.0])\ndef change():\n    s.iloc[0] += 1", "s.tolist()"),
    "mutable default": ("def change(memo=[]):\n    memo.append(1); return len(memo)", "len(change.__defaults__[0])"),
    "attribute of a function": ("def change():\n    change.n += 1\nchange.n = 0", "change.n"),
    "closure": (
        "def make():\n    n = 0\n    def change():\n        nonlocal n\n        n += 1\n        return n\n"
        "    return change\nchange = make()",
        "change.__closure__[0].cell_contents",
    ),
    "object": ("class C:\n    def __init__(self): self.n = 0\nc = C()\ndef change():\n    c.n += 1", "c.n"),
    "class": ("class C:\n    n = 0\ndef change():\n    C.n += 1", "C.n"),
    "bound method": ("class C:\n    n = 0\n    def add(self): self.n += 1\nchange = C().add", "change.__self__.n"),
    "deque": ("from collections import deque\nd = deque(maxlen=3)\ndef change():\n    d.append(1)", "list(d)"),
    "random": ("import random\ndef change():\n    random.random()", "random.getstate()"),
    "numpy random": ("import numpy as np\ndef change():\n    np.random.rand()", "np.random.get_state()[2]"),
    "numpy generator": (
        "import numpy as np\nrng = np.random.default_rng(1)\ndef change():\n    rng.random()",
        "rng.bit_generator.state['state']['state']",
    ),
    "own random": ("import random\nr = random.Random(1)\ndef change():\n    r.random()", "r.getstate()"),
    "environment": ("import os\ndef change():\n    os.environ['NEW'] = '1'", "os.environ.get('NEW')"),
    "folder": ("import os\ndef change():\n    os.chdir('/')", "os.getcwd()"),
    "warnings": ("import warnings\ndef change():\n    warnings.simplefilter('ignore')", "len(warnings.filters)"),
    "numpy errors": ("import numpy as np\ndef change():\n    np.seterr(all='ignore')", "np.geterr()"),
    "figures": (
        "import matplotlib; matplotlib.use('agg')\nimport matplotlib.pyplot as plt\nplt.close('all'); plt.figure()\n"
        "def change():\n    plt.figure(); plt.rcParams['lines.linewidth'] = 9",
        "(plt.get_fignums(), plt.rcParams['lines.linewidth'])",
    ),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_state_is_as_it_was(name, probe, student):
    source, expression = STATEFUL[name]
    namespace = student(source)
    before = eval(expression, namespace)
    before = repr(before)
    found = probe(namespace, CALL)
    assert "$probe" not in found
    assert repr(eval(expression, namespace)) == before


def test_state_changes_between_calls_within_one_probe(probe, student):
    """The checkpoint is put back after the probe, not during it: a stateful function sees its own state."""
    namespace = student(STATEFUL["global number"][0])
    found = probe(namespace, CALL)
    assert (found["x"], found["y"]) == (1, 2)


def test_identity_of_objects_is_kept(probe, student):
    namespace = student("log = []\nalias = log\ndef change():\n    global log\n    log = log + [1]; alias.append(2)")
    log = namespace["log"]
    probe(namespace, CALL)
    assert namespace["log"] is log is namespace["alias"]
    assert log == []


def test_a_sequence_of_draws_is_the_same_with_and_without_probing(probe, student):
    namespace = student(
        "import numpy as np, random\nrng = np.random.default_rng(3)\ndef change():\n    return [rng.random(), np.random.rand(), random.random()]"
    )

    def draws(with_probe):
        random.seed(5)
        np.random.seed(5)
        namespace["rng"] = np.random.default_rng(3)
        values = []
        for _ in range(3):
            values.append(namespace["change"]())
            if with_probe:
                probe(namespace, CALL)
        return values

    assert draws(with_probe=True) == draws(with_probe=False)


def test_cycles_and_large_namespaces_are_walked_once(probe, student):
    namespace = student(
        "a = []\na.append(a)\nbig = [[i] for i in range(50_000)]\ndef change():\n    big[7].append(1); a.append(2)"
    )
    probe(namespace, CALL)
    assert namespace["big"][7] == [7]
    assert len(namespace["a"]) == 1
