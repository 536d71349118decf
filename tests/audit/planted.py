"""Violations, one or more for each rule of the audit: what an instructor may get wrong, and what is told of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import numpy as np
from nbformat.v4 import new_output

from tests.audit.small_course import MEAN, NAME, SECRET, SmallCourse, named

Plant = Callable[[SmallCourse], object]
SOLUTION = "\n".join(MEAN.splitlines()[3:-1])
PLANTED: dict[str, list[tuple[str, Plant, str]]] = {}


def planted(rule: str, found: str) -> Callable[[Plant], Plant]:
    """Register the function below as a violation of a rule, which is told with these words."""

    def register(plant: Plant) -> Plant:
        PLANTED.setdefault(rule, []).append((plant.__name__, plant, found))
        return plant

    return register


def released_source(course: SmallCourse, name: str, source: str) -> None:
    """Put text into a cell of the release."""
    course.edit(course.release, lambda notebook: named(notebook, name).update(source=source))


def in_probe(course: SmallCourse, line: str) -> None:
    """Put a line at the beginning of a probe."""
    course.change(course.hidden(), "def probe(student, given):\n", f"def probe(student, given):\n    {line}\n")


# What has to agree.


@planted("unreadable", "no such file")
def a_release_that_is_missing(course):
    course.release.unlink()


@planted("unreadable", "cannot be read")
def a_hidden_test_that_is_no_python(course):
    course.write(course.hidden(), "def probe(:")


@planted("unreadable", "must begin with a docstring")
def a_demo_student_without_a_story(course):
    course.write(course.home / "mutants" / "wrong_nothing.py", "EXPECTED = {}\n")


@planted("questions-disagree", "has 1 points, the configuration 3")
def points_of_another_number(course):
    course.change(course.config, 'id="mean", points=1', 'id="mean", points=3')


@planted("questions-disagree", "no cell `test_shortest`")
def a_question_without_cells(course):
    course.change(course.config, 'id="longest"', 'id="shortest"')


@planted("order-disagrees", "longest, mean, discussion")
def questions_in_another_order(course):
    course.edit(course.source, lambda notebook: notebook.cells.insert(2, notebook.cells.pop(5)))


@planted("hidden-tests-disagree", "there is no such file")
def a_question_without_hidden_tests(course):
    course.hidden().unlink()


@planted("hidden-tests-disagree", "no question median")
def hidden_tests_without_a_question(course):
    course.hidden().rename(course.hidden("median"))


@planted("hidden-tests-disagree", "graded by hand")
def hidden_tests_of_a_question_for_a_person(course):
    course.write(course.hidden("discussion"), course.hidden().read_text())


@planted("demo-student-disagrees", "median")
def a_demo_student_of_an_unknown_question(course):
    course.change(course.home / "mutants" / "wrong_mean.py", '{"mean": "partial"}', '{"median": "partial"}')


@planted("demo-student-disagrees", "lose no points")
def a_wrong_demo_student_who_loses_nothing(course):
    course.change(course.home / "mutants" / "wrong_mean.py", '{"mean": "partial"}', "{}")


@planted("demo-student-disagrees", "said to be right")
def a_right_demo_student_who_loses_points(course):
    course.change(course.home / "mutants" / "wrong_mean.py", "RIGHT = False", "RIGHT = True")


@planted("release-outdated", "not what the source notebook has")
def a_visible_test_that_has_changed(course):
    released_source(course, "test_mean", 'assert mean_length(["a"]) == 1')


@planted("release-outdated", "other cells than in the source")
def a_cell_that_was_not_released(course):
    course.edit(course.release, lambda notebook: notebook.cells.pop(0))


@planted("release-outdated", "description of itself")
def a_description_of_older_parameters(course):
    def describe(notebook):
        notebook.metadata["autograder"] = {"names": {"mean": ["mean_length"]}, "profiles": {}, "data": None}

    course.edit(course.release, describe)


@planted("parameters-disagree", "no value for BATCH_SIZE")
def a_parameter_that_the_notebook_does_not_know(course):
    course.change(course.config, '{"EPOCHS": 2}', '{"EPOCHS": 2, "BATCH_SIZE": 8}')


@planted("parameters-disagree", "0 cells have the tag")
def no_cell_of_parameters(course):
    course.edit(course.source, lambda notebook: named(notebook, "parameters").metadata.pop("tags"))


@planted("contract-name-missing", "does not define")
def a_name_that_the_solution_does_not_define(course):
    course.change(course.config, '"mean_length",', '"mean_length", "median_length",')


@planted("contract-name-missing", "neither the text nor the visible tests name")
def a_name_that_students_are_not_told(course):
    for path in (course.source, course.release):
        course.edit(path, lambda notebook: notebook.cells[0].update(source="# Films"))
        course.edit(path, lambda notebook: named(notebook, "test_mean").update(source="assert True"))


# What must not leave with the release.


@planted("secret-in-release", "cell mean")
def a_solution_without_marks(course):
    released_source(course, "mean", "def mean_length(texts):\n" + SOLUTION)


@planted("secret-in-release", "cell mean")
def a_solution_in_another_layout(course):
    released_source(course, "mean", "def mean_length(texts):\n" + SOLUTION.replace("    ", "\t").replace(" = ", "="))


@planted("secret-in-release", "cell test_mean")
def hidden_lines_of_a_test_cell(course):
    lines = "for n in range(9):\n    texts = ['a ' * n, 'b']\n    assert mean_length(texts) == (n + 1) / 2, f'{n + 1} words'"
    visible = 'assert mean_length(["a b"]) == 2'
    hidden = f"{visible}\n### BEGIN HIDDEN TESTS\n{lines}\n### END HIDDEN TESTS"
    course.edit(course.source, lambda notebook: named(notebook, "test_mean").update(source=hidden))
    assert course.audit() == []
    released_source(course, "test_mean", f"{visible}\n{lines}")


@planted("secret-in-release", "test_longest.py")
def a_hidden_test_in_a_text_file(course):
    course.write(course.release.parent / "notes.txt", course.hidden("longest").read_text())


@planted("secret-in-release", "oracles.py")
def an_oracle_in_metadata(course):
    oracle = (course.folder / "oracles.py").read_text()
    course.edit(course.release, lambda notebook: notebook.metadata.update(kernelspec={"name": oracle}))


@planted("mark-in-release", "BEGIN HIDDEN TESTS")
def a_mark_of_nbgrader(course):
    released_source(course, "test_mean", "### BEGIN HIDDEN TESTS\nassert True\n### END HIDDEN TESTS")


@planted("output-in-release", "1 stored outputs")
def a_stored_output(course):
    def run(notebook):
        named(notebook, "test_mean").outputs = [new_output("stream", name="stdout", text="2.0")]

    course.edit(course.release, run)


@planted("metadata-in-release", "author")
def the_author_in_metadata(course):
    course.edit(course.release, lambda notebook: notebook.metadata.update(author="somebody"))


@planted("attachment-in-release", "answer.png")
def an_attachment_that_no_text_shows(course):
    pixel = base64.b64encode(b"pixel").decode()
    course.edit(
        course.release, lambda notebook: notebook.cells[0].update(attachments={"answer.png": {"image/png": pixel}})
    )


@planted("path-in-release", "solutions/films/data.csv")
def a_path_of_the_solutions(course):
    released_source(course, "test_mean", 'open("solutions/films/data.csv")')


@planted("path-in-release", "reviews.jsonl")
def a_path_of_this_machine(course):
    released_source(course, "test_mean", f'open("{course.folder}/reviews.jsonl")')


@planted("file-in-release", "never leaves")
def a_folder_of_hidden_tests(course):
    course.write(course.release.parent / "hidden_tests" / "test_mean.py", "")


@planted("file-in-release", "nothing of this name")
def a_file_that_nobody_put_there(course):
    course.write(course.release.parent / "draft.txt", "A draft.")


@planted("file-in-release", "not what lies in")
def a_file_that_differs_from_its_source(course):
    course.write(course.home / "data" / "words.txt", "one")
    course.write(course.release.parent / "data" / "words.txt", "two")


# What must not leave with grading or with the package.


@planted("test-in-feedback", "hidden_tests/test_")
def a_traceback_of_a_hidden_test(course):
    source = course.hidden().read_text().partition("@pytest.mark.weight")[2]
    course.write(course.report() / "feedback.html", f"<pre>{source.replace('<', '&lt;')}</pre>")


@planted("test-in-feedback", "test_longest.py")
def a_probe_in_an_executed_notebook(course):
    probe = course.hidden("longest").read_text().partition("def given")[2]
    course.edit(course.report() / "executed.ipynb", lambda notebook: notebook.cells[0].update(source=probe))


@planted("solution-in-feedback", "cell mean")
def a_solution_in_a_page_of_nbgrader(course):
    submission = course.folder / "submitted" / "student-01" / NAME / f"{NAME}.ipynb"
    course.edit(submission, lambda notebook: named(notebook, "mean").update(source="def mean_length(texts): ..."))
    page = "".join(f"<span>{word}</span>" for word in SOLUTION.split())
    course.write(course.folder / "feedback" / "student-01" / NAME / f"{NAME}.html", page)


@planted("solution-in-feedback", "oracles.py")
def an_oracle_in_a_report(course):
    report = {"message": (course.folder / "oracles.py").read_text()}
    course.write(course.report() / "report.json", json.dumps(report))


@planted("path-in-feedback", "gradebook.db")
def a_path_in_a_message(course):
    course.write(course.report() / "report.json", json.dumps({"message": f"{course.folder}/gradebook.db is locked"}))


@planted("secret-in-package", "solutions/films")
def a_package_with_solutions(course):
    project = '[project]\nname = "films"\nversion = "1"\n[build-system]\nbuild-backend = "hatchling.build"\n'
    project += '[tool.hatch.build.targets.wheel]\npackages = ["tools"]\n[tool.hatch.build.targets.sdist]\n'
    project += 'include = ["solutions", "tools"]\n'
    course.write(course.folder / "pyproject.toml", project)
    course.write(course.folder / "tools" / "__init__.py", "")


@planted("withheld-in-release", "The projector broke twice")
def a_withheld_review_in_the_text(course):
    course.edit(course.release, lambda notebook: notebook.cells[0].update(source=f"> {SECRET}"))


@planted("withheld-in-release", "items of its arrays")
def a_withheld_picture_in_an_array(course):
    pictures = np.arange(2 * 64).reshape(2, 8, 8).astype("uint8")
    data = course.folder / ".autograder" / "data" / "reviews" / "pictures"
    for part, shown in (("public", pictures[:1]), ("withheld", pictures[1:])):
        (data / part).mkdir(parents=True)
        np.savez(data / part / "scenes.npz", images=shown)
    course.write(data / "dataset.json", "{}")
    np.savez(course.release.parent / "examples.npz", images=pictures)


@planted("withheld-in-feedback", "The projector broke twice")
def a_withheld_review_in_an_output(course):
    def run(notebook):
        named(notebook, "test_mean").outputs = [new_output("stream", name="stdout", text=f"[{SECRET!r}, 1]")]

    course.edit(course.report() / "executed.ipynb", run)


@planted("data-digest", "its manifest says")
def data_that_have_changed(course):
    path = next(course.folder.glob(".autograder/data/reviews/*/withheld/reviews.jsonl"))
    path.write_text(path.read_text() + "\n")


@planted("data-digest", "not here any more")
def a_report_on_other_data(course):
    course.write(course.report() / "report.json", json.dumps({"provenance": {"data_sha256": "0" * 64}}))


# Probes.


@planted("probe-not-self-contained", "`TEXTS` is defined outside")
def a_probe_that_uses_its_module(course):
    in_probe(course, "longest = max(len(text) for text in TEXTS)")


@planted("probe-not-self-contained", "`oracle_mean` is defined outside")
def a_default_from_outside(course):
    course.change(course.hidden(), "def probe(student, given):", "def probe(student, given=oracle_mean):")


@planted("probe-not-self-contained", "should take the student")
def a_probe_of_one_argument(course):
    course.change(course.hidden(), "def probe(student, given):", "def probe(student):\n    given = student.given")


@planted("probe-import", "the probe imports oracles")
def a_probe_that_imports_an_oracle(course):
    in_probe(course, "import oracles")


@planted("expected-value-in-probe", "0.98765")
def an_answer_in_a_probe(course):
    in_probe(course, "near = abs(student.mean_length(given.texts) - 0.98765) < 1e-3")


@planted("expected-value-in-probe", "5 numbers")
def answers_in_a_probe(course):
    in_probe(course, "right = [3, 1, 4, 1, 5]")


@planted("expected-value-in-probe", "'cinema', which a test of this file expects")
def a_word_that_a_test_expects(course):
    in_probe(course, 'word = "cinema"')
    course.change(course.hidden(), 'evidence["value"]\n', 'evidence["value"]\n    expect(received != "cinema", "")\n')


@planted("answer-travels", "`answer` travels")
def an_answer_that_travels(course):
    course.change(course.hidden(), ").keep(", ").then(")


@planted("contract-name-unknown", "the source notebook does not define")
def a_probe_that_asks_for_what_there_is_not(course):
    in_probe(course, "other = student.median_length")


@planted("contract-name-unknown", "the release never names")
def a_probe_that_asks_for_a_secret_name(course):
    course.edit(course.source, lambda notebook: named(notebook, "mean").update(source=f"helper = 1\n{MEAN}"))
    in_probe(course, "other = student.helper")


# Hidden tests.


@planted("missing-docstring", "test_value has no docstring")
def a_test_without_a_docstring(course):
    course.change(course.hidden(), '    """The value is right."""\n', "")


@planted("missing-hint", "test_value never gives a hint")
def a_test_without_a_hint(course):
    course.change(course.hidden(), ', hint="Count words, not letters."', "")


@planted("cannot-fail", "test_empty has no way")
def a_test_that_asserts(course):
    whole = 'expect(not evidence["empty"], "Nothing is expected.", received=evidence["empty"], hint="Look at an empty list first.")'
    course.change(course.hidden(), whole, 'assert not evidence["empty"]')


@planted("cannot-fail", "no test in this file")
def a_file_without_tests(course):
    course.change(course.hidden(), "def test_", "def look_at_")


@planted("no-mutant", "no demo student is wrong in mean")
def a_question_in_which_nobody_is_wrong(course):
    (course.home / "mutants" / "wrong_mean.py").unlink()


@planted("requires-unknown", "requires 'test_empty'")
def a_test_that_requires_itself(course):
    course.change(course.hidden(), 'requires("test_value")', 'requires("test_empty")')


@planted("weight-unusable", "has the weight -1")
def a_weight_below_zero(course):
    course.change(course.hidden(), "weight(2)", "weight(-1)")


@planted("weight-unusable", "the weight 0, so that nothing")
def weights_that_are_all_zero(course):
    course.change(course.hidden(), "weight(2)", "weight(0)")
    course.change(course.hidden(), '@pytest.mark.requires("test_value")', "@pytest.mark.weight(0)")
