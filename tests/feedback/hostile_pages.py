"""A report and a notebook of which every text that a student can reach is an attack."""

import nbformat

from autograder.records import CellError, CellRun, Picture, QuestionResult, Report, Run
from tests.feedback.ordinary_pages import check, curves, forecast

ATTACKS = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    '<svg onload="document.title=1"><script>document.title=2</script></svg>',
    '<a href="javascript:document.title=1">click</a>',
    '<a href="JaVa\tScRiPt:document.title=1">click</a>',
    '<a href="data:text/html,<script>alert(1)</script>">click</a>',
    '<a href="vbscript:x">click</a>',
    '<iframe src="http://127.0.0.1:9/x"></iframe>',
    '<object data="http://127.0.0.1:9/x"></object><embed src="http://127.0.0.1:9/x">',
    '<form action="http://127.0.0.1:9/x"><input name="q"><button>Log in</button></form>',
    "<style>@import url(http://127.0.0.1:9/x.css); body { background: url(http://127.0.0.1:9/y) }</style>",
    '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">',
    '<base href="http://127.0.0.1:9/"><meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/">',
    '<div style="position:fixed;inset:0;background:red">2.00 of 2.00 points</div>',
    '<div id="score-heading" class="score">Score: 2.00 of 2.00</div>',
    '<img src="http://127.0.0.1:9/track.png">',
    '<img src="data:image/svg+xml;base64,AAAA">',
    '<img src="data:image/png;base64,bm90IGEgcG5n">',
    '<img src="//127.0.0.1:9/track.png" srcset="http://127.0.0.1:9/a.png 2x">',
    "<math><mtext></form><form><mglyph><style></math><img src onerror=document.title=1>",
    '<noscript><p title="</noscript><img src=x onerror=document.title=1>">',
    "</div></section></main></body></html><script>document.title=1</script><h1>Score</h1>",
    "<!--><img src=x onerror=document.title=1>-->",
    "<template><script>document.title=1</script></template><textarea></textarea><img src=x onerror=document.title=1>",
    '<video src="http://127.0.0.1:9/v" autoplay></video><audio src="http://127.0.0.1:9/a" autoplay></audio>',
    '<p onclick="document.title=1" onmouseover=document.title=1 style="color:red" id=main class=badge>text</p>',
]


def hostile_report() -> Report:
    """Every text that a student can reach is an attack."""
    bad = '"><script>document.title="owned"</script><img src=x onerror=document.title=1> {{ 7*7 }} \x1b[31m\u202egnikcatta\x00'
    hostile_checks = tuple(
        check(bad, bad, outcome, message=bad + "A" * 9000, hint=bad)
        for outcome in ("passed", "failed", "limit_exceeded", "not_assessed", "error")
    )
    pictures = (
        curves(names=(bad, "$x^{$ \\frac", "_hidden", "日本語", "</svg><script>document.title=1</script>")),
        forecast(names=(bad, "_a", "$$")),
        Picture(kind="skill", data={"rows": "many"}),
        Picture(kind=bad, data={}),
        Picture(kind="bars", data={"rows": [{"label": bad, "value": 1e300}, {"label": "", "value": float("inf")}]}),
        Picture(kind="curves", data={"series": {"diverged": {"loss": [1.0, 1e5, None], "val_loss": [float("nan")]}}}),
        Picture(
            kind="curves", data={"series": {"short": {"loss": []}}, "band": {"val_loss": {"low": [1], "high": []}}}
        ),
    )
    question = QuestionResult(
        id=bad,
        title=bad,
        topic=bad,
        points=None,
        max_points=1.0,
        outcome="error",
        checks=hostile_checks,
        message=bad,
        pictures=pictures,
    )
    cells = (
        CellRun(
            index=0,
            grade_id=bad,
            outcome="error",
            seconds=1.0,
            error=CellError(name=bad, message=bad, line=1, source=bad),
        ),
    )
    hostile_run = Run(
        assignment=bad,
        profile=bad,
        seed=1,
        sandbox="cold",
        cells=cells,
        repairs=(bad,),
        kernel_died=True,
        cause_of_death=bad,
    )
    return Report(
        assignment=bad,
        student=bad + "x" * 300,
        status="needs_attention",
        score=None,
        max_score=1.0,
        questions=(question,),
        repairs=(bad,),
        problem=bad,
        run=hostile_run,
        provenance={bad: bad, "nested": {bad: [bad]}},
    )


def hostile_notebook():
    new = nbformat.v4
    notebook = new.new_notebook()
    for attack in ATTACKS:
        outputs = [
            new.new_output("display_data", data={"text/html": attack, "text/plain": attack}),
            new.new_output("display_data", data={"image/png": attack, "text/markdown": attack}),
            new.new_output(
                "display_data", data={"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{attack}</svg>"}
            ),
            new.new_output("display_data", data={"application/javascript": "document.title=1"}),
            new.new_output("stream", name="stdout", text=attack),
            new.new_output("error", ename=attack, evalue=attack, traceback=[attack]),
        ]
        code = new.new_code_cell(attack, outputs=outputs)
        code.metadata["nbgrader"] = {"grade_id": attack}
        notebook.cells += [new.new_markdown_cell(attack), code, new.new_raw_cell(attack)]
    return notebook
