"""What confines a kernel from within its own process, as source text.

Like `autograder.probes`, an island: these modules import the standard library and each other, and nothing of this
package, because they run where this package cannot be seen. `sources()` reads them as text; they are written into a
folder that the sandbox shows read-only. They hold no secret: a student may read them.

    _autograder_linux      system calls that Python does not offer
    _autograder_lockdown   what a process gives up for good, and the proof that it has
    _autograder_enter      namespaces, and a root of its own for one kernel
    _autograder_kernel     the process becomes an IPython kernel
    _autograder_cold       main program of the level `cold`: lock down, become the kernel
    _autograder_warm       main program of the level `warm`: import once, fork for every kernel
"""

from importlib import resources

MODULES = (
    "_autograder_cold",
    "_autograder_enter",
    "_autograder_kernel",
    "_autograder_linux",
    "_autograder_lockdown",
    "_autograder_warm",
)


def sources() -> dict[str, str]:
    """The modules' source by name."""
    folder = resources.files(__name__)
    return {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in MODULES}
