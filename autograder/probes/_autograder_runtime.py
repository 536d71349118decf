"""Runs a question's probe in the student's kernel and writes its evidence, without leaving a trace.

`start` is called once before the first cell; `probe` after a question's test cell, by the engine, in a request of its
own. A probe is a function `probe(student, given)` that returns a dict. A value that is a function without arguments is
called by itself, so that an exception in it costs only that entry.
"""

import contextlib
import io
import linecache
import os
import traceback

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
        observe.watch(get_ipython())  # noqa: F821 - IPython provides it


def probe(question):
    """Run the probe that waits in the inbox and write `<outbox>/<question>.npz`."""
    namespace = get_ipython().user_ns  # noqa: F821
    with open(os.path.join(_settings["inbox"], f"{question}.py"), encoding="utf-8") as file:
        source = file.read()
    given = codec.read(os.path.join(_settings["inbox"], f"{question}.npz"))
    run_probe(question, source, given, namespace, os.path.join(_settings["outbox"], f"{question}.npz"))


def run_probe(question, source, given, namespace, destination):
    """Run one probe on a namespace; every exception of the student's code becomes part of the evidence."""
    writer = codec.Writer(_settings.get("max_bytes", 64 * 2**20))
    saved = checkpoint.take(namespace)
    tree = {}
    try:
        checkpoint.seed_everything(_settings.get("seed", 0))
        with observe.apart() as probe_fits, _silence():
            student = Student(namespace, observe.fits(), probe_fits)
            functions = {"__name__": f"probe_{question}"}
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
    for frame, line in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        if "ipykernel_" in filename or filename.startswith("<ipython-input"):
            source = linecache.getline(filename, line).strip()[:160]
            function = frame.f_code.co_name
            place = {"function": "the cell" if function == "<module>" else function, "line": line, "source": source}
    return {"$raised": {"name": type(error).__name__, "message": str(error)[:600], **place}}


@contextlib.contextmanager
def _silence():
    """What student code prints while it is probed goes nowhere."""
    with contextlib.redirect_stdout(_Nowhere()), contextlib.redirect_stderr(_Nowhere()):
        yield


class _Nowhere(io.TextIOBase):
    """A text stream that forgets."""

    def write(self, text):
        return len(text)
