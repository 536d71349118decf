"""The page of alike submissions: what it says, what hostile code does to it, how wide it is. About five seconds."""

import html
import re
import shutil
import subprocess

import pytest

from autograder.feedback.pages import CONTENT_SECURITY_POLICY
from autograder.feedback.similarity_page import (
    MAX_LINE_CHARACTERS,
    MAX_LINES,
    Likeness,
    Listing,
    Marked,
    PairBeside,
    QuestionBeside,
    render_similarity,
    shown_lines,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "</code></pre></div><script>document.title='owned'</script><img src=x onerror=alert(1)>\u202e\x1b[31m\0"
MEASURE = "<script>document.body.dataset.widths = document.documentElement.scrollWidth + ' ' + document.documentElement.clientWidth</script></body>"
FRAME = """<body><iframe src="framed.html" style="width: 360px; height: 700px; border: 0"></iframe>
<script>onload = () => { document.body.dataset.widths = frames[0].document.body.dataset.widths }</script></body>"""


def beside(left="student-01", right="student-02", source="def f(x):\n    return x\n", similarity=0.5):
    listing = Listing(source, (Marked(1, 2, 1),))
    question = QuestionBeside(
        "Cut windows", Likeness(similarity, 9, 20), (listing,), (Listing(source, (Marked(2, 2, 1),)),)
    )
    elsewhere = QuestionBeside("Train", None, (), (Listing("x = 1"),))
    return PairBeside(left, right, Likeness(similarity, 10, 21), (question, elsewhere))


def page_of(*pairs, by_question=(), problems=()):
    facts = ["Half of all pairs are at most 2 % alike."]
    return render_similarity(
        list(pairs), list(by_question), title="Homework 7", compared=30, facts=facts, problems=list(problems)
    )


def words(page):
    body = re.sub(r"<(style|head).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_it_says_before_all_else_that_it_accuses_nobody():
    told = words(page_of(beside()))
    assert told.index("This list accuses nobody.") < told.index("student-01")
    assert "Half of all pairs are at most 2 % alike." in told
    assert not re.search(r"plagiar|cheat|guilty|suspect|fraud", told, re.IGNORECASE)


def test_a_pair_with_its_figures_stands_in_the_list_and_side_by_side(audit):
    page = page_of(beside(), beside("student-03", "student-04"), by_question=[beside("student-05", "student-06")])
    told = words(page)
    assert "student-01 and student-02 50 % 10 of 21 Cut windows 50 % 9 of 20" in told
    assert "Train what they share stands elsewhere in the other notebook" in told
    assert "No code of their own here." in told
    links = [value for tag, name, value in audit(page).attributes if (tag, name) == ("a", "href")]
    assert [link for link in links if link.startswith("#pair")] == ["#pair-1", "#pair-2", "#pair-3"]
    assert {"pair-1", "pair-2", "pair-3"} <= set(audit(page).ids)


def test_alike_lines_are_marked_by_more_than_colour():
    listing = Listing("a\nb\nc\nd\ne", (Marked(1, 2, 1), Marked(2, 4, 7)))
    assert [(line.number, line.sign) for line in shown_lines(listing)] == [
        (1, "1"),
        (2, "7"),
        (3, "│"),
        (4, "│"),
        (5, ""),
    ]
    page = page_of(beside())
    assert page.count('<span class="row same">') == 3
    assert page.count('<span class="unseen">Passage </span>1') == 2


def test_passages_that_begin_on_the_same_line_are_all_named():
    assert [
        line.sign for line in shown_lines(Listing("a\nb", (Marked(1, 1, 3), Marked(1, 2, 4), Marked(1, 1, 3))))
    ] == ["3,4", "│"]


def test_long_cells_and_lines_are_cut():
    long = Listing("x" * 10_000 + "\ny" * 10_000, (Marked(1, 10_000, 1),))
    lines = list(shown_lines(long))
    assert len(lines) == MAX_LINES
    assert len(lines[0].text) == MAX_LINE_CHARACTERS + 2
    page = page_of(beside(source=long.source))
    assert f"Only the first {MAX_LINES} lines are shown." in words(page)
    assert len(page) < 500_000


def test_only_what_is_the_same_is_a_hundred_percent():
    assert Likeness(0.9999, 1, 1).percent == "99\N{NO-BREAK SPACE}%"
    assert Likeness(1.0, 1, 1).percent == "100\N{NO-BREAK SPACE}%"
    assert Likeness(0.29, 1, 1).percent == "29\N{NO-BREAK SPACE}%"


def test_an_empty_list_is_a_page_too(audit):
    page = page_of()
    assert audit(page).problems == []
    assert "No two notebooks share enough to be listed." in words(page)
    assert "Side by side" not in words(page)


def test_what_could_not_be_compared_is_told():
    assert "Not compared, or not wholly student-09 is not compared: `x` is empty" in words(
        page_of(problems=["student-09 is not compared: `x` is empty"])
    ).replace(" x ", " `x` ")


def test_hostile_code_and_names_are_text(audit):
    page = page_of(beside(HOSTILE, "javascript:alert(1)", HOSTILE), problems=[HOSTILE])
    found = audit(page)
    assert found.problems == []
    assert found.dangers == []
    assert "script" not in found.tags
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert ("meta", "content", CONTENT_SECURITY_POLICY) in found.attributes
    assert len(found.ids) == len(set(found.ids))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_phone_never_scrolls_the_page_sideways(tmp_path):
    page = page_of(beside("student-" + "9" * 60, source="value = " + "x + " * 80 + "1\n"), by_question=[beside()])
    framed = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page).replace("</body>", MEASURE)
    (tmp_path / "framed.html").write_text(framed, encoding="utf-8")
    (tmp_path / "page.html").write_text(FRAME, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000"]
    command = [CHROMIUM, *flags, "--dump-dom", (tmp_path / "page.html").as_uri()]
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    content, window = map(int, re.search(r'data-widths="(\d+) (\d+)"', loaded).groups())
    assert 320 <= window <= 360
    assert content == window
