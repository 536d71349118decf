"""Names, diffs and the choice of generated mutants; equivalent ones. A second."""

import json

import nbformat.v4
import pytest

from autograder.config import Assignment, Profile, Question
from autograder.errors import MutantError
from autograder.selftest.cells import SolutionCell, solution_cells
from autograder.selftest.equivalents import add_equivalent, lapsed, read_equivalents
from autograder.selftest.mutations import Mutation, choose, generate

LONG = SolutionCell("long", "\n".join(f"y{n} = x[{n}] + {n}" for n in range(1, 9)))
SHORT = SolutionCell("short", "z = x @ W + b")


def test_names_tell_operator_question_and_line():
    mutations, _ = generate([SolutionCell("q", "y = 1\nz = x[1] + x[2]")])
    named = {mutation.name: mutation for mutation in mutations}
    assert list(named) == [
        "constant_changed@q:1",
        "sign_swapped@q:2",
        "term_dropped@q:2",
        "index_off_by_one@q:2",
        "index_off_by_one@q:2.2",
    ]
    assert named["sign_swapped@q:2"].diff.splitlines() == [
        "--- q: solution",
        "+++ q: mutant",
        "@@ -1,2 +1,2 @@",
        " y = 1",
        "-z = x[1] + x[2]",
        "+z = x[1] - x[2]",
    ]
    mutant = named["sign_swapped@q:2"].as_mutant()
    assert (mutant.right, dict(mutant.cells)) == (False, {"q": "y = 1\nz = x[1] - x[2]"})


def test_same_code_comes_once_and_code_that_cannot_stand_never():
    mutations, _ = generate([LONG, SHORT])
    codes = [(mutation.question, mutation.source) for mutation in mutations]
    assert len(set(codes)) == len(codes)
    for _, source in codes:
        compile(source, "mutant", "exec")


def test_cell_that_is_not_plain_python_is_told_and_the_others_are_changed():
    mutations, problems = generate([SolutionCell("magic", "%matplotlib inline\ny = 1"), SHORT])
    assert {mutation.question for mutation in mutations} == {"short"}
    assert len(problems) == 1
    assert problems[0].startswith("The solution of magic is not plain Python")


def test_choice_is_even_and_grows():
    mutations, _ = generate([LONG, SHORT])
    six = choose(mutations, 6, seed=3)
    assert [mutation.question for mutation in six] == ["long", "short"] * 3
    assert len({mutation.operator for mutation in six}) >= 5
    assert choose(mutations, 9, seed=3)[:6] == six
    assert choose(mutations, 6, seed=4) != six
    assert sorted(choose(mutations, 10_000, seed=3), key=id) == sorted(mutations, key=id)
    assert choose(mutations, 0, seed=3) == []


def test_cells_come_with_the_text_before_them():
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    marks = {"nbgrader": {"solution": True, "grade_id": "q"}}
    notebook = nbformat.v4.new_notebook(
        cells=[
            text("Numbers: 11."),
            code("setup = 1"),
            text('## 3. Question (0.25 points)\n\nUse `padding="same"` and `tol = 0.5`.\n\n*Hint.* Not `k=4`, nor 17.'),
            code("y = 1", metadata=marks),
            text("Words", metadata=marks),
        ]
    )
    assignment = Assignment(
        name="a", title="A", profiles={"cpu": Profile()}, questions=(Question(id="q", points=1, defines=("f",)),)
    )
    (cell,) = solution_cells(notebook, assignment)
    assert (cell.question, cell.source, cell.defines) == ("q", "y = 1", ("f",))
    assert cell.numbers == {0.5}
    assert cell.names("padding")
    assert not cell.names("pad")
    assert not cell.names("k")
    assert cell.fixes("tol", "0.5")
    assert not cell.fixes("tol", "0.55")


def mutation(source="y = x - 1", name="sign_swapped@q:1"):
    return Mutation(name, "sign_swapped", "q", source, "-y = x + 1\n+y = x - 1")


def test_equivalent_mutant_is_known_by_its_code(tmp_path):
    path = tmp_path / "solutions" / "a" / "equivalent_mutants.json"
    assert read_equivalents(path) == {}
    add_equivalent(path, mutation(), "  x is never used. ")
    (digest,) = read_equivalents(path)
    entry = read_equivalents(path)[digest]
    assert (entry.name, entry.because, entry.diff) == (
        "sign_swapped@q:1",
        "x is never used.",
        ("-y = x + 1", "+y = x - 1"),
    )
    assert mutation("y = (x - 1)  # other layout").digest == digest
    assert mutation("y = x - 2").digest != digest
    assert lapsed(read_equivalents(path), [mutation()]) == []
    assert lapsed(read_equivalents(path), [mutation("y = x - 2")]) == [entry]
    add_equivalent(path, mutation("y = x - 2"), "Nor here.")
    assert len(read_equivalents(path)) == 2


def test_reason_is_asked_for_and_damage_is_told(tmp_path):
    path = tmp_path / "equivalent_mutants.json"
    with pytest.raises(MutantError, match="no reason"):
        add_equivalent(path, mutation(), "  ")
    assert not path.exists()
    path.write_text(json.dumps({"0123": {"name": "n"}}))
    with pytest.raises(MutantError, match=r"damaged: 0123.question.*Received: .*equivalent_mutants.json"):
        read_equivalents(path)
