"""Small files, a server on this machine, and the real data where a developer has them."""

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.data import write_generated_station
from autograder.data.jena import JENA_VARIABLE
from autograder.data.reviews import REVIEWS_VARIABLE
from autograder.data.scenes import SCENES_VARIABLE


@pytest.fixture(autouse=True)
def no_file_in_the_environment(monkeypatch):
    """A developer's own files must not change what these tests test."""
    for variable in (JENA_VARIABLE, REVIEWS_VARIABLE, SCENES_VARIABLE):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """4,000 generated rows, defects included."""
    return write_generated_station(tmp_path / "station.csv", rows=4000, seed=5)


def _development_file(name: str) -> Path:
    project = Path(__file__).parents[2]
    path = Path(os.environ.get("AUTOGRADER_SHARED_DATA", project / ".." / "shared" / "data")) / name
    if not path.is_file():
        pytest.skip(f"development data are not here; set AUTOGRADER_SHARED_DATA to the folder of {name}")
    return path


@pytest.fixture(scope="session")
def real_year() -> Path:
    """A year of the real station: development data that is no part of the project."""
    return _development_file("jena_climate_2020.csv.gz")


@pytest.fixture(scope="session")
def real_reviews() -> Path:
    """The 50,000 IMDB reviews: development data that is no part of the project."""
    return _development_file("imdb_reviews.jsonl.xz")


class _Server(http.server.ThreadingHTTPServer):
    """Answers every GET with `body`; `promise` overstates its length, `status` refuses."""

    body = b""
    promise = 0
    status = 200
    requests = 0


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self):
        self.server.requests += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body) + self.server.promise))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        """Tests are quiet."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()
