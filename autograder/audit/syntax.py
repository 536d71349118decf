"""Hidden-test files as syntax: what their probes use, what their tests can say, without running them."""

from __future__ import annotations

import ast
import builtins
import inspect
import symtable
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from autograder import checks
from autograder.checks.plugin import question_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
_BUILTIN = frozenset(dir(builtins)) | {"__name__"}
_VOCABULARY = "autograder.checks"
_RAISING = ("expect", "as_", "read_", "Failure", "LimitFailure")


@dataclass(frozen=True)
class HiddenFile:
    """One question's hidden tests as text and syntax tree."""

    question: str
    path: Path
    text: str
    tree: ast.Module

    @classmethod
    def read(cls, path: Path) -> HiddenFile:
        """Read one file. Raises what reading and parsing raise: OSError, SyntaxError, ValueError."""
        text = path.read_text(encoding="utf-8")
        return cls(question_of(path), path, text, ast.parse(text))

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The functions of the module by name."""
        return {each.name: each for each in self.tree.body if isinstance(each, Function)}

    @property
    def tests(self) -> list[Function]:
        """The tests in the order in which they are run."""
        return [each for name, each in self.functions.items() if name.startswith("test_")]

    @property
    def probe(self) -> Function | None:
        """What travels to the student's kernel."""
        return self.functions.get("probe")

    @property
    def given(self) -> Function | None:
        """What makes the probe's inputs."""
        return self.functions.get("given")

    @cached_property
    def sentences(self) -> list[str]:
        """All strings of the file: docstrings, messages and hints are written for students."""
        return [
            node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]

    def probe_source(self) -> str:
        """The probe's text as it travels."""
        assert self.probe is not None
        first = min([self.probe.lineno, *(each.lineno for each in self.probe.decorator_list)])
        return textwrap.dedent("\n".join(self.text.splitlines()[first - 1 : self.probe.end_lineno]))

    def reached_from(self, function: Function) -> list[Function]:
        """A function and those of the same file that it calls, at any depth."""
        found: dict[str, Function] = {function.name: function}
        waiting = [function]
        while waiting:
            caller = waiting.pop()
            arguments = {each.arg for each in caller.args.args}  # fixtures have names of functions, too
            for name in called_names(caller) - arguments:
                if name in self.functions and name not in found:
                    found[name] = self.functions[name]
                    waiting.append(self.functions[name])
        return list(found.values())

    @cached_property
    def vocabulary(self) -> set[str]:
        """Names that the file imports from the vocabulary of hidden tests."""
        return {
            alias.asname or alias.name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_VOCABULARY)
            for alias in node.names
        }

    def can_fail(self, test: Function) -> bool:
        """Whether a test can end in a `Failure` at all."""
        return any(
            isinstance(node, ast.Raise)
            or (isinstance(node, ast.Name) and node.id in self.vocabulary and node.id.startswith(_RAISING))
            for function in self.reached_from(test)
            for node in ast.walk(function)
        )

    def has_hint(self, test: Function) -> bool:
        """Whether some way for a test to fail says what to look at."""
        return any(_gives_hint(node) for function in self.reached_from(test) for node in ast.walk(function))

    def needs_device(self, test: Function) -> bool:
        """Whether a test is only assessed on a machine with an accelerator."""
        return any("require_gpu" in called_names(function) for function in self.reached_from(test))


def called_names(node: ast.AST) -> set[str]:
    """Names that are called or handed on somewhere below."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}


def _gives_hint(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    name = node.func.id
    if any(word.arg in {"hint", "otherwise"} and not _is_empty(word.value) for word in node.keywords):
        return True
    if name in {"Failure", "LimitFailure"} and len(node.args) > 1:
        return not _is_empty(node.args[1])
    return name == "recognise" or brings_hint(name)


def _is_empty(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


@cache
def brings_hint(name: str) -> bool:
    """Whether a word of the vocabulary gives a hint of its own, as `expect_unchanged` does."""
    function = getattr(checks, name, None)
    if not inspect.isfunction(function):
        return False
    default = inspect.signature(function).parameters.get("hint")
    if default is not None:
        return bool(default.default) and default.default is not inspect.Parameter.empty
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Failure" and _two(node)
        for node in ast.walk(tree)
    )


def _two(call: ast.Call) -> bool:
    return len(call.args) > 1 or any(word.arg == "hint" for word in call.keywords)


def docstring(function: Function) -> str:
    """A function's docstring, or nothing."""
    return ast.get_docstring(function) or ""


def marks(function: Function, name: str) -> Iterator[ast.Call]:
    """The `@pytest.mark.<name>(...)` above a test."""
    for each in function.decorator_list:
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == name:
            yield each


def imported_modules(text: str) -> set[str]:
    """Modules that a Python text imports, at any depth of the text; of what is no Python, none."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def outside_names(source: str) -> set[str]:
    """Names that a function's text takes from outside of itself and that are no builtins."""
    table = symtable.symtable(source, "<probe>", "exec")
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
    used = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    waiting = list(table.get_children())
    while waiting:
        inner = waiting.pop()
        waiting += inner.get_children()
        used |= {symbol.get_name() for symbol in inner.get_symbols() if symbol.is_global()}
    return used - own - _BUILTIN


def attributes_of(node: ast.AST, name: str) -> Iterator[ast.Attribute]:
    """Uses of `name.something` below a node."""
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == name:
            yield each


def looked_up(node: ast.AST, name: str) -> bool:
    """Whether attributes of `name` are asked for by names that only the run knows, as with `getattr(name, each)`."""
    return any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id in {"getattr", "vars"}
        and bool(each.args)
        and isinstance(each.args[0], ast.Name)
        and each.args[0].id == name
        for each in ast.walk(node)
    )


def assigned_names(text: str) -> set[str]:
    """Names that a cell's text defines at its top level, inside `if`, `for`, `try` and `with` too."""
    try:
        table = symtable.symtable(text, "<cell>", "exec")
    except (SyntaxError, ValueError):
        return set()
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
