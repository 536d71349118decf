"""Runs a question's probe in the student's kernel and writes its evidence, without leaving a trace.

`start` is called once before the first cell; `probe` after a question's test cell, by the engine, in a request of its
own. A probe is a function `probe(student, given)` that returns a dict. A value that is a function without arguments is
called by itself, so that an exception in it costs only that entry.

This process is the student's, and nothing here can be kept from them. The modules take what they need before the first
cell, and have their own copy of the builtins, so that a notebook that shadows `open` or patches `json` by accident
is examined like any other. Whoever patches these modules writes their own evidence: docs/security.md says what that is
good for.
"""

import contextlib
import io
from linecache import getline
from os.path import join
from traceback import walk_tb

import _autograder_checkpoint as checkpoint
import _autograder_codec as codec
import _autograder_observe as observe

_settings = {}


class NotDefined(NameError):
    """The notebook does not define a name that its contract asks for."""


class Student:
    """What the notebook has defined so far, by attribute; and what was seen while it ran."""

    def __init__(self, namespace, fits, probe_fits):
        self._namespace = namespace
        self.fits = fits
        self.probe_fits = probe_fits

    def __getattr__(self, name):
        """The student's object of this name.

        Raises:
            NotDefined: the notebook has no such name.
        """
        try:
            return self._namespace[name]
        except KeyError:
            raise NotDefined(f"`{name}` is not defined") from None

    def has(self, name):
        """Whether the notebook has defined this name."""
        return name in self._namespace


def start(inbox, outbox, seed, max_bytes=64 * 2**20):
    """Remember where probes come from and evidence goes; begin to observe training."""
    _settings.update(inbox=inbox, outbox=outbox, seed=seed, max_bytes=max_bytes)
    with contextlib.suppress(NameError):
        _settings["shell"] = get_ipython()  # noqa: F821 - IPython provides it
        observe.watch(_settings["shell"])


def probe(question, answer):
    """Run the probe that waits in the inbox and write `<outbox>/<answer>.npz`."""
    with open(join(_settings["inbox"], f"{question}.py"), encoding="utf-8") as file:
        source = file.read()
    given = codec.read(join(_settings["inbox"], f"{question}.npz"))
    run_probe(question, source, given, _settings["shell"].user_ns, join(_settings["outbox"], f"{answer}.npz"))


def run_probe(question, source, given, namespace, destination):
    """Run one probe on a namespace; every exception of the student's code becomes part of the evidence."""
    writer = codec.Writer(_settings.get("max_bytes", 64 * 2**20))
    saved = checkpoint.take(namespace)
    tree = {}
    try:
        checkpoint.seed_everything(_settings.get("seed", 0))
        with observe.apart() as probe_fits, _silence():
            student = Student(namespace, observe.fits(), probe_fits)
            functions = {"__name__": f"probe_{question}", "__builtins__": __builtins__}
            exec(compile(source, f"<probe {question}>", "exec"), functions)  # noqa: S102 - the probe is the grader's
            try:
                for name, value in functions["probe"](student, given).items():
                    tree[name] = _entry(value, writer)
            except BaseException as error:
                tree["$probe"] = _raised(error)
    finally:
        checkpoint.restore(namespace, saved)
    writer.write(destination, tree)


def _entry(value, writer):
    try:
        return writer.node(value() if _is_thunk(value) else value)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _raised(error)


def _is_thunk(value):
    code = getattr(value, "__code__", None)
    return code is not None and code.co_filename.startswith("<probe ")


def _raised(error):
    """An exception as evidence, with the last line of the student's own code that it passed through."""
    if isinstance(error, KeyboardInterrupt):
        return {"$raised": {"name": "TimeLimit", "message": "took longer than allowed"}}
    place = {}
    for frame, line in walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        if "ipykernel_" in filename or filename.startswith("<ipython-input"):
            source = getline(filename, line).strip()[:160]
            function = frame.f_code.co_name
            place = {"function": "the cell" if function == "<module>" else function, "line": line, "source": source}
    return {"$raised": {"name": type(error).__name__, "message": _message(error), **place}}


def _message(error):
    try:
        return str.__str__(str(error))[:600]
    except BaseException:  # the exception is the student's, and so is what it does when it is shown
        return "an exception that cannot be shown"


@contextlib.contextmanager
def _silence():
    """What student code prints while it is probed goes nowhere."""
    with contextlib.redirect_stdout(_Nowhere()), contextlib.redirect_stderr(_Nowhere()):
        yield


class _Nowhere(io.TextIOBase):
    """A text stream that forgets."""

    def write(self, text):
        return len(text)
