"""What a probe may leave: one regular file of bounded size, which nothing later can touch. One kernel.

The probes are hostile here; in grading they are the grader's, and code that waits in the kernel could do the same.
"""

from __future__ import annotations

import json
import os

import pytest

from autograder.execution.conformance.attempts import Result
from autograder.execution.conformance.conftest import Run

_HEAD = (
    "def probe(names, given):\n"
    "    import os, socket, sys, stat\n"
    "    answer = sys.modules['_autograder_runtime'].settings['answer']\n"
    "    folder = os.path.dirname(answer)\n"
)
_PROBES = {
    "first": "return {'x': names['x']}",
    "link": "os.symlink('/etc/passwd', answer)",
    "hard_link": "open(folder + '/one', 'w').close(); os.link(folder + '/one', answer)",
    "fifo": "os.mkfifo(answer)",
    "folder": "os.mkdir(answer)",
    "listener": "socket.socket(socket.AF_UNIX).bind(answer)",
    "huge": "open(answer, 'wb').write(bytes(3 * 2**20))",
    "sparse": "open(answer, 'wb').truncate(8 * 2**20)",
    "missing": "pass",
    "others": "[open(f'{folder}/{n}', 'w').write('x') for n in ('first.npz', 'later.npz', 'x.npz', 'run.json')]",
    "outside": "return {'made': [n for n in ('../x.npz', '../../x.npz') if _made(folder + '/' + n)]}",
    "later": "return {'x': names['x'], 'left': sorted(os.listdir(folder))}",
}
_MADE = """
def _made(path):
    try:
        open(path, "x").close()
    except OSError:
        return False
    return True

"""
_FORGE = """
import os, sys
x = 2
settings = sys.modules["_autograder_runtime"].settings
left = [sorted(os.listdir(settings["outbox"])), sorted(os.listdir(settings["inbox"]))]
open(settings["outbox"] + "/first.npz", "w").write("forged")
"""
_LEFT = "def probe(names, given):\n    return {'left': names['left']}"


@pytest.fixture(scope="module")
def collected(run: Run) -> Result:
    """A run whose probes leave all kinds of things."""
    probes = {name: f"{_MADE}{_HEAD}    {source}" for name, source in _PROBES.items()}
    cells = {"first": "x = 1", "forge": _FORGE, **{name: "x = 2" for name in _PROBES if name != "first"}, "after": "3"}
    return run(cells, probes={**probes, "forge": _LEFT}, evidence_mb=1, disk_mb=30)


def _refused(result: Result, question: str) -> bool:
    probe = result.run.probe(question)
    assert probe is not None
    return probe.outcome == "failed" and not (result.folder / "evidence" / f"{question}.npz").exists()


def test_links_are_not_followed(collected: Result) -> None:
    """A link in the place of evidence is refused."""
    assert _refused(collected, "link")


def test_files_with_two_names_are_refused(collected: Result) -> None:
    """A file that has another name as well, by which it could be changed, is refused."""
    assert _refused(collected, "hard_link")


def test_pipes_are_not_waited_for(collected: Result) -> None:
    """A named pipe in the place of evidence is refused at once."""
    assert _refused(collected, "fifo")


def test_folders_are_refused(collected: Result) -> None:
    """A folder in the place of evidence is refused."""
    assert _refused(collected, "folder")


def test_sockets_are_refused(collected: Result) -> None:
    """A socket in the place of evidence is refused."""
    assert _refused(collected, "listener")


def test_huge_evidence_is_refused(collected: Result) -> None:
    """Evidence above the allowed size is refused."""
    assert _refused(collected, "huge")


def test_sparse_evidence_is_refused(collected: Result) -> None:
    """Evidence that claims a size without having it is refused."""
    assert _refused(collected, "sparse")


def test_missing_evidence_is_told(collected: Result) -> None:
    """A probe that leaves nothing has failed."""
    assert _refused(collected, "missing")


def test_only_the_question_s_own_file_is_taken(collected: Result) -> None:
    """Files under the names of other questions are not taken for their evidence."""
    taken = {path.name for path in (collected.folder / "evidence").iterdir()}
    assert taken == {"first.npz", "forge.npz", "outside.npz", "later.npz"}


def test_nothing_is_written_beside_the_folder_of_evidence(collected: Result) -> None:
    """Names with `..` lead nowhere that can be written."""
    assert collected.evidence("outside") == {"made": []}


def test_evidence_cannot_be_changed_later(collected: Result) -> None:
    """What a later cell writes under the name of evidence changes nothing."""
    assert collected.evidence("first") == {"x": 1}


def test_evidence_is_taken_away_at_once(collected: Result) -> None:
    """After a question neither its evidence nor its probe is left in the sandbox."""
    assert collected.evidence("forge") == {"left": [[], []]}
    assert collected.evidence("later") == {"x": 2, "left": []}


def test_cells_go_on_after_bad_evidence(collected: Result) -> None:
    """Bad evidence costs its own question only: the cells after it run."""
    assert collected.run.cells[-1].outcome == "ok"


def test_results_are_plain_files_of_the_grader(collected: Result) -> None:
    """What comes out is regular files of the grader's own, that are not executable."""
    for path in (*(collected.folder / "evidence").iterdir(), collected.folder / "executed.ipynb"):
        status = path.lstat()
        assert path.is_file()
        assert not path.is_symlink()
        assert status.st_uid == os.getuid()
        assert status.st_mode & 0o7111 == 0
    assert json.loads((collected.folder / "executed.ipynb").read_text(encoding="utf-8"))
