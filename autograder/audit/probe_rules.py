"""Rules about probes: beside student code, they bring their inputs, need nothing else, and know no answer."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from autograder import probes
from autograder.audit.findings import Finding, Severity
from autograder.audit.registry import rule
from autograder.audit.subject import Subject
from autograder.audit.syntax import (
    Function,
    HiddenFile,
    assigned_names,
    attributes_of,
    imported_modules,
    looked_up,
    outside_names,
)

IN_THE_KERNEL = {"numpy", "pandas", "scipy", "sklearn", "matplotlib", "tensorflow", "keras", "jax", "torch", "IPython"}
OF_THE_RUNTIME = {"has", "fits", "probe_fits"}
TELLING_DIGITS = 3
TELLING_NUMBERS = 5
TELLING_LENGTH = 3


@rule("probe-not-self-contained")
def probe_not_self_contained(subject: Subject) -> Iterator[Finding]:
    """A probe uses nothing from outside of its own text: only that travels to the student's kernel."""
    for hidden, probe in _probes(subject):
        arguments = [each.arg for each in probe.args.args]
        if len(arguments) != 2:
            found = f"probe({', '.join(arguments)}) should take the student and what was given"
            yield _finding("probe-not-self-contained", subject, hidden, probe, found, "def probe(student, given): ...")
        for name in sorted(outside_names(hidden.probe_source())):
            node = next((each for each in ast.walk(probe) if isinstance(each, ast.Name) and each.id == name), probe)
            found = f"`{name}` is defined outside of the probe"
            remedy = "Import or define it inside, or hand it over in given()."
            yield _finding("probe-not-self-contained", subject, hidden, node, found, remedy)


@rule("probe-import")
def probe_import(subject: Subject) -> Iterator[Finding]:
    """A probe imports only what the kernel has: Python's own modules, the notebook's libraries, the probes' runtime."""
    allowed = {*sys.stdlib_module_names, *IN_THE_KERNEL, *probes.MODULES}
    for hidden, probe in _probes(subject):
        for node in ast.walk(probe):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            for module in sorted({name.split(".")[0] for name in imported_modules(ast.unparse(node))} - allowed):
                remedy = "Compute it in given(), or compare in the tests: those run in the grader."
                yield _finding("probe-import", subject, hidden, node, f"the probe imports {module}", remedy)


@rule("expected-value-in-probe")
def expected_value_in_probe(subject: Subject) -> Iterator[Finding]:
    """A probe holds no answers: no telling numbers, and no constant that its tests expect, unless students know it."""
    known = "".join(subject.release_text.split())
    for hidden, probe in _probes(subject):
        expected = _expected(hidden)
        inner = {id(part) for node in ast.walk(probe) for part in _parts(node)}
        for node in _values(probe):
            told = _told(node, expected, inside=id(node) in inner)
            if told and "".join(ast.unparse(node).split()) not in known and _bare(node) not in known:
                remedy = "Keep an answer in given().keep(...) or in the test; hand an input over in given()."
                yield _finding("expected-value-in-probe", subject, hidden, node, told, remedy, "warning")


@rule("answer-travels")
def answer_travels(subject: Subject) -> Iterator[Finding]:
    """Everything that `given` hands to the kernel is used by the probe; what only tests use is kept with `keep`."""
    for hidden, probe in _probes(subject):
        if hidden.given is None or looked_up(probe, "given"):
            continue
        used = {each.attr for each in attributes_of(probe, "given")}
        for name, node in _inputs(hidden.given):
            if name not in used:
                found = f"`{name}` travels to the student's kernel, and the probe does not use it"
                yield _finding("answer-travels", subject, hidden, node, found, "Hand it over with .keep(...) instead.")


@rule("contract-name-unknown")
def contract_name_unknown(subject: Subject) -> Iterator[Finding]:
    """Each name that a probe takes from the student is defined in the source notebook and occurs in the release."""
    if subject.source is None or subject.release is None:
        return
    cells = [cell.source for cell in subject.source.cells if cell.cell_type == "code"]
    defined = {name for text in cells for name in assigned_names(text)}
    for hidden, probe in _probes(subject):
        seen: set[str] = set()
        for node in attributes_of(probe, "student"):
            name = node.attr
            if name in seen or name in OF_THE_RUNTIME:
                continue
            seen.add(name)
            if name not in defined:
                found = f"the probe asks for `{name}`, which the source notebook does not define"
                remedy = "Correct the name, or define it in the reference solution."
            elif not re.search(rf"\b{re.escape(name)}\b", subject.release_text):
                found = f"the probe asks for `{name}`, which the release never names"
                remedy = "Say it in the question's text: students cannot guess it."
            else:
                continue
            yield _finding("contract-name-unknown", subject, hidden, node, found, remedy)


def _probes(subject: Subject) -> Iterator[tuple[HiddenFile, Function]]:
    for hidden in subject.hidden.values():
        if hidden.probe is not None:
            yield hidden, hidden.probe


def _finding(
    identifier: str,
    subject: Subject,
    hidden: HiddenFile,
    node: ast.AST,
    found: str,
    remedy: str,
    severity: Severity = "error",
) -> Finding:
    return Finding(identifier, severity, subject.told(hidden.path), found, remedy, getattr(node, "lineno", None))


def _inputs(given: Function) -> Iterator[tuple[str, ast.AST]]:
    """What `Given(...)` and `.then(...)` are given by name."""
    for node in ast.walk(given):
        if not isinstance(node, ast.Call):
            continue
        is_given = isinstance(node.func, ast.Name) and node.func.id == "Given"
        is_then = isinstance(node.func, ast.Attribute) and node.func.attr == "then"
        if is_given or is_then:
            yield from ((word.arg, word) for word in node.keywords if word.arg is not None)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """What is inside of a container of constants: told with the container, not by itself."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
        yield from (each for each in ast.walk(node) if each is not node)


def _values(probe: Function) -> Iterator[ast.expr]:
    """Constants and containers of constants in a probe, without docstrings, keys, subscripts and parts of f-strings."""
    names: set[int] = set()
    for node in ast.walk(probe):
        if isinstance(node, ast.Expr):
            names.add(id(node.value))
        elif isinstance(node, ast.Dict):
            names |= {id(key) for key in node.keys if key is not None}
        elif isinstance(node, ast.Subscript):
            names |= {id(each) for each in ast.walk(node.slice)}
        elif isinstance(node, ast.JoinedStr):
            names |= {id(each) for each in ast.walk(node)}
        elif isinstance(node, ast.Call):  # what a function is called with is an input; text among it, too
            names |= {id(each) for argument in node.args for each in ast.walk(argument) if _is_text(each)}
    for node in ast.walk(probe):
        if id(node) not in names and isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.Set | ast.Dict):
            yield node


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _told(node: ast.expr, expected: set[str], *, inside: bool) -> str:
    """Why a constant may be an answer; nothing where it is none."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, float) and not inside and _digits(node.value) >= TELLING_DIGITS:
            return f"the number {node.value!r}"
        is_long = isinstance(node.value, str) and len(node.value) >= TELLING_LENGTH
        is_large = not isinstance(node.value, str | bool) and _digits(node.value) >= TELLING_DIGITS
        if (is_long or is_large) and repr(node.value) in expected:
            return f"{node.value!r}, which a test of this file expects"
        return ""
    numbers = [each for each in ast.walk(node) if isinstance(each, ast.Constant) and _is_number(each.value)]
    others = [each for each in ast.walk(node) if isinstance(each, ast.Name | ast.Call | ast.Attribute)]
    if len(numbers) >= TELLING_NUMBERS and not others and not inside:
        return f"{len(numbers)} numbers: {ast.unparse(node)[:60]}"
    return ""


def _digits(value: object) -> int:
    """Significant digits of a number as it is written."""
    if not _is_number(value):
        return 0
    return len(re.sub(r"e.*|\D", "", repr(value)).strip("0"))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def _bare(node: ast.expr) -> str:
    """The text of a string without its quotes, else of the constant as it is."""
    return "".join(str(node.value).split()) if isinstance(node, ast.Constant) else "".join(ast.unparse(node).split())


def _expected(hidden: HiddenFile) -> set[str]:
    """Constants with which tests and their helpers compare, as Python writes them."""
    found: set[str] = set()
    for function in hidden.functions.values():
        if function.name in {"probe", "given"}:
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Compare):
                compared = [node.left, *node.comparators]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("expect"):
                compared = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "expected")]
            else:
                continue
            found |= {repr(each.value) for part in compared for each in _constants(part)}
    return found


def _constants(node: ast.expr) -> Iterator[ast.Constant]:
    """Constants of an expression, without those by which something is looked up."""
    if isinstance(node, ast.Subscript):
        yield from _constants(node.value)
    elif isinstance(node, ast.Constant):
        yield node
    else:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from _constants(child)
