"""An execution as bytes: what goes out, what comes back, and what cannot be carried out. Real kernels; about 10 s."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder import parcels, probes
from autograder.config import Limits
from autograder.data.dataset import DataSet
from autograder.errors import ExecutionError
from autograder.evidence import encode, read_evidence
from autograder.execution import ExecutionPlan, Probe
from autograder.parcels import carry_out, pack, pack_given, read_answer, write_files

SOURCE = "def probe(student, given):\n    return {'value': lambda: student.read()[: given.count]}\n"


@pytest.fixture
def data(tmp_path):
    import hashlib

    public = tmp_path / "there" / "letters.txt"
    public.parent.mkdir()
    public.write_text("abcdefgh")
    digest = hashlib.sha256(public.read_bytes()).hexdigest()
    return DataSet(
        source="jena",
        public=public,
        withheld=public,
        public_sha256=digest,
        withheld_sha256="0" * 64,
        origin="generated",
        description="",
    )


@pytest.fixture
def plan(data):
    cells = [
        new_code_cell("DATA_PATH = ''", metadata={"tags": ["parameters"]}),
        new_code_cell("def read():\n    return open(DATA_PATH).read()"),
        new_code_cell("print(COUNT)", metadata={"nbgrader": {"grade_id": "test_letters"}}),
    ]
    probe = Probe("letters", SOURCE, encode({"count": 3}), 20.0, (encode({"count": 5}),))
    return ExecutionPlan(
        assignment="a",
        profile="p",
        notebook=new_notebook(cells=cells),
        parameters={"COUNT": 7, "DATA_PATH": data.public.name},
        probes={"test_letters": probe},
        runtime=probes.sources(),
        limits=Limits(cell_seconds=20, run_seconds=60),
        level="none",
        seed=3,
        data=data.public,
        repairs=("mended",),
    )


def test_a_run_that_travelled_is_the_run_that_did_not(plan, data, tmp_path):
    cells = []
    answer = read_answer(carry_out(pack(plan, data), on_cell=lambda *told: cells.append(told)))
    write_files(answer, tmp_path / "run")
    assert answer.run.repairs == ("mended",)
    assert [cell.outcome for cell in answer.run.cells if cell.grade_id] == ["ok"]
    assert cells[-1][2] == "test_letters"
    found = [read_evidence(tmp_path / "run" / "evidence" / name)["value"] for name in ("letters.npz", "letters.1.npz")]
    assert found == ["abc", "abcde"]
    executed = nbformat.read(tmp_path / "run" / "executed.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0]["text"] == "7\n"


def test_a_worker_without_the_data_takes_those_that_came_along_and_keeps_them(plan, data, tmp_path, monkeypatch):
    monkeypatch.setattr(parcels.tempfile, "gettempdir", lambda: str(tmp_path))
    parcel, content = pack(plan, data), data.public.read_bytes()
    data.public.unlink()
    nowhere = read_answer(carry_out(parcel))
    assert nowhere.run is None
    assert "does not have the data set" in nowhere.problem
    assert "other content" not in read_answer(carry_out(parcel, b"other content")).problem
    assert read_answer(carry_out(parcel, content)).run is not None
    assert read_answer(carry_out(parcel)).run is not None, "the data are in this machine's cache now"


def test_nothing_secret_travels(plan, data):
    with zipfile.ZipFile(io.BytesIO(pack_given(plan))) as archive:
        assert sorted(archive.namelist()) == ["given/letters.0", "given/letters.1"]
    with zipfile.ZipFile(io.BytesIO(pack(plan, data))) as archive:
        assert sorted(archive.namelist()) == ["given/letters.0", "given/letters.1", "parcel.json"]
        told = json.loads(archive.read("parcel.json"))
    assert "withheld" not in json.dumps({name: part for name, part in told.items() if name != "runtime"})


def test_what_is_the_same_for_a_class_can_travel_apart(plan, data):
    parcel = pack(plan, data, with_given=False)
    assert len(parcel) < len(pack(plan, data))
    assert pack_given(plan) == pack_given(plan)
    assert read_answer(carry_out(parcel, given=pack_given(plan))).run is not None


def test_a_worker_with_other_packages_says_which(plan, data, monkeypatch):
    parcel = pack(plan, data)
    monkeypatch.setattr(parcels, "environment", lambda: {"keras": "1.0"})
    answer = read_answer(carry_out(parcel))
    assert answer.again
    assert "keras 1.0 instead of" in answer.problem


def test_what_goes_wrong_on_a_worker_is_an_answer(plan, data, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parcels, "execute", full)
    answer = read_answer(carry_out(pack(plan, data)))
    assert (answer.run, answer.again) == (None, True)
    assert "No space left" in answer.problem


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"answer.json": "{}"},
        {"answer.json": '{"run": true, "problem": "", "again": false}', "run.json": "{}"},
        {"answer.json": '{"run": false, "problem": "", "again": false}', "../../etc/passwd": "x"},
        {"answer.json": '{"run": false, "problem": "", "again": false}', "evidence/../../x.npz": "x"},
        {"answer.json": '{"run": false, "problem": "", "again": false}', "/evidence/x.npz": "x"},
        {"answer.json": '{"run": false, "problem": "", "again": false}', "run.py": "x"},
    ],
)
def test_an_answer_that_is_none_is_refused(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ExecutionError, match="worker's answer"):
        read_answer(buffer.getvalue())


def test_what_is_no_zip_file_is_refused():
    with pytest.raises(ExecutionError, match="cannot be read"):
        read_answer(b"PK\3\4")


def test_limits_travel_too(plan, data):
    slow = replace(plan, limits=Limits(cell_seconds=1, run_seconds=30))
    slow.notebook.cells[1].source = "import time\ntime.sleep(30)"
    answer = read_answer(carry_out(pack(slow, data)))
    assert [limit.limit for limit in answer.run.limits_exceeded] == ["cell time"]
