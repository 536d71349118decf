"""Remember everything that probing might change in the student's kernel, and put it back.

A notebook whose functions keep state (globals, caches, counters on functions and classes, random generators, figures,
Keras names and weights) must run on as if it had never been probed. Forking would be simpler, but TensorFlow's thread
pools do not survive a fork. So `take` walks what the namespace can reach and remembers the contents of everything that
can change in place; `restore` compares and puts back. Objects keep their identity.

Not covered, because Python offers no way: the position of a running generator or of an open file, and what C
extensions keep to themselves.
"""

import collections
import random
import sys
import types
from contextlib import suppress

MAX_OBJECTS = 200_000
MAX_ARRAY_BYTES = 512 * 2**20
_CONTAINERS = (list, bytearray, set, collections.deque, tuple, frozenset)
_PLAIN = (int, float, complex, str, bytes, bool, type(None), range, slice, types.ModuleType, types.BuiltinFunctionType)


def take(namespace):
    """What `restore` needs to bring the kernel back to this moment."""
    walk = _Walk()
    bindings = dict(namespace)
    for name in sorted(name for name in bindings if type(name) is str):
        if name not in {"In", "Out", "get_ipython", "exit", "quit"}:
            walk.visit(bindings[name])
    return {"bindings": bindings, "undo": walk.undo, "globals": _global_state()}


def restore(namespace, saved):
    """Put the kernel back to the moment of `take`; what cannot be put back is left, never raised."""
    for undo in [*reversed(saved["undo"]), *saved["globals"]]:
        with suppress(Exception):  # objects of the student's may raise whatever is asked of them
            undo()
    bindings = saved["bindings"]
    for name in [name for name in namespace if name not in bindings]:
        del namespace[name]
    namespace.update(bindings)


def seed_everything(seed):
    """Probes draw the same random numbers in every run; `restore` puts the student's generators back."""
    for module, sow in (
        ("random", lambda library: library.seed(seed)),
        ("numpy", lambda library: library.random.seed(seed % 2**32)),
        ("tensorflow", lambda library: library.random.set_seed(seed)),
    ):
        if module in sys.modules:
            with suppress(Exception):  # a library that a student has patched is theirs to draw from
                sow(sys.modules[module])


class _Walk:
    """Visits each mutable object once and collects functions that undo later changes."""

    def __init__(self):
        self.undo = []
        self.seen = {}
        self.bytes_left = MAX_ARRAY_BYTES

    def visit(self, root):
        pending = [root]
        while pending and len(self.seen) < MAX_OBJECTS:
            value = pending.pop()
            if id(value) in self.seen:
                continue
            with suppress(Exception):  # an object that raises when it is looked at is left alone
                if not isinstance(value, _PLAIN):
                    self.seen[id(value)] = value  # holds a reference, so that ids stay unique
                    pending.extend(self._remember(value))

    def _remember(self, value):
        """Collect the undo of one object; return the objects that it holds."""
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return [value.__self__, value.__func__]
        if isinstance(value, (list, bytearray)):
            base = list if isinstance(value, list) else bytearray
            self._contents(value, lambda now: base.__setitem__(value, slice(None), base(now)))
            return _items(value) if base is list else []
        if isinstance(value, dict):
            return self._dict(value)
        if isinstance(value, set):
            self._contents(value, lambda now: (set.clear(value), set.update(value, now)))
            return []
        if isinstance(value, collections.deque):
            self._contents(value, lambda now: (value.clear(), value.extend(now)))
            return _items(value)
        if isinstance(value, (tuple, frozenset)):
            return _items(value)
        return self._library_object(value)

    def _contents(self, value, put_back):
        """Undo for a container: only touched when it changed, compared by identity of its items."""
        before = _items(value)

        def undo():
            now = _items(value)
            if len(now) != len(before) or any(a is not b for a, b in zip(now, before, strict=True)):
                put_back(before)

        self.undo.append(undo)

    def _dict(self, value):
        before = dict.copy(value)

        def undo():
            now = dict.copy(value)
            if len(now) != len(before) or any(key not in now or now[key] is not before[key] for key in before):
                dict.clear(value)
                dict.update(value, before)

        self.undo.append(undo)
        return list(before.values())

    def _function(self, value):
        cells = [(cell, cell.cell_contents) for cell in value.__closure__ or () if _is_filled(cell)]
        defaults, keyword_defaults = value.__defaults__, value.__kwdefaults__

        def undo():
            value.__defaults__, value.__kwdefaults__ = defaults, keyword_defaults
            for cell, contents in cells:
                cell.cell_contents = contents

        self.undo.append(undo)
        held = [contents for _, contents in cells] + list(defaults or ()) + list((keyword_defaults or {}).values())
        return [*held, value.__dict__]

    def _library_object(self, value):
        for remember in (_numpy_object, _pandas_object, _random_object, _keras_object):
            held = remember(value, self)
            if held is not None:
                return held
        kind = value if isinstance(value, type) else type(value)
        if isinstance(value, type) and value.__module__ == "__main__":
            return self._class(value)
        if kind.__module__ in {"__main__", "itertools", "functools"}:
            return self._instance(value)
        return []

    def _class(self, value):
        before = {name: item for name, item in vars(value).items() if not name.startswith("__")}

        def undo():
            for name in [name for name in vars(value) if not name.startswith("__") and name not in before]:
                delattr(value, name)
            for name, item in before.items():
                if vars(value).get(name) is not item:
                    setattr(value, name, item)

        self.undo.append(undo)
        return list(before.values())

    def _instance(self, value):
        if hasattr(value, "cache_info") and hasattr(value, "__wrapped__"):
            return [value.__wrapped__]  # functools.cache: what it remembers is the function's own result
        state = getattr(value, "__dict__", None)
        return [] if state is None else self._dict(state)


def _items(value):
    """What a container holds, whatever a class that a student has derived from it says that it holds."""
    base = next(kind for kind in _CONTAINERS if isinstance(value, kind))
    return list(base.__iter__(value))


def _is_filled(cell):
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _numpy_object(value, walk):
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.ndarray):
        if value.dtype.hasobject or not value.flags.writeable or value.nbytes > walk.bytes_left:
            return []
        walk.bytes_left -= value.nbytes
        before = value.copy()

        def undo():
            if value.flags.writeable and value.tobytes() != before.tobytes():
                value[...] = before

        walk.undo.append(undo)
        return []
    if isinstance(value, numpy.random.Generator):
        state = value.bit_generator.state
        walk.undo.append(lambda: setattr(value.bit_generator, "state", state))
        return []
    if isinstance(value, numpy.random.RandomState):
        state = value.get_state()
        walk.undo.append(lambda: value.set_state(state))
        return []
    return None


def _pandas_object(value, walk):
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(value, (pandas.DataFrame, pandas.Series)):
        return None
    size = int(value.memory_usage(deep=False).sum() if value.ndim == 2 else value.memory_usage(deep=False))
    if size > walk.bytes_left:
        return []
    walk.bytes_left -= size
    manager, before, attributes = value._mgr, value._mgr.copy(deep=True), dict(value.attrs)

    def undo():
        value.attrs = attributes
        if value._mgr is not manager or not value._mgr.equals(before):
            value._mgr = before

    walk.undo.append(undo)
    return []


def _random_object(value, walk):
    if not isinstance(value, random.Random):
        return None
    state = value.getstate()
    walk.undo.append(lambda: value.setstate(state))
    return []


def _keras_object(value, walk):
    """Variables keep their values; models and layers their weights, optimizer and compile state."""
    keras, tensorflow = sys.modules.get("keras"), sys.modules.get("tensorflow")
    if tensorflow is not None and isinstance(value, tensorflow.Variable):
        _variable(value, walk)
        return []
    if tensorflow is not None and isinstance(value, tensorflow.random.Generator):
        _variable(value.state, walk)
        return []
    if keras is None or not hasattr(keras, "Variable"):
        return None
    if isinstance(value, keras.Variable):
        _variable(value, walk)
        return []
    if isinstance(value, (keras.layers.Layer, keras.optimizers.Optimizer, keras.metrics.Metric)):
        for variable in value.variables:
            if id(variable) not in walk.seen:
                walk.seen[id(variable)] = variable
                _variable(variable, walk)
        before = dict(vars(value))

        def undo():
            # Around the tracking __setattr__: these are the very objects that were there.
            for name in [name for name in vars(value) if name not in before]:
                vars(value).pop(name)
            vars(value).update(before)

        walk.undo.append(undo)
        optimizer = getattr(value, "optimizer", None)
        return [optimizer] if optimizer is not None else []
    return None


def _variable(variable, walk):
    try:
        before = variable.numpy()
    except Exception:
        return
    if before.nbytes > walk.bytes_left:
        return
    walk.bytes_left -= before.nbytes

    def undo():
        if variable.numpy().tobytes() != before.tobytes():
            variable.assign(before)

    walk.undo.append(undo)


def _global_state():
    """Undo functions for state that no name in the namespace leads to."""
    undo = []
    for module, remember in (
        ("random", lambda library: [_bound(library.setstate, library.getstate())]),
        ("os", lambda library: [_bound(library.chdir, library.getcwd())]),
        ("os", lambda library: [_bound(_put_back, library.environ, dict(library.environ))]),
        ("warnings", lambda library: [_bound(library.filters.__setitem__, slice(None), list(library.filters))]),
        ("builtins", lambda library: [_bound(_put_back, vars(library), dict(vars(library)))]),
        ("numpy", _numpy_globals),
        ("matplotlib.pyplot", _figures),
        ("tensorflow", _tensorflow_globals),
        ("keras", _keras_globals),
    ):
        if module in sys.modules:
            with suppress(Exception):  # a working folder that is gone, a library that was patched: nothing to put back
                undo.extend(remember(sys.modules[module]))
    return undo


def _bound(function, *arguments):
    return lambda: function(*arguments)


def _put_back(mapping, before):
    if dict(mapping) != before:
        for name in [name for name in mapping if name not in before]:
            del mapping[name]
        mapping.update(before)


def _numpy_globals(numpy):
    state, errors, printing = numpy.random.get_state(), numpy.geterr(), numpy.get_printoptions()
    printing.pop("override_repr", None)
    return [
        lambda: numpy.random.set_state(state),
        lambda: numpy.seterr(**errors),
        lambda: numpy.set_printoptions(**printing),
    ]


def _figures(pyplot):
    open_before, settings = set(pyplot.get_fignums()), dict(pyplot.rcParams)
    current = pyplot.gcf().number if open_before else None

    def undo():
        for number in set(pyplot.get_fignums()) - open_before:
            pyplot.close(number)
        if current is not None and pyplot.fignum_exists(current):
            pyplot.figure(current)
        if dict(pyplot.rcParams) != settings:
            dict.update(pyplot.rcParams, settings)

    return [undo]


def _tensorflow_globals(tensorflow):
    """The seed and the generator from which operations without a seed of their own draw theirs."""
    from tensorflow.python.eager import context

    eager = context.context()
    seed = eager._seed
    generator = getattr(eager, "_rng", None)
    state = generator.getstate() if generator is not None else None
    shared = tensorflow.random.get_global_generator() if _has_global_generator() else None
    before = None if shared is None else shared.state.numpy()

    def undo():
        eager._seed = seed
        if generator is not None:
            eager._rng = generator
            generator.setstate(state)
        if shared is not None:
            shared.state.assign(before)

    return [undo]


def _has_global_generator():
    from tensorflow.python.ops import stateful_random_ops

    return stateful_random_ops.global_generator is not None


def _keras_globals(keras):
    """Counters behind automatic layer names, the global seed generator, the dtype policy."""
    from keras.src.backend.common import global_state

    tracker = vars(global_state.GLOBAL_STATE_TRACKER)
    walk = _Walk()
    walk.visit(tracker)
    generator = tracker.get("global_seed_generator")
    if generator is not None:
        _variable(generator.state, walk)
    return list(reversed(walk.undo))
