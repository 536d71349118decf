"""What a real browser makes of the pages. About ten seconds; skipped where no Chromium is installed."""

import http.server
import re
import shutil
import subprocess
import threading

import pytest

from autograder.feedback import render_class_table, render_feedback

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--virtual-time-budget=3000",
]
# A headless window is never narrower than 500 pixels, so a phone is a frame in it, which reports its widths.
MEASURE = "<script>parent.postMessage(document.documentElement.scrollWidth + ' ' + document.documentElement.clientWidth, '*')</script></body>"
PHONE = """<body><iframe src="framed.html" style="width: 360px; height: 700px; border: 0"></iframe>
<script>onmessage = event => { document.body.dataset.widths = event.data }</script></body>"""


def dump(page, folder):
    """The document after the browser has loaded it."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def listener():
    """A server on this machine that notes every request."""
    requests = []

    class Note(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *arguments):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Note)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, requests
    server.shutdown()
    server.server_close()
    thread.join()


def with_port(notebook, port):
    """The attacks' addresses, moved to the listener."""
    for cell in notebook.cells:
        cell.source = cell.source.replace("127.0.0.1:9/", f"127.0.0.1:{port}/")
        for output in cell.get("outputs", []):
            for kind, text in output.get("data", {}).items():
                output.data[kind] = text.replace("127.0.0.1:9/", f"127.0.0.1:{port}/")
    return notebook


def test_a_hostile_page_runs_nothing_and_loads_nothing(hostile, listener, tmp_path):
    report, notebook = hostile
    port, requests = listener
    page = render_feedback(report, notebook=with_port(notebook, port), title="Homework 7")
    loaded = dump(page, tmp_path)
    assert "<title>Feedback: Homework 7</title>" in loaded
    assert requests == []


def test_the_listener_would_have_heard(listener, tmp_path):
    """The test above means something: without our care the same attack is heard and runs."""
    port, requests = listener
    attack = f"<title>x</title><img src='http://127.0.0.1:{port}/track.png'><script>document.title='owned'</script>"
    assert "<title>owned</title>" in dump(attack, tmp_path)
    assert requests == ["/track.png"]


def test_the_policy_alone_would_stop_a_script(report, listener, tmp_path):
    """Second line of defence: a script that slipped into the page would not run, a picture would not load."""
    port, requests = listener
    slipped = f"<img src='http://127.0.0.1:{port}/a'><script>document.title='owned'</script></main>"
    loaded = dump(render_feedback(report, title="Homework 7").replace("</main>", slipped), tmp_path)
    assert "<title>Feedback: Homework 7</title>" in loaded
    assert requests == []


@pytest.mark.parametrize("kind", ["ordinary", "hostile", "class"])
def test_a_phone_never_scrolls_the_page_sideways(kind, report, notebook, hostile, tmp_path):
    pages = {
        "ordinary": lambda: render_feedback(report, notebook=notebook),
        "hostile": lambda: render_feedback(hostile[0], notebook=hostile[1]),
        "class": lambda: render_class_table([report, hostile[0]], assignment_title="Homework 7", links={}),
    }
    framed = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", pages[kind]()).replace("</body>", MEASURE)
    (tmp_path / "framed.html").write_text(framed, encoding="utf-8")
    content, window = map(int, re.search(r'data-widths="(\d+) (\d+)"', dump(PHONE, tmp_path)).groups())
    assert 320 <= window <= 360
    assert content == window
