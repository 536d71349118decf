"""The source notebook obeys the contract, and its visible tests tell an answer from a stub. With TensorFlow; 8 seconds."""

import ast
import base64
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[3] / "solutions" / "text_vectorization" / "text_vectorization.ipynb"
POINTS = {
    "standardize": 0.10,
    "tokenize": 0.10,
    "subwords": 0.20,
    "vocabulary": 0.15,
    "encode": 0.15,
    "bag_of_words": 0.25,
    "keras_vectorizer": 0.15,
    "split_reviews": 0.10,
    "models": 0.20,
    "classify": 0.35,
    "gpu_training": 0.05,
    "discussion": 0.20,
}
ANSWERED_IN_CODE = [question for question in POINTS if question not in {"gpu_training", "discussion"}]
WITHOUT_TRAINING = ANSWERED_IN_CODE[:-1]
REGION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION$", re.MULTILINE | re.DOTALL)
PARAMETERS = {"DATA_PATH", "SEED", "EPOCHS", "MAX_TOKENS", "SEQUENCE_LENGTH", "N_REVIEWS"}
tensorflow = pytest.mark.filterwarnings("default")  # its import warns, each release differently


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=nbformat.NO_CONVERT)


CELLS = {cell.id: cell for cell in read().cells}


def cleared(question: str) -> str:
    """The cell as it is released."""
    return REGION.sub(r"\1# YOUR CODE HERE\n\1raise NotImplementedError()", CELLS[question].source)


def test_format_and_cells() -> None:
    """Code cells are those of the contract in its order, without outputs."""
    notebook = read()
    nbformat.validate(notebook)
    ids = ["parameters", "setup"]
    for question in POINTS:
        if question != "discussion":
            ids += [f"test_{question}"] if question == "gpu_training" else [question, f"test_{question}"]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code] == ids
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert notebook.metadata.kernelspec.name == "python3"


def test_grade_ids_flags_and_points() -> None:
    graded = [cell for cell in CELLS.values() if "nbgrader" in cell.metadata]
    for cell in graded:
        about, name = cell.metadata.nbgrader, cell.id
        assert (about.schema_version, about.cell_type, about.grade_id, about.task) == (3, cell.cell_type, name, False)
        flags = (about.grade, about.solution, about.locked)
        if name == "discussion":
            assert flags == (True, True, False)
        elif name.startswith("test_"):
            assert flags == (True, False, True)
        else:
            assert flags == ((False, True, False) if name in POINTS else (False, False, True))
        assert about.get("points") == (POINTS[name.removeprefix("test_")] if about.grade else None)
    assert sum(cell.metadata.nbgrader.get("points", 0) for cell in graded) == pytest.approx(sum(POINTS.values()))


def test_parameters_are_plain_assignments() -> None:
    body = ast.parse(CELLS["parameters"].source).body
    assert {statement.targets[0].id for statement in body} == PARAMETERS
    assert all(isinstance(statement.value, ast.Constant) for statement in body)
    assert CELLS["parameters"].metadata.tags == ["parameters"]


@pytest.mark.parametrize("question", POINTS)
def test_every_question_is_introduced(question: str) -> None:
    """Its points, its lecture topic and a hint stand right above it."""
    listed = read().cells
    first = next(i for i, cell in enumerate(listed) if cell.id in {question, f"test_{question}"})
    text = listed[first - 1].source
    assert f"({POINTS[question]:.2f} points" in text
    assert "Lecture topic" in text
    assert question == "discussion" or "*Hint.*" in text


@pytest.mark.parametrize("question", ANSWERED_IN_CODE)
def test_solution_is_delimited_and_its_release_is_a_stub(question: str) -> None:
    """Every function keeps signature and docstring; nothing of its body is outside the delimiters."""
    source = CELLS[question].source
    assert source.count("### BEGIN SOLUTION") == source.count("### END SOLUTION") == len(REGION.findall(source)) >= 1
    for statement in ast.parse(cleared(question)).body:
        if isinstance(statement, ast.FunctionDef):
            assert ast.get_docstring(statement)
            (stub,) = statement.body[1:]
            assert ast.unparse(stub) == "raise NotImplementedError()"


def test_the_picture_shows_the_chain() -> None:
    """The drawn example is what the reference makes of it: its words, their indices, and its bag."""
    from reference_models.text_oracles import encode, multi_hot, tokenize

    (encoded,) = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", CELLS["intro"].source)
    texts = [element.text for element in ET.fromstring(base64.b64decode(encoded)).iter() if element.text]
    raw = "The movie was <b>not</b> great!"
    vocabulary = {"": 0, "[UNK]": 1, "great": 2, "movie": 3, "the": 4, "was": 5, "not": 6}
    assert raw in texts
    assert "the movie was not great" in texts
    start = texts.index("the")
    assert texts[start : start + 5] == tokenize(raw)
    numbers = [int(text) for text in texts if text.isdigit()]
    bag = multi_hot([raw], vocabulary)[0].astype(int).tolist()
    assert numbers == [*encode(raw, vocabulary), *encode(raw, vocabulary, 8), *bag]


@pytest.fixture(scope="module")
def prepared() -> dict[str, Any]:
    """The notebook's names after its setup cell."""
    import matplotlib as mpl

    mpl.use("Agg")
    names: dict[str, Any] = {}
    exec(CELLS["parameters"].source, names)
    exec(CELLS["setup"].source, names)
    return names


@tensorflow
def test_setup_gives_what_the_contract_names(prepared: dict[str, Any], tmp_path: Path) -> None:
    assert {"np", "pd", "tf", "keras", "plt"} <= set(prepared)
    assert set(prepared["PUNCTUATION"]) == set(r"""!"#$%&()*+,-./:;<=>?@[\]^_`{|}~'""")
    lines = [{"text": "café\u2028a", "label": 1}, {"text": "b", "label": 0}, {"text": "c", "label": 1}]
    path = tmp_path / "reviews.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    texts, labels = prepared["load_reviews"](path, 2)
    assert texts == ["café\u2028a", "b"]
    assert labels.tolist() == [1, 0]


@tensorflow
def test_visible_tests_pass_on_the_solution(prepared: dict[str, Any]) -> None:
    """Afterwards only checking functions have been added."""
    names = dict(prepared)
    for question in WITHOUT_TRAINING:
        exec(CELLS[question].source, names)
        before = set(names)
        exec(CELLS[f"test_{question}"].source, names)
        assert {name for name in set(names) - before if not name.startswith("_check_")} == set()


@tensorflow
@pytest.mark.parametrize("question", WITHOUT_TRAINING)
def test_visible_tests_fail_on_the_release(prepared: dict[str, Any], question: str) -> None:
    names = dict(prepared)
    exec(cleared(question), names)
    with pytest.raises(NotImplementedError):
        exec(CELLS[f"test_{question}"].source, names)


@tensorflow
def test_visible_tests_of_classify(prepared: dict[str, Any]) -> None:
    """They need no particular classifier, and see a wrong shape and a missing name."""
    np = prepared["np"]
    right = {name: lambda texts: np.full(len(texts), 0.5) for name in ("bag_of_words", "sequence")}
    results = dict.fromkeys(right, 0.5)
    exec(CELLS["test_classify"].source, {**prepared, "classifiers": right, "results": results})
    columns = {**right, "sequence": lambda texts: np.full((len(texts), 1), 0.5)}
    for wrong in ({"sequence": right["sequence"]}, columns):
        with pytest.raises(AssertionError):
            exec(CELLS["test_classify"].source, {**prepared, "classifiers": wrong, "results": results})
