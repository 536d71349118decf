"""An autograded course in the formgrader: a real Jupyter server, asked over HTTP as the browser asks it. About 20 s."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from tiny_course import NAME

TOKEN = "a-token-for-this-test"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A Jupyter server in a course folder."""

    def __init__(self, course) -> None:
        self.address = f"http://127.0.0.1:{free_port()}"
        port = self.address.rpartition(":")[2]
        options = {
            "--ServerApp.port": port, "--ServerApp.port_retries": "0", "--IdentityProvider.token": TOKEN,
            "--ServerApp.ip": "127.0.0.1", "--ServerApp.root_dir": str(course.root), "--ServerApp.allow_root": "True",
            "--ServerApp.jpserver_extensions": '{"nbgrader.server_extensions.formgrader": True, "jupyterlab": False}',
        }  # fmt: skip
        self.log = (course.root.parent / "server.log").open("w+")
        environment = os.environ | {"JUPYTER_CONFIG_DIR": str(course.root.parent / "jupyter")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *(f"{name}={value}" for name, value in options.items())],
            cwd=course.root, stdout=self.log, stderr=subprocess.STDOUT, env=environment,
        )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            try:
                self.ask("GET", "/api/status")
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None, self.story()
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.story())

    def story(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def ask(self, method: str, path: str, **body: object) -> str:
        request = urllib.request.Request(
            self.address + path, method=method, data=json.dumps(body).encode() if method in {"PUT", "POST"} else None,
            headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read().decode()

    def api(self, method: str, path: str, **body: object):
        return json.loads(self.ask(method, f"/formgrader/api/{path}", **body))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


@pytest.fixture(scope="module")
def course(released, tmp_path_factory):
    course = released.copy(tmp_path_factory.mktemp("formgrader") / "course")
    course.submit("student-01")
    course.submit("student-02", mood="not_assessed")
    course.submit_bytes("student-03", b"not a notebook")
    return course


@pytest.fixture(scope="module")
def server(course):
    server = Server(course)
    yield server
    server.stop()


def test_the_autograde_button_grades_and_hand_grading_survives_it(server, course):
    for student in ("student-01", "student-02", "student-03"):
        answer = server.api("POST", f"submission/{NAME}/{student}/autograde")
        assert answer["success"], answer
    submissions = {entry["student"]: entry for entry in server.api("GET", f"submissions/{NAME}")}
    scores = {student: (entry["score"], entry["max_score"]) for student, entry in submissions.items()}
    assert scores == {"student-01": (3.5, 5.5), "student-02": (1.0, 5.5), "student-03": (0.0, 5.5)}
    assert all(entry["autograded"] and entry["needs_manual_grade"] for entry in submissions.values())

    notebook = next(e for e in server.api("GET", f"submitted_notebooks/{NAME}/{NAME}") if e["student"] == "student-01")
    grades = {entry["name"]: entry for entry in server.api("GET", f"grades?submission_id={notebook['id']}")}
    assert (grades["test_double"]["auto_score"], grades["test_double"]["max_score"]) == (2.5, 2.5)
    server.api("PUT", f"grade/{grades['discussion']['id']}", manual_score=1.5)
    comments = {entry["name"]: entry for entry in server.api("GET", f"comments?submission_id={notebook['id']}")}
    server.api("PUT", f"comment/{comments['discussion']['id']}", manual_comment="Clear.")
    assert server.api("GET", f"submission/{NAME}/student-01")["score"] == 5.0

    assert server.api("POST", f"submission/{NAME}/student-01/autograde")["success"]
    assert server.api("GET", f"submission/{NAME}/student-01")["score"] == 5.0
    assert server.api("GET", f"comment/{comments['discussion']['id']}")["manual_comment"] == "Clear."


def test_its_pages_open(server, course):
    for page in ("", "manage_assignments", f"manage_submissions/{NAME}", f"gradebook/{NAME}/{NAME}", "manage_students"):
        assert "formgrader" in server.ask("GET", f"/formgrader/{page}").lower()
    for student in ("student-01", "student-03"):
        entries = server.api("GET", f"submitted_notebooks/{NAME}/{NAME}")
        notebook = next(entry for entry in entries if entry["student"] == student)
        page = server.ask("GET", f"/formgrader/submissions/{notebook['id']}/?index=0")
        assert "Discuss" in page
        assert ("could not be read" in page) is (student == "student-03")


def test_its_feedback_button_makes_this_packages_page(server, course):
    assert server.api("POST", f"assignment/{NAME}/student-01/generate_feedback")["success"]
    page = (course.root / "feedback" / "student-01" / NAME / f"{NAME}.html").read_text()
    assert "Clear." in page


def test_a_mistake_in_the_configuration_does_not_end_the_server(server, course):
    config = course.root / "course_config.py"
    right = config.read_text()
    config.write_text(right.replace("course = Course(", "kurs = Course("))
    try:
        server.ask("GET", "/formgrader/manage_assignments")
    except urllib.error.HTTPError as error:
        assert error.code == 500
    config.write_text(right)
    assert server.api("GET", f"submission/{NAME}/student-01")["score"] == 5.0
