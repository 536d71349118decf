"""The source notebook obeys the contract, and its visible tests tell an answer from a stub. With TensorFlow; about 15 seconds."""

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[2] / "solutions" / "jena_multistep" / "jena_multistep.ipynb"
POINTS = {
    "load_data": 0.05,
    "split_by_time": 0.10,
    "normalization": 0.10,
    "windows": 0.15,
    "naive_baseline": 0.05,
    "models": 0.15,
    "variants": 0.40,
    "training": 0.10,
    "evaluation": 0.10,
    "beat_baseline": 0.10,
    "gpu_training": 0.05,
    "figures": 0.05,
    "discussion": 0.60,
}
NOTHING_NEW = {"beat_baseline", "gpu_training"}
ANSWERED_IN_CODE = [question for question in POINTS if question not in NOTHING_NEW | {"discussion"}]
WITHOUT_TRAINING = ["load_data", "split_by_time", "normalization", "windows", "naive_baseline", "models", "variants"]
REGION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION$", re.MULTILINE | re.DOTALL)
PARAMETERS = {
    "DATA_PATH": "jena_climate_2009_2016.csv",
    "SEED": 7,
    "INPUT_LENGTH": 432,
    "HORIZON": 6,
    "STRIDE": 36,
    "BATCH_SIZE": 64,
    "EPOCHS": 10,
    "TRAIN_FRACTION": 0.7,
    "VALIDATION_FRACTION": 0.15,
}


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=nbformat.NO_CONVERT)


def cells() -> dict[str, Any]:
    return {cell.id: cell for cell in read().cells}


def solved(question: str) -> str:
    """The answer, as the grader runs it."""
    return cells()[question].source


def cleared(question: str) -> str:
    """The cell as it is released."""
    return REGION.sub(r"\1# YOUR CODE HERE\n\1raise NotImplementedError()", cells()[question].source)


def code_cells_in_order() -> list[str]:
    ids = ["parameters", "setup"]
    for question in POINTS:
        if question != "discussion":
            ids += [f"test_{question}"] if question in NOTHING_NEW else [question, f"test_{question}"]
    return ids


def test_format_and_kernel() -> None:
    notebook = read()
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_code_cells_are_those_of_the_contract_and_nothing_else() -> None:
    code = [cell for cell in read().cells if cell.cell_type == "code"]
    assert [cell.id for cell in code] == code_cells_in_order()
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    for cell in code:
        ast.parse(cell.source)


def test_grade_ids_flags_and_points() -> None:
    graded = [cell for cell in read().cells if "nbgrader" in cell.metadata]
    assert [cell.metadata.nbgrader.grade_id for cell in graded] == [*code_cells_in_order(), "discussion"]
    for cell in graded:
        about, name = cell.metadata.nbgrader, cell.id
        assert about.schema_version == 3
        assert about.cell_type == cell.cell_type
        assert about.task is False
        flags = (about.grade, about.solution, about.locked)
        if name == "discussion":
            assert flags == (True, True, False)
        elif name.startswith("test_"):
            assert flags == (True, False, True)
        else:
            assert flags == ((False, True, False) if name in POINTS else (False, False, True))
        assert about.get("points") == (POINTS[name.removeprefix("test_")] if about.grade else None)
    assert sum(cell.metadata.nbgrader.get("points", 0) for cell in graded) == pytest.approx(2.0)


def test_parameters_are_plain_assignments() -> None:
    cell = cells()["parameters"]
    assert cell.metadata.tags == ["parameters"]
    values = {statement.targets[0].id: ast.literal_eval(statement.value) for statement in ast.parse(cell.source).body}
    assert values == PARAMETERS


@pytest.mark.parametrize("question", POINTS)
def test_every_question_is_introduced(question: str) -> None:
    """Its points, its lecture topic and a hint stand right above it; no answer of the solution does."""
    listed = read().cells
    first = next(i for i, cell in enumerate(listed) if cell.id in {question, f"test_{question}"})
    text = listed[first - 1].source
    assert listed[first - 1].cell_type == "markdown"
    assert f"({POINTS[question]:.2f} points" in text
    assert "Lecture topic" in text
    assert question == "discussion" or "*Hint.*" in text


@pytest.mark.parametrize("question", ANSWERED_IN_CODE)
def test_solution_is_delimited_and_its_release_is_a_stub(question: str) -> None:
    """Every function keeps signature and docstring; nothing of its body is outside the delimiters."""
    source = solved(question)
    assert source.count("### BEGIN SOLUTION") == source.count("### END SOLUTION") == len(REGION.findall(source)) >= 1
    for statement in ast.parse(cleared(question)).body:
        if isinstance(statement, ast.FunctionDef):
            assert ast.get_docstring(statement)
            (stub,) = statement.body[1:]
            assert ast.unparse(stub) == "raise NotImplementedError()"


def test_discussion_is_delimited() -> None:
    assert re.match(r"### BEGIN SOLUTION\n.*\n### END SOLUTION$", solved("discussion"), re.DOTALL)


def test_parameter_values_are_not_written_out_again() -> None:
    """The answers use the names of the parameters, so that a profile can change them."""
    for question in ANSWERED_IN_CODE:
        numbers = {node.value for node in ast.walk(ast.parse(solved(question))) if isinstance(node, ast.Constant)}
        assert not numbers & {432, 0.7, 0.15, "jena_climate_2009_2016.csv"}, question


@pytest.fixture(scope="module")
def prepared() -> dict[str, Any]:
    """The notebook's names after its setup cell, with a window stride that suits tests."""
    import matplotlib as mpl

    mpl.use("Agg")
    names: dict[str, Any] = {}
    exec(cells()["parameters"].source, names)
    exec(cells()["setup"].source, names)
    return names


tensorflow = pytest.mark.filterwarnings("default")  # its import warns, each release differently


@tensorflow
def test_setup_gives_what_the_contract_names(prepared: dict[str, Any]) -> None:
    assert len(prepared["FEATURES"]) == 14
    assert prepared["TARGETS"] == ["T (degC)", "p (mbar)"]
    assert {"np", "pd", "tf", "keras", "plt"} <= set(prepared)


@tensorflow
@pytest.mark.parametrize("question", WITHOUT_TRAINING)
def test_visible_tests_pass_on_the_solution(prepared: dict[str, Any], question: str) -> None:
    """By itself: no other question has been answered. Afterwards only a checking function has been added."""
    names = dict(prepared)
    exec(solved(question), names)
    before = set(names)
    exec(cells()[f"test_{question}"].source, names)
    assert {name for name in set(names) - before if not name.startswith("_check_")} == set()


@tensorflow
@pytest.mark.parametrize("question", WITHOUT_TRAINING)
def test_visible_tests_fail_on_the_release(prepared: dict[str, Any], question: str) -> None:
    """The stub says that nothing is there yet."""
    names = dict(prepared)
    exec(cleared(question), names)
    with pytest.raises(NotImplementedError):
        exec(cells()[f"test_{question}"].source, names)


@tensorflow
@pytest.mark.parametrize("question", ["training", "evaluation", "figures"])
def test_release_of_what_is_wired_fails_at_once(prepared: dict[str, Any], question: str) -> None:
    """The cell itself raises, and so does its visible test."""
    names = dict(prepared)
    with pytest.raises(NotImplementedError):
        exec(cleared(question), names)
    with pytest.raises((AssertionError, NameError)):
        exec(cells()[f"test_{question}"].source, names)


def trained_by_hand(names: dict[str, Any]) -> dict[str, Any]:
    """Names as they stand after training, without any training."""
    import pandas as pd

    history = {key: [0.5, 0.4] for key in ("loss", "val_loss", "mae", "val_mae", "rmse", "val_rmse")}
    table = pd.DataFrame(0.3, index=["naive", "mlp", "recurrent"], columns=["mae_T", "mae_p", "rmse_T", "rmse_p"])
    figure, axes = names["plt"].subplots()
    axes.plot([1, 2])
    names["plt"].close(figure)
    return {
        **names,
        "train": print,
        "histories": {"mlp": dict(history), "recurrent": dict(history)},
        "forecasters": dict.fromkeys(table.index, abs),
        "results": table,
        "figure_curves": figure,
        "figure_forecasts": figure,
    }


@tensorflow
@pytest.mark.parametrize("question", ["training", "evaluation", "beat_baseline", "gpu_training", "figures"])
def test_visible_tests_after_training_pass(prepared: dict[str, Any], question: str) -> None:
    exec(cells()[f"test_{question}"].source, trained_by_hand(prepared))


@tensorflow
@pytest.mark.parametrize(
    ("question", "change", "message"),
    [
        ("training", lambda names: names["histories"]["mlp"].pop("val_rmse"), "has no 'val_rmse'"),
        ("training", lambda names: names["histories"].pop("recurrent"), "not only"),
        ("training", lambda names: names.update(EPOCHS=1), "EPOCHS is 1"),
        ("evaluation", lambda names: names["forecasters"].update(lstm=abs), "missing: \\['lstm'\\]"),
        ("evaluation", lambda names: names["results"].pop("mae_p"), "columns"),
        ("beat_baseline", lambda names: names.update(forecasters={"naive": abs}), "at least one trained model"),
        ("figures", lambda names: names.update(figure_curves=None), "not NoneType"),
    ],
)
def test_visible_tests_after_training_fail(prepared: dict[str, Any], question: str, change: Any, message: str) -> None:
    names = trained_by_hand(prepared)
    change(names)
    with pytest.raises(AssertionError, match=message):
        exec(cells()[f"test_{question}"].source, names)
