"""What students wrote, before a browser sees it. Runs in a second."""

import base64
import random
import time

import pytest

from autograder.feedback.sanitise import (
    MAX_IMAGE_BYTES,
    MAX_MESSAGE,
    image_uri,
    plain_text,
    prose,
    safe_html,
    terminal_text,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (64).to_bytes(4) + (48).to_bytes(4) + b"\x08\x02"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_every_attack_is_inert(attacks, audit):
    for attack in attacks:
        page = audit(safe_html(attack))
        assert page.dangers == [], attack
        assert page.problems == [], attack
        assert not {name for _, name, _ in page.attributes} & {"id", "class", "style"}, attack


def test_attacks_glued_together_in_any_order_are_inert(attacks, audit):
    """Half a tag of one attack may complete another's."""
    shuffled = random.Random(7)
    for _ in range(200):
        pieces = [attack[: shuffled.randrange(1, len(attack) + 1)] for attack in shuffled.sample(attacks, 4)]
        page = audit(safe_html("".join(pieces)))
        assert page.dangers == []
        assert page.problems == []


def test_what_teaches_survives():
    """Tables, emphasis, lists, and links to the web stay."""
    html = "<table><tr><th scope='col'>a</th><td colspan='2'><b>1</b></td></tr></table><a href='https://keras.io'>Keras</a>"
    cleaned = safe_html(html)
    assert '<th scope="col">a</th>' in cleaned
    assert '<td colspan="2"><b>1</b></td>' in cleaned
    assert 'href="https://keras.io"' in cleaned
    assert "noopener" in cleaned


def test_style_blocks_go_with_their_content():
    """pandas writes a stylesheet before each table; its text must not stand on the page."""
    assert safe_html("<style scoped>.dataframe { color: red }</style><p>x</p>") == "<p>x</p>"


def test_headings_move_below_the_pages_own():
    assert safe_html("<h1>a</h1><h3>b</h3><h6>c</h6>") == "<h3>a</h3><h5>b</h5><h6>c</h6>"


def test_relative_links_and_links_into_the_page_lose_their_target():
    cleaned = safe_html('<a href="#score-heading">x</a><a href="../other/student.html">y</a>')
    assert "href" not in cleaned


def test_deep_nesting_costs_no_time():
    """Cleaning 200,000 nested tags took over a minute and a half; such a fragment is shown as text."""
    start = time.perf_counter()
    cleaned = safe_html("<div>" * 200_000)
    assert time.perf_counter() - start < 2
    assert cleaned.startswith("<pre>&lt;div&gt;")


def test_images_that_are_images_pass():
    assert image_uri("image/png", b64(PNG)) == f"data:image/png;base64,{b64(PNG)}"
    assert image_uri("image/png", b64(PNG) + "\n") == f"data:image/png;base64,{b64(PNG)}"
    assert image_uri("image/jpeg", b64(JPEG)) == f"data:image/jpeg;base64,{b64(JPEG)}"
    assert image_uri("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>").startswith(
        "data:image/svg+xml;base64,"
    )


@pytest.mark.parametrize(
    ("media_type", "encoded"),
    [
        ("image/png", b64(b"not a png")),
        ("image/png", b64(JPEG)),
        ("image/png", "***"),
        ("image/png", "é"),
        ("image/png", ""),
        ("image/gif", b64(b"GIF89a")),
        ("text/html", b64(b"<script>")),
        ("image/svg+xml", b64(b"<html>")),
        ("image/png", b64(PNG[:16] + (60_000).to_bytes(4) + (60_000).to_bytes(4))),
        ("image/png", b64(PNG + bytes(MAX_IMAGE_BYTES))),
        ("image/png", '" onerror="alert(1)'),
    ],
)
def test_what_is_not_an_image_is_refused(media_type, encoded):
    """Wrong bytes, wrong type, not base64, too large, or a few bytes that unpack to gigabytes."""
    assert image_uri(media_type, encoded) is None


def test_a_good_inline_image_survives_in_html_and_a_bad_one_does_not():
    assert f'src="data:image/png;base64,{b64(PNG)}"' in safe_html(f'<img src="data:image/png;base64,{b64(PNG)}">')
    assert "src" not in safe_html('<img src="data:image/png;base64,bm9uZQ==">')


def test_progress_bars_end_in_their_last_state():
    text = "Epoch 1/2\n\x1b[1m1/9\x1b[0m =>\x08\x08\x08\x08\r\x1b[1m9/9\x1b[0m === loss: 0.25\nDone\r\n"
    assert terminal_text(text) == "Epoch 1/2\n9/9 === loss: 0.25\nDone\n"


def test_control_characters_and_direction_overrides_are_dropped():
    assert plain_text("a\x00b\x1b]0;title\x07c\u202ed\ud800e\tf\ng") == "abcde\tf\ng"


def test_prose_escapes_marks_code_and_stays_short():
    assert prose("use `x < 1` & <b>") == "use <code>x &lt; 1</code> &amp; &lt;b&gt;"
    long = prose("A" * (MAX_MESSAGE + 500))
    assert len(long) < MAX_MESSAGE + 100
    assert "500 more characters" in long
