"""What travels into the student's kernel, as source text.

The modules here import nothing from this package, and nothing here is imported by it: `sources()` reads them as text,
the engine creates them inside the kernel before the first cell. They run next to student code, so they hold no answer
and no secret. A probe may import `_autograder_models`, which describes Keras models in plain data.
"""

from importlib import resources

MODULES = (
    "_autograder_checkpoint",
    "_autograder_observe",
    "_autograder_codec",
    "_autograder_models",
    "_autograder_runtime",
)


def sources() -> dict[str, str]:
    """The modules' source by name, in the order in which they must be created."""
    folder = resources.files(__name__)
    return {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in MODULES}
