"""The notebook keeps the contract, its visible tests tell an answer from a stub, its pictures say what is so. Fifteen seconds."""

import ast
import base64
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from autograder.mutants import read_mutant, read_mutants
from reference_models.convolution_oracles import LECTURE_FEATURE_MAP

FOLDER = Path(__file__).resolve().parents[3] / "solutions" / "cnn_detection"
POINTS = {
    "convolution": 0.20,
    "pooling": 0.10,
    "layer_arithmetic": 0.10,
    "iou": 0.15,
    "nms": 0.15,
    "grid_encoding": 0.25,
    "models": 0.25,
    "localization": 0.25,
    "detection": 0.30,
    "gpu_training": 0.05,
    "figure": 0.05,
    "discussion": 0.15,
}
DEFINES = {
    "convolution": {"conv2d"},
    "pooling": {"max_pool2d"},
    "layer_arithmetic": {"conv_output_size", "conv_parameters"},
    "iou": {"iou"},
    "nms": {"non_max_suppression"},
    "grid_encoding": {"encode_grid", "decode_grid"},
    "models": {"build_localizer", "build_detector"},
}
NOTHING_NEW = {"gpu_training"}
REGION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION$", re.MULTILINE | re.DOTALL)
NOTEBOOK = nbformat.read(FOLDER / "cnn_detection.ipynb", as_version=4)
CELLS = {cell.id: cell for cell in NOTEBOOK.cells}
MUTANTS = sorted(path.stem for path in (FOLDER / "mutants").glob("*.py"))


def cleared(question: str) -> str:
    """The cell as it is released."""
    return REGION.sub(r"\1# YOUR CODE HERE\n\1raise NotImplementedError()", CELLS[question].source)


def code_cells_in_order() -> list[str]:
    ids = ["parameters", "setup"]
    for question in POINTS:
        if question != "discussion":
            ids += [f"test_{question}"] if question in NOTHING_NEW else [question, f"test_{question}"]
    return ids


def test_cells_flags_and_points() -> None:
    nbformat.validate(NOTEBOOK)
    code = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code] == code_cells_in_order()
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    graded = [cell for cell in NOTEBOOK.cells if "nbgrader" in cell.metadata]
    assert [cell.metadata.nbgrader.grade_id for cell in graded] == [*code_cells_in_order(), "discussion"]
    for cell in graded:
        about, name = cell.metadata.nbgrader, cell.id
        assert (about.schema_version, about.cell_type, about.task) == (3, cell.cell_type, False)
        flags = (about.grade, about.solution, about.locked)
        if name == "discussion":
            assert flags == (True, True, False)
        elif name.startswith("test_"):
            assert flags == (True, False, True)
        else:
            assert flags == ((False, True, False) if name in POINTS else (False, False, True))
        assert about.get("points") == (POINTS[name.removeprefix("test_")] if about.grade else None)
    assert sum(POINTS.values()) == pytest.approx(2.0)


def test_parameters() -> None:
    cell = CELLS["parameters"]
    assert cell.metadata.tags == ["parameters"]
    values = {statement.targets[0].id: ast.literal_eval(statement.value) for statement in ast.parse(cell.source).body}
    assert {name: type(value) for name, value in values.items()} == {
        "DATA_PATH": str, "SEED": int, "EPOCHS": int, "N_IMAGES": int,
    }  # fmt: skip


@pytest.mark.parametrize("question", POINTS)
def test_every_question_is_introduced(question: str) -> None:
    listed = NOTEBOOK.cells
    first = next(i for i, cell in enumerate(listed) if cell.id in {question, f"test_{question}"})
    text = listed[first - 1].source
    assert listed[first - 1].cell_type == "markdown"
    assert f"({POINTS[question]:.2f} points" in text
    assert "Lecture topic" in text
    assert question == "discussion" or "*Hint.*" in text


def test_picture_of_the_window_shows_the_feature_map() -> None:
    """The sums below the three windows are those of the lecture's feature map, at the places that it names."""
    encoded = re.search(r"data:image/svg\+xml;base64,([\w+/=]+)", CELLS["intro_convolution"].source)
    assert encoded
    svg = base64.b64decode(encoded.group(1)).decode()
    places = [(int(row), int(column)) for row, column in re.findall(r"window at row (\d), column (\d)", svg)]
    sums = [int(total) for total in re.findall(r"= (\d+)</text>", svg)]
    assert len(places) == len(sums) == 3
    assert [LECTURE_FEATURE_MAP[place] for place in places] == sums


@pytest.fixture(scope="module")
def prepared() -> dict[str, Any]:
    """The notebook's names after its setup cell."""
    import matplotlib as mpl

    mpl.use("Agg")
    names: dict[str, Any] = {}
    exec(CELLS["parameters"].source, names)
    exec(CELLS["setup"].source, names)
    return names


tensorflow = pytest.mark.filterwarnings("ignore")  # its import warns, each release differently


@tensorflow
def test_setup_loads_scenes(prepared: dict[str, Any], scenes: Any) -> None:
    images, boxes, labels = prepared["load_scenes"](scenes.public, 30)
    assert (images.shape, images.dtype) == ((30, 64, 64, 1), np.uint8)
    assert [len(each) for each in boxes] == [len(each) for each in labels]
    assert set(map(len, boxes)) == {1, 2, 3}
    one_images, one_boxes, one_labels = prepared["single_object"](images, boxes, labels)
    m = sum(len(each) == 1 for each in labels)
    assert (one_images.shape, one_boxes.shape, one_labels.shape) == ((m, 64, 64, 1), (m, 4), (m,))
    assert (prepared["IMAGE_SIZE"], prepared["GRID"], prepared["N_CLASSES"]) == (64, 8, 10)


@tensorflow
@pytest.mark.parametrize("question", DEFINES)
def test_visible_tests(prepared: dict[str, Any], question: str) -> None:
    """They pass on the solution and fail on the stub; `nms` may use `iou`, as everything later may."""
    names = dict(prepared)
    exec(CELLS["iou"].source, names)
    released = dict(names)
    exec(CELLS[question].source, names)
    before = set(names)
    exec(CELLS[f"test_{question}"].source, names)
    assert {name for name in set(names) - before if not name.startswith("_check_")} == set()
    assert set(names) >= DEFINES[question]
    exec(cleared(question), released)
    with pytest.raises(NotImplementedError):
        exec(CELLS[f"test_{question}"].source, released)


@tensorflow
@pytest.mark.parametrize("question", ["localization", "detection", "figure"])
def test_release_of_what_is_wired_fails_at_once(prepared: dict[str, Any], question: str) -> None:
    names = dict(prepared)
    with pytest.raises(NotImplementedError):
        exec(cleared(question), names)
    with pytest.raises((AssertionError, NameError)):
        exec(CELLS[f"test_{question}"].source, names)


@pytest.mark.parametrize("question", [name for name in POINTS if name not in NOTHING_NEW | {"discussion"}])
def test_release_is_a_stub(question: str) -> None:
    source = CELLS[question].source
    assert source.count("### BEGIN SOLUTION") == source.count("### END SOLUTION") == len(REGION.findall(source)) >= 1
    for statement in ast.parse(cleared(question)).body:
        if isinstance(statement, ast.FunctionDef):
            assert ast.get_docstring(statement)
            (stub,) = statement.body[1:]
            assert ast.unparse(stub) == "raise NotImplementedError()"


def test_there_are_enough_mutants_of_both_kinds() -> None:
    mutants = read_mutants(FOLDER / "mutants")
    assert sum(mutant.right for mutant in mutants) >= 4
    assert sum(not mutant.right for mutant in mutants) >= 15
    lost = {question for mutant in mutants for question in mutant.expected}
    assert lost == set(POINTS) - {"gpu_training", "discussion"}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant(name: str) -> None:
    """A right one expects nothing but passes; a wrong one loses something; its cells replace answers and differ from them."""
    mutant = read_mutant(FOLDER / "mutants" / f"{name}.py")
    assert name.startswith("right_" if mutant.right else "wrong_")
    assert mutant.right == (not mutant.expected)
    assert set(mutant.expected) <= set(POINTS) - {"gpu_training", "discussion"}
    assert mutant.cells
    for question, source in mutant.cells.items():
        ast.parse(source)
        assert "SOLUTION" not in source
        assert source.strip() != CELLS[question].source.strip()
