"""The first request that a kernel gets: load the probes' runtime, which travels as source text."""

from __future__ import annotations

from collections.abc import Mapping

_START = """
def load(sources, settings):
    import builtins, sys, types
    for name, source in sources.items():
        module = types.ModuleType(name)
        module.__builtins__ = dict(vars(builtins))  # a copy: what a student does to builtins does not reach it
        sys.modules[name] = module
        exec(compile(source, f"<{name}>", "exec"), module.__dict__)
    sys.modules["_autograder_runtime"].start(**settings)
load(sources, settings)
"""


def load_request(sources: Mapping[str, str], settings: Mapping[str, object]) -> str:
    """One statement that makes modules of `sources` (by name) and starts the runtime with `settings`."""
    names = {"sources": dict(sources), "settings": dict(settings)}
    return f"exec({_START!r}, {names!r})"
