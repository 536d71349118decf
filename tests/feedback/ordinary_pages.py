"""An ordinary report and notebook for the tests of the pages: one of every kind of thing."""

import base64
import io
import math

import nbformat
from matplotlib.figure import Figure

from autograder.records import CellError, CellRun, CheckResult, LimitExceeded, Picture, QuestionResult, Report, Run


def png() -> str:
    """A small picture as a notebook keeps it."""
    figure = Figure(figsize=(4, 2))
    figure.add_subplot().plot([1, 3, 2, 4])
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return base64.b64encode(file.getvalue()).decode()


def curves(names=("mlp", "recurrent", "stacked_gru", "bidirectional")) -> Picture:
    series = {}
    for place, name in enumerate(names, start=1):
        loss = [0.5 * math.exp(-0.5 * epoch) + 0.08 + 0.01 * place for epoch in range(8)]
        series[name] = {
            "loss": loss,
            "val_loss": [value + 0.03 * place + 0.01 * (epoch % 2) for epoch, value in enumerate(loss)],
            "val_mae": [math.sqrt(value) for value in loss],
        }
    low = [0.45 * math.exp(-0.5 * epoch) + 0.08 for epoch in range(8)]
    band = {"val_loss": {"low": low, "high": [value + 0.08 for value in low]}}
    return Picture(kind="curves", data={"title": "Training curves", "series": series, "band": band})


def forecast(names=("mlp", "recurrent", "stacked_gru")) -> Picture:
    panels = []
    for target, unit, level in (("T (degC)", "degC", 9.0), ("p (mbar)", "mbar", 989.0)):
        past = [level + math.sin(step / 6) for step in range(18)]
        truth = [level + math.sin((18 + step) / 6) for step in range(6)]
        panels.append(
            {
                "target": target,
                "unit": unit,
                "minutes": [10 * step - 170 for step in range(18)],
                "past": past,
                "future_minutes": [10 * step for step in range(1, 7)],
                "truth": truth,
                "persistence": [past[-1]] * 6,
                "forecasts": {
                    name: [value + 0.1 * place for value in truth] for place, name in enumerate(names, start=1)
                },
            }
        )
    return Picture(kind="forecast", data={"title": "An hour that the notebook never had", "panels": panels})


def skill() -> Picture:
    rows = [
        {
            "forecaster": name,
            "target": target,
            "mae": 0.3 * (1 - value),
            "baseline_mae": 0.3,
            "skill": value,
            "low": value - 0.06,
            "high": value + 0.06,
        }
        for target in ("T (degC)", "p (mbar)")
        for name, value in (("mlp", -0.31), ("recurrent", 0.04), ("stacked_gru", 0.12), ("bidirectional", 0.17))
    ]
    note = "Skill is 1 - MAE / MAE of persistence, on weather that the notebook never had; intervals at 95 %."
    return Picture(kind="skill", data={"title": "Skill against persistence", "rows": rows, "note": note})


def bars() -> Picture:
    rows = [
        {"label": "stack", "value": 12.5},
        {"label": "change of T", "value": -3.25},
        {"label": "none", "value": None},
    ]
    return Picture(kind="bars", data={"title": "Gradient by layer", "unit": "s", "rows": rows})


def check(name, title, outcome="passed", **more) -> CheckResult:
    return CheckResult(name=name, title=title, outcome=outcome, **more)


def questions() -> tuple[QuestionResult, ...]:
    return (
        QuestionResult(
            id="load_data",
            title="Load the data",
            topic="Week 9: time series",
            points=0.05,
            max_points=0.05,
            outcome="passed",
            checks=(
                check("a", "The index is strictly increasing."),
                check("b", "Missing values take the last valid value."),
            ),
        ),
        QuestionResult(
            id="windows",
            title="Windows",
            topic="Week 9: supervised windows",
            points=0.1,
            max_points=0.15,
            outcome="partial",
            checks=(
                check("c", "x has shape `(batch, 432, 14)` and is float32."),
                check(
                    "d",
                    "The first step of the target is the step right after the window.",
                    "failed",
                    message="y[0, 0] is row 433 of the frame, expected row 432.\nexpected [9.31, 989.2], received [9.28, 989.3]",
                    hint="`keras.utils.timeseries_dataset_from_array` pairs a window with `targets[i]`: shift the targets by INPUT_LENGTH.",
                ),
                check("e", "All windows come, the last batch possibly smaller."),
            ),
        ),
        QuestionResult(
            id="training",
            title="Training",
            topic="Week 10: recurrent networks",
            points=0.0,
            max_points=0.1,
            outcome="failed",
            checks=(
                check(
                    "f",
                    "Histories are what `fit` returned.",
                    "limit_exceeded",
                    message="cell time limit exceeded in the cell `training`: 120 s allowed",
                    hint="Fewer epochs, or a larger STRIDE, while you try things.",
                ),
            ),
            pictures=(curves(),),
        ),
        QuestionResult(
            id="beat_baseline",
            title="Beat the baseline",
            topic="Week 10",
            points=0.1,
            max_points=0.1,
            outcome="passed",
            checks=(check("g", "The best forecaster beats persistence.", message="skill 0.17 on T, 0.15 on p"),),
            pictures=(skill(), forecast(), bars()),
        ),
        QuestionResult(
            id="gpu_training",
            title="Training on a GPU",
            points=None,
            max_points=0.05,
            outcome="not_assessed",
            checks=(check("h", "The weights were on the GPU.", "not_assessed", message="no GPU on this machine"),),
        ),
        QuestionResult(
            id="figures",
            title="Figures",
            points=None,
            max_points=0.05,
            outcome="error",
            checks=(
                check("i", "The curves have labelled axes.", "error", message="The check could not be carried out."),
            ),
        ),
        QuestionResult(
            id="discussion",
            title="Discussion",
            points=None,
            max_points=0.6,
            outcome="manual",
            message="Waits for hand grading.",
        ),
    )


def run() -> Run:
    cells = (
        CellRun(index=1, grade_id="parameters", outcome="ok", seconds=0.01),
        CellRun(index=3, grade_id="load_data", outcome="ok", seconds=0.84),
        CellRun(index=5, grade_id="windows", outcome="ok", seconds=0.2, output_truncated=True),
        CellRun(index=7, grade_id="training", outcome="timeout", seconds=120.0),
        CellRun(
            index=9,
            outcome="error",
            seconds=0.1,
            error=CellError(name="NameError", message="name 'history' is not defined", line=3, source="plot(history)"),
        ),
        CellRun(index=11, grade_id="figures", outcome="not_run"),
    )
    return Run(
        assignment="jena_multistep",
        profile="cpu",
        seed=7,
        sandbox="cold",
        cells=cells,
        seconds=123.4,
        peak_memory_mb=912.0,
        limits_exceeded=(LimitExceeded(limit="cell time", allowed="120 s", grade_id="training"),),
        repairs=("restored the deleted test cell `test_windows`",),
    )


def make_report(**changes) -> Report:
    fields = {
        "assignment": "jena_multistep",
        "student": "student-01",
        "status": "graded",
        "score": 0.25,
        "max_score": 1.1,
        "assessed_max_score": 0.4,
        "questions": questions(),
        "run": run(),
        "repairs": ("restored the deleted test cell `test_windows`", "ignored points edited in `test_load_data`"),
        "provenance": {"submission": "sha256:" + "ab" * 32, "data": {"source": "jena", "rows": 52696}, "seed": 7},
    }
    return Report(**(fields | changes))


def make_notebook():
    new = nbformat.v4
    notebook = new.new_notebook()
    named = lambda cell, grade_id: cell.metadata.update(nbgrader={"grade_id": grade_id}) or cell  # noqa: E731
    stream = new.new_output(
        "stream", name="stdout", text="Epoch 1/2\n\x1b[1m1/9\x1b[0m ━\x08\x08\x08\r\x1b[1m9/9\x1b[0m ━━━ loss: 0.25\n"
    )
    picture = new.new_output("display_data", data={"image/png": png(), "text/plain": "<Figure size 400x200>"})
    table = (
        "<style scoped>.dataframe{color:red}</style><table border='1' class='dataframe'>"
        "<tr>"
        + "".join(f"<th>column_{i}</th>" for i in range(30))
        + "</tr><tr>"
        + "<td>1.2345</td>" * 30
        + "</tr></table>"
    )
    frame = new.new_output(
        "execute_result", data={"text/html": table, "text/plain": "   column_0 ..."}, execution_count=2
    )
    error = new.new_output(
        "error",
        ename="NameError",
        evalue="name 'history' is not defined",
        traceback=["\x1b[31mNameError\x1b[39m  Traceback (most recent call last)", "----> 3 plot(history)"],
    )
    notebook.cells = [
        new.new_markdown_cell(
            "# Multistep forecasting\n\nThe loss is $\\frac{1}{n}\\sum_i (y_i - \\hat y_i)^2$ and **not** `mae`.\n\n| a | b |\n|---|---|\n| 1 | 2 |"
        ),
        named(new.new_code_cell('DATA_PATH = "weather.csv"\nSEED = 7  # set by grading'), "parameters"),
        named(
            new.new_code_cell(
                'def make_dataset(frame, stride=STRIDE):\n    """Windows of three days."""\n    return [frame[i:i + 432] for i in range(0, len(frame), stride)]\nlong = '
                + "+".join(["1"] * 150)
            ),
            "windows",
        ),
        named(new.new_code_cell("history = model.fit(x)", outputs=[stream, picture, frame]), "training"),
        new.new_code_cell("a = 1\n\nplot(history)", outputs=[error]),
        named(new.new_markdown_cell("The **GRU** wins, because ..."), "discussion"),
    ]
    return notebook
