"""The source notebook obeys the contract, and its visible tests tell an answer from a stub. TensorFlow; 10 seconds."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).resolve().parents[3] / "solutions" / "rnn_layers" / "rnn_layers.ipynb"
POINTS = {
    "rnn_step": 0.10, "rnn_forward": 0.10, "sequence_tasks": 0.15, "lstm_step": 0.15, "gru_step": 0.15, "count_parameters": 0.10,
    "bptt": 0.15, "clipping": 0.10, "keras_models": 0.35, "memory_task": 0.20, "gpu_training": 0.05, "concepts": 0.20, "discussion": 0.20,
}  # fmt: skip
ANSWERED_IN_CODE = [question for question in POINTS if question not in {"gpu_training", "discussion"}]
WITHOUT_TRAINING = [question for question in ANSWERED_IN_CODE if question != "memory_task"]
REGION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION$", re.MULTILINE | re.DOTALL)
LISTED = nbformat.read(NOTEBOOK, as_version=nbformat.NO_CONVERT).cells
CELLS = {cell.id: cell for cell in LISTED}
pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently


def cleared(question):
    """The cell as it is released."""
    return REGION.sub(r"\1# YOUR CODE HERE\n\1raise NotImplementedError()", CELLS[question].source)


def graded_in_order():
    ids = ["parameters", "setup"]
    for question in POINTS:
        if question != "discussion":
            ids += [f"test_{question}"] if question == "gpu_training" else [question, f"test_{question}"]
    return [*ids, "discussion"]


def test_cells_are_those_of_the_contract():
    nbformat.validate(nbformat.read(NOTEBOOK, as_version=nbformat.NO_CONVERT))
    graded = [cell for cell in LISTED if "nbgrader" in cell.metadata]
    assert [cell.id for cell in graded] == graded_in_order()
    assert {cell.id for cell in LISTED if cell.cell_type == "code"} == set(graded_in_order()) - {"discussion"}
    for cell in graded:
        about, name = cell.metadata.nbgrader, cell.id
        assert about.grade_id == name
        assert (about.schema_version, about.task, about.cell_type) == (3, False, cell.cell_type)
        flags = (about.grade, about.solution, about.locked)
        if name == "discussion":
            assert flags == (True, True, False)
        elif name.startswith("test_"):
            assert flags == (True, False, True)
        else:
            assert flags == ((False, True, False) if name in POINTS else (False, False, True))
        assert about.get("points") == (POINTS[name.removeprefix("test_")] if about.grade else None)
    assert sum(cell.metadata.nbgrader.get("points", 0) for cell in graded) == pytest.approx(2.0)


def test_parameters():
    assert CELLS["parameters"].metadata.tags == ["parameters"]
    values = {each.targets[0].id: ast.literal_eval(each.value) for each in ast.parse(CELLS["parameters"].source).body}
    assert values == {"SEED": 7, "EPOCHS": 15, "N_SEQUENCES": 1500, "SEQUENCE_LENGTH": 10}


@pytest.mark.parametrize("question", POINTS)
def test_every_question_is_introduced(question):
    first = next(i for i, cell in enumerate(LISTED) if cell.id in {question, f"test_{question}"})
    text = LISTED[first - 1].source
    assert f"({POINTS[question]:.2f} points" in text
    assert "Lecture topic" in text
    assert "*Hint.*" in text


@pytest.mark.parametrize("question", ANSWERED_IN_CODE)
def test_solution_is_delimited_and_its_release_is_a_stub(question):
    source = CELLS[question].source
    assert source.count("### BEGIN SOLUTION") == source.count("### END SOLUTION") == len(REGION.findall(source)) >= 1
    for statement in ast.parse(cleared(question)).body:
        if isinstance(statement, ast.FunctionDef):
            assert ast.get_docstring(statement)
            (stub,) = statement.body[1:]
            assert ast.unparse(stub) == "raise NotImplementedError()"


def test_pictures_are_drawn_and_described():
    pictures = [
        re.search(r"!\[(.+?)\]\(data:image/svg", cell.source) for cell in LISTED if cell.cell_type == "markdown"
    ]
    assert sum(each is not None and len(each[1]) > 60 for each in pictures) >= 3


@pytest.fixture(scope="module")
def prepared():
    """The notebook's names after its setup cell."""
    import matplotlib as mpl

    mpl.use("Agg")
    names = {}
    exec(CELLS["parameters"].source, names)
    exec(CELLS["setup"].source, names)
    return names


def test_setup_makes_the_memory_task(prepared):
    """As the contract and the grader's oracle have it."""
    import numpy as np

    x, y = prepared["make_memory_task"](300, 5, 3)
    assert x.shape == (300, 5, 4)
    assert x.dtype == np.float32
    assert set(y.tolist()) == {0, 1, 2, 3}
    assert (x[:, 0] == np.eye(4)[y]).all()
    assert x[:, 1:].std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("question", WITHOUT_TRAINING)
def test_visible_tests_pass_on_the_solution_and_fail_on_the_stub(prepared, question):
    names = dict(prepared)
    for earlier in WITHOUT_TRAINING[: WITHOUT_TRAINING.index(question) + 1]:
        exec(CELLS[earlier].source, names)
    exec(CELLS[f"test_{question}"].source, names)
    if question == "concepts":
        names["answers"] = {}
        with pytest.raises(AssertionError):
            exec(CELLS[f"test_{question}"].source, names)
        return
    stub = dict(prepared)
    exec(cleared(question), stub)
    with pytest.raises(NotImplementedError):
        exec(CELLS[f"test_{question}"].source, stub)


def test_visible_test_of_the_memory_task(prepared):
    """It looks at shapes and ranges, and trains nothing."""
    import numpy as np

    names = {**prepared, "recall": lambda x: np.zeros((len(x), 4)), "memory_results": {"simple_rnn": 0.5, "lstm": 1.0}}
    exec(CELLS["test_memory_task"].source, names)
    for change in (
        {"memory_results": {"lstm": 1.0}},
        {"memory_results": {"simple_rnn": 50.0, "lstm": 1.0}},
        {"recall": lambda x: x},
    ):
        with pytest.raises(AssertionError):
            exec(CELLS["test_memory_task"].source, {**names, **change})
