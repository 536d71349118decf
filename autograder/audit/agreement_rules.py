"""Rules about agreement: configuration, source notebook, release, hidden tests and demo students say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbformat import NotebookNode

from autograder.audit.findings import Finding
from autograder.audit.registry import rule
from autograder.audit.subject import Subject, cell_name, outside_solution
from autograder.audit.syntax import assigned_names
from autograder.config import CONFIG_FILE
from autograder.notebooks import grade_id, release_path
from autograder.notebooks.release import disagreements

INJECTED = ("SEED",)
DATA_PARAMETER = "DATA_PATH"


@rule("unreadable")
def unreadable(subject: Subject) -> Iterator[Finding]:
    """Everything that an audit looks at is there and can be read."""
    yield from subject.problems


@rule("questions-disagree")
def questions_disagree(subject: Subject) -> Iterator[Finding]:
    """Question ids and points are the same in the configuration, the source notebook and the release."""
    for where, notebook in _notebooks(subject):
        for clause in disagreements(notebook, subject.assignment):
            remedy = f"Correct {CONFIG_FILE} or the source notebook, then release again."
            yield Finding("questions-disagree", "error", where, clause, remedy)


@rule("order-disagrees")
def order_disagrees(subject: Subject) -> Iterator[Finding]:
    """Questions come in the configuration's order in the source notebook and in the release."""
    wanted = [each.id for each in subject.assignment.questions]
    for where, notebook in _notebooks(subject):
        names = [name for cell in notebook.cells if (name := grade_id(cell)) and _is_graded(cell)]
        order = [name.removeprefix("test_") for name in names]
        found = [name for name in order if name in wanted]
        if found != [name for name in wanted if name in found]:
            told = f"the notebook's order is {', '.join(found)}"
            yield Finding("order-disagrees", "error", where, told, f"Put cells or {CONFIG_FILE} in the same order.")


@rule("hidden-tests-disagree")
def hidden_tests_disagree(subject: Subject) -> Iterator[Finding]:
    """Each question that is not graded by hand has a file of hidden tests, and no other file is there."""
    known = {each.id: each for each in subject.assignment.questions}
    folder = f"{subject.told(subject.home)}/hidden_tests"
    broken = {problem.where for problem in subject.problems}
    for question in known.values():
        where = f"{folder}/test_{question.id}.py"
        if not question.manual and question.id not in subject.hidden and where not in broken:
            yield Finding("hidden-tests-disagree", "error", where, "there is no such file", "Write its hidden tests.")
    for name, hidden in subject.hidden.items():
        where = subject.told(hidden.path)
        if name not in known:
            found, remedy = f"the configuration has no question {name}", f"Rename the file or add it to {CONFIG_FILE}."
            yield Finding("hidden-tests-disagree", "error", where, found, remedy)
        elif known[name].manual:
            found, remedy = f"{name} is graded by hand", "Delete the file, or make the question one that is judged."
            yield Finding("hidden-tests-disagree", "error", where, found, remedy)


@rule("demo-student-disagrees")
def demo_student_disagrees(subject: Subject) -> Iterator[Finding]:
    """Demo students name only questions that there are; a right one expects nothing but passes, a wrong one a loss."""
    known = {each.id for each in subject.assignment.questions}
    cells = {name for cell in subject.source.cells if (name := grade_id(cell))} if subject.source is not None else known
    for mutant in subject.mutants:
        where = f"{subject.told(subject.home)}/mutants/{mutant.name}.py"
        unknown = sorted((set(mutant.expected) - known) | (set(mutant.cells) - cells))
        lost = sorted(name for name, outcome in mutant.expected.items() if outcome != "passed")
        if unknown:
            found = f"it names {', '.join(unknown)}, which the assignment does not have"
        elif mutant.right and lost:
            found = f"it is said to be right, and to lose points in {', '.join(lost)}"
        elif not mutant.right and not lost:
            found = "it is said to be wrong, and to lose no points"
        else:
            continue
        yield Finding("demo-student-disagrees", "error", where, found, "Correct EXPECTED, RIGHT or the cells' names.")


@rule("release-outdated")
def release_outdated(subject: Subject) -> Iterator[Finding]:
    """The release is what the source notebook and the configuration make now."""
    if subject.source is None or subject.release is None:
        return
    where = subject.told(release_path(subject.folder, subject.name))
    remedy = f"Release again: `autograder release {subject.name} --force`."
    ours, theirs = ([cell_name(cell) for cell in each.cells] for each in (subject.source, subject.release))
    if ours != theirs:
        differ = sorted(set(ours) ^ set(theirs))
        found = f"other cells than in the source: {', '.join(differ) or 'the same ones in another order'}"
        yield Finding("release-outdated", "error", where, found, remedy)
    released = {cell_name(cell): cell for cell in subject.release.cells}
    for cell in subject.source.cells:
        other = released.get(cell_name(cell))
        if other is not None and not _made_of(cell, other):
            found = "not what the source notebook has there"
            yield Finding("release-outdated", "error", f"{where} cell {cell_name(cell)}", found, remedy)
    yield from _described(subject, where, remedy)


def _described(subject: Subject, where: str, remedy: str) -> Iterator[Finding]:
    """What the released notebook says of itself, against what the configuration says now."""
    from autograder.integrations.nbgrader.release import for_students

    assert subject.release is not None
    told, wanted = subject.release.metadata.get("autograder"), for_students(subject.assignment)
    if told is not None and dict(told) != wanted:
        parts = sorted(key for key in {*told, *wanted} if told.get(key) != wanted.get(key))
        found = f"its description of itself is another than the configuration's: {', '.join(parts)}"
        yield Finding("release-outdated", "error", where, found, remedy)


def _made_of(source: NotebookNode, released: NotebookNode) -> bool:
    """Whether a released cell holds all that is outside of the solution, and what is locked holds nothing else."""
    kept = [line for line in outside_solution(source).splitlines() if line.strip()]
    lines = [line for line in released.source.splitlines() if line.strip()]
    if not source.metadata.get("nbgrader", {}).get("solution"):
        return kept == lines
    rest = iter(lines)
    return all(line in rest for line in kept)


@rule("parameters-disagree")
def parameters_disagree(subject: Subject) -> Iterator[Finding]:
    """The notebook has one cell tagged `parameters`, and it gives a value to everything that a profile injects."""
    wanted = {name for profile in subject.assignment.profiles.values() for name in profile.parameters}
    wanted |= {*INJECTED, *([DATA_PARAMETER] if subject.assignment.data else [])}
    for where, notebook in _notebooks(subject):
        tagged = [cell for cell in notebook.cells if "parameters" in (cell.metadata.get("tags") or [])]
        if len(tagged) != 1:
            found, remedy = f"{len(tagged)} cells have the tag `parameters`", "Tag one cell, the first of code."
            yield Finding("parameters-disagree", "error", where, found, remedy)
            continue
        missing = sorted(wanted - assigned_names(tagged[0].source))
        if missing:
            found = f"no value for {', '.join(missing)}"
            remedy = "Give each a value there; grading replaces it."
            yield Finding("parameters-disagree", "error", f"{where} cell {cell_name(tagged[0])}", found, remedy)
    for name, profile in subject.assignment.profiles.items():
        lacking = sorted(wanted - {*INJECTED, DATA_PARAMETER} - set(profile.parameters))
        if lacking:
            found = f"profile {name} of {subject.name} says nothing of {', '.join(lacking)}, which others do"
            yield Finding("parameters-disagree", "warning", CONFIG_FILE, found, "Say it for all profiles.")


@rule("contract-name-missing")
def contract_name_missing(subject: Subject) -> Iterator[Finding]:
    """Each name that a question asks for is defined by the reference solution and told to students."""
    if subject.source is None or subject.release is None:
        return
    defined = {grade_id(cell): assigned_names(cell.source) for cell in subject.source.cells if cell.cell_type == "code"}
    everywhere = {name for names in defined.values() for name in names}
    answers = [cell for cell in subject.release.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    told = "\n".join(cell.source for cell in subject.release.cells if cell not in answers)
    where = subject.told(subject.source_path)
    for question in subject.assignment.questions:
        for name in question.defines:
            if name not in everywhere:
                found = f"question {question.id} asks for `{name}`, which the reference solution does not define"
                yield Finding("contract-name-missing", "error", where, found, f"Define it, or correct {CONFIG_FILE}.")
            elif name not in defined.get(question.id, everywhere):
                found = f"`{name}` is defined, but not in the cell {question.id}"
                yield Finding("contract-name-missing", "warning", where, found, "Define it in its own question's cell.")
            if not re.search(rf"\b{re.escape(name)}\b", told):
                found = f"question {question.id} asks for `{name}`, which neither the text nor the visible tests name"
                yield Finding("contract-name-missing", "error", where, found, "Say in the text what it has to be.")


def _notebooks(subject: Subject) -> Iterator[tuple[str, NotebookNode]]:
    for path, notebook in (
        (subject.source_path, subject.source),
        (release_path(subject.folder, subject.name), subject.release),
    ):
        if notebook is not None:
            yield subject.told(path), notebook


def _is_graded(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))
