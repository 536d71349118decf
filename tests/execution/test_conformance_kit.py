"""The test of the test: a sandbox that confines nothing is found out, promise by promise; about 20 s.

That the package's own levels keep the promises is tested by the kit itself, which `make test` runs as well.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.execution.conformance import Level, load_sandbox
from autograder.execution.conformance.attempts import Result, attempts_of

KIT = [sys.executable, "-m", "autograder.execution.conformance"]
EXAMPLE = Path(__file__).parents[2] / "docs" / "sandboxes.md"
AREAS = ("reading", "writing", "network", "kernel_surface", "processes")
# What no ordinary process can keep, whoever started it.
MUST_BREAK = {
    "hidden_tests_cannot_be_read",
    "solutions_cannot_be_read",
    "other_submissions_cannot_be_read",
    "gradebook_cannot_be_read",
    "withheld_data_cannot_be_read",
    "course_folder_cannot_be_listed",
    "nothing_of_the_course_lies_anywhere",
    "users_of_the_machine_are_not_told",
    "environment_of_the_grader_does_not_come_in",
    "other_processes_tell_no_secrets",
    "links_in_proc_do_not_lead_out",
    "machine_is_not_described_in_sys",
    "name_of_the_machine_is_not_told",
    "temporary_files_of_others_cannot_be_read",
    "setuid_files_are_worthless",
    "nothing_else_can_be_written",
    "servers_of_the_machine_cannot_be_reached",
    "datagrams_do_not_leave",
    "abstract_sockets_of_the_machine_cannot_be_reached",
    "unix_sockets_of_the_machine_cannot_be_reached",
    "system_calls_are_filtered",
    "no_privileges_can_be_gained",
    "namespaces_are_its_own",
    "no_process_can_be_traced",
    "processes_of_the_machine_are_not_seen",
    "processes_of_the_machine_cannot_be_signalled",
    "first_process_cannot_be_killed",
    "shared_memory_of_the_machine_is_not_seen",
}


def kit(folder, *arguments):
    """Run the kit in `folder`; the finished process and the verdicts."""
    path = os.pathsep.join(part for part in sys.path if part)
    found = folder / "found.json"
    done = subprocess.run(
        [*KIT, *arguments, "--json", str(found)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done, json.loads(found.read_text()) if found.exists() else []


@pytest.fixture
def example(tmp_path):
    """The sandbox of the documentation, as the module that a reader would write."""
    code = next(
        code for code in re.findall(r"```python\n(.*?)```", EXAMPLE.read_text(), re.DOTALL) if "SANDBOX" in code
    )
    (tmp_path / "my_sandbox.py").write_text(code)
    return tmp_path


def test_a_sandbox_that_confines_nothing_is_found_out(example):
    """Every promise that the documentation's example cannot keep is reported by name, and the exit status tells."""
    only = [part for area in AREAS for part in ("--only", area)]
    done, verdicts = kit(example, "--sandbox", "my_sandbox:SANDBOX", *only)
    assert done.returncode == 1, done.stderr
    broken = {verdict["name"] for verdict in verdicts if verdict["outcome"] == "failed"}
    assert MUST_BREAK - broken == set()
    assert {verdict["area"] for verdict in verdicts} == set(AREAS)
    assert "BROKEN" in done.stdout
    assert f"unconfined: {len(verdicts) - len(broken)} promises kept, {len(broken)} broken" in done.stdout


def test_a_known_failure_has_a_reason_and_must_fail(example):
    """A promise that is known to be broken is told with its reason; one that holds all the same is an error."""
    (example / "known.py").write_text(
        "from my_sandbox import Unconfined\n"
        "class Known(Unconfined):\n"
        "    known_failures = {'servers_of_the_machine_cannot_be_reached': 'it has no network of its own',\n"
        "                      'loopback_works_inside': 'it does'}\n"
        "KNOWN = Known()\n"
    )
    done, verdicts = kit(example, "--sandbox", "known:KNOWN", "--only", "network")
    outcomes = {verdict["name"]: (verdict["outcome"], verdict["reason"]) for verdict in verdicts}
    assert outcomes["servers_of_the_machine_cannot_be_reached"] == ("xfailed", "it has no network of its own")
    assert outcomes["loopback_works_inside"][0] == "failed"
    assert done.returncode == 1


def test_a_known_failure_of_no_promise_is_refused(example):
    """A misspelt promise would hide what it is meant to tell."""
    (example / "known.py").write_text(
        "from my_sandbox import Unconfined\nKNOWN = Unconfined()\nKNOWN.known_failures = {'nothing_is_broken': 'x'}\n"
    )
    done, verdicts = kit(example, "--sandbox", "known:KNOWN", "--only", "network")
    assert done.returncode == 2
    assert verdicts == []
    assert "nothing_is_broken" in done.stderr


def test_there_are_enough_promises_and_each_is_a_sentence():
    """Each test of the kit says in its docstring what is promised, and no two have the same name."""
    import importlib
    import inspect

    folder = Path(importlib.import_module("autograder.execution.conformance").__file__).parent
    promises = {}
    for path in sorted(folder.glob("test_*.py")):
        module = importlib.import_module(f"autograder.execution.conformance.{path.stem}")
        for name, test in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_"):
                assert name not in promises
                promises[name] = inspect.getdoc(test) or ""
    assert len(promises) >= 150
    assert [name for name, promise in promises.items() if not promise.endswith(".")] == []


def test_attempts_are_python():
    """The source text above the tests can be compiled, alone and in the order of the file."""
    from autograder.execution.conformance import test_kernel_surface

    sources = attempts_of(test_kernel_surface)
    assert list(sources)[0] == "test_there_are_no_capabilities"
    for name, source in sources.items():
        compile(source, name, "exec")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("lukewarm", "takes warm, cold, none"),
        ("no_such_module:BOX", "No module named"),
        ("autograder.errors:NoSuch", "no attribute"),
        ("autograder.errors:SandboxError", "name, known_failures, execute missing"),
    ],
)
def test_a_sandbox_that_is_none_is_refused(spec, said):
    with pytest.raises(SandboxError, match=said):
        load_sandbox(spec)


def test_levels_are_sandboxes():
    assert load_sandbox("cold") == Level("cold")
    assert load_sandbox("none").name == "none"
    assert load_sandbox("none").why_not() == ""


def test_a_level_that_gives_way_to_another_is_not_taken_for_it(tmp_path, monkeypatch):
    """Where `cold` takes over for `warm`, the kit must not say that `warm` keeps its promises."""
    from autograder.execution.conformance import sandboxes
    from autograder.execution.conformance.attempts import make_plan
    from autograder.records import Run

    taken_over = Run(assignment="a", profile="p", seed=7, sandbox="cold")
    monkeypatch.setattr(sandboxes, "execute", lambda *_, **__: taken_over)
    with pytest.raises(SandboxError, match="'warm' was asked for. Received: a run at 'cold'"):
        Level("warm").execute(make_plan({"a": "1"}), tmp_path)


def test_outcomes_are_read_from_the_notebook(tmp_path):
    """Values, exceptions and cells without an answer."""
    from autograder.execution.conformance.attempts import attempt, prelude, run_cells

    def tried():
        """Stands for a test."""

    source = attempt("call('chroot', b'/no/such/folder')")(tried).attempt
    cells = {"prelude": prelude({}), "refused": source, "value": "answer(lambda: {'x': 1})", "silent": "1 / 0"}
    result = run_cells(Level("none"), tmp_path, cells)
    assert isinstance(result, Result)
    refused = result.outcome("refused")
    assert refused.refused
    assert refused.error in {"FileNotFoundError", "PermissionError"}
    assert refused.denied == (refused.error == "PermissionError")
    assert result.outcome("value").value == {"x": 1}
    assert not result.outcome("value").refused
    assert result.outcome("silent").error == "NoAnswer"
