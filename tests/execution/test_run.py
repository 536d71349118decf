"""An ordinary notebook with a student's ordinary mistakes; about 4 s a level."""

import pytest

CELLS = {
    "parameters": "A = 1\nDATA_PATH = 'nothing'",
    "show": "print(A, open(DATA_PATH).read())",
    "helper": "def divide(x):\n    # comment\n    return x / 0",
    "test_helper": "\ndivide(1)",
    "syntax": "x = (1,\ny = 2",
    "asks": "input('name? ')",
    "shell": "%%bash\necho from bash",
    "leaves": "import sys\nsys.exit(3)",
    "deep": "def f(n):\n    return f(n + 1)\nf(0)",
    "stateful": "count = 0\nprint('last')",
    "after": "print(count, sorted(name for name in dir() if 'autograder' in name or name in ('load', 'sources')))",
}
PROBES = {
    "stateful": "def probe(names, given):\n    return {'A': names['A'], 'given': given}",
    "leaves": "def probe(names, given):\n    print('never seen')\n    raise ValueError('broken probe')",
    "deep": "def probe(names, given):\n    import time\n    time.sleep(60)",
    "shell": "def probe(names, given):\n    return None",
}


@pytest.fixture(scope="module")
def result(level, run, tmp_path_factory):
    data = tmp_path_factory.mktemp("data") / "weather.csv"
    data.write_text("sunny")
    return run(level, CELLS, probes=PROBES, parameters={"A": 5, "DATA_PATH": str(data)}, data=data)


def test_parameters_are_injected_and_data_are_shown(result):
    assert result.text("show") == "5 sunny\n"
    assert "injected-parameters" in result.notebook.cells[1].metadata.tags


def test_errors_do_not_stop_the_run(result):
    outcomes = {cell.grade_id: cell.outcome for cell in result.cells}
    assert outcomes["test_helper"] == outcomes["syntax"] == outcomes["leaves"] == outcomes["deep"] == "error"
    assert outcomes["after"] == "ok"
    assert not result.kernel_died


def test_an_error_names_the_students_line(result):
    error = result.cell("test_helper").error
    assert (error.name, error.message) == ("ZeroDivisionError", "division by zero")
    assert (error.line, error.source) == (3, "return x / 0")
    assert result.cell("syntax").error.name == "SyntaxError"
    assert result.cell("deep").error.name == "RecursionError"


def test_input_fails_at_once(result):
    assert result.cell("asks").error.name == "StdinNotImplementedError"
    assert result.cell("asks").seconds < 5


def test_shell_magic_works(result):
    assert result.text("shell") == "from bash\n"


def test_a_probe_leaves_evidence_but_no_trace(result):
    assert result.evidence("stateful") == {"A": 5, "given": "given"}
    assert result.probe("stateful").outcome == "ok"
    assert result.text("after") == "0 []\n"
    assert "never seen" not in str(result.notebook)


def test_what_goes_wrong_in_a_probe_is_told(result):
    assert result.probe("leaves").outcome == "failed"
    assert "broken probe" in result.probe("leaves").message
    assert result.probe("shell").outcome == "failed"
    assert "no evidence" in result.probe("shell").message
    assert result.probe("deep").outcome == "timeout"
    assert 2.5 < result.probe("deep").seconds < 8
    assert sorted(path.name for path in (result.folder / "evidence").iterdir()) == ["stateful.npz"]


def test_progress_and_record(result):
    assert [done for done, _, _ in result.progress] == list(range(1, 13))
    assert result.progress[-1] == (12, 12, "after")
    assert result.cells[1].grade_id is None  # the injected parameters
    assert result.cell("after").index == 11
    assert result.cell("show").output_bytes == len("5 sunny\n")
    assert result.startup_seconds > 0
    assert result.peak_memory_mb > 1  # in a control group, what the kernel needed to start does not count
    assert result.notebook.cells[2].metadata.papermill.status == "completed"
    assert result.limits_exceeded == ()


def test_a_probe_whose_cell_is_missing_is_not_run(run):
    result = run("none", {"a": "1"}, probes={"elsewhere": "def probe(names, given): return {}"})
    assert result.probe("elsewhere").outcome == "not_run"
    assert "no cell" in result.probe("elsewhere").message
