"""A dossier in a terminal. What students wrote is shown as text and nothing else (see `tables`)."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.dossier.gathering import Dossier, EvidenceFile
from autograder.records import CellRun, DeviceInfo, Run
from autograder.tables import clean, legend, one_line, plain, points_text, sign, student_table

CELLS = {
    "ok": ("✓", "green"),
    "error": ("✗", "red"),
    "timeout": ("⧖", "red"),
    "killed": ("⧖", "red"),
    "not_run": ("-", "dim"),
}
"""Sign and colour of a cell's outcome."""
SHOWN_VALUES = 30  # of one evidence file; all of them are in the JSON
MEGABYTE = 2**20


def print_dossier(dossier: Dossier, title: str, *, console: Console) -> None:
    """Print everything: facts, questions with checks, cells, evidence, the history of the mark, what to do by hand."""
    report = dossier.report
    score = f"{points_text(report.score)} of {points_text(report.assessed_max_score)} assessed points"
    told = "no score: a person has to look" if report.score is None else score
    console.print(plain(f"{report.student}, {report.assignment}: {title}", "bold"), soft_wrap=True)
    console.print(plain(told), soft_wrap=True)
    if dossier.kind is not None:
        console.print(plain(f"{dossier.kind}: {one_line(dossier.reason, 1000)}", "yellow"), soft_wrap=True)
    for name, told in _facts(dossier):  # as they are, so that paths can be copied
        console.print(plain(f"{name:<17}", "dim").append_text(Text(clean(told), "not dim")), soft_wrap=True)
    console.print(_heading("Questions and checks"))
    console.print(student_table(report))
    console.print(legend())
    if report.run is not None and report.run.cells:
        console.print(_heading("Cells"))
        console.print(_cells(report.run))
    for run in dossier.runs:
        if run.evidence:
            console.print(_heading(f"Evidence of run {run.key}"))
            console.print(_evidence(run.evidence, report.run))
    console.print(_heading("History of the mark"))
    console.print(_history(dossier) if dossier.history else plain("  none is kept", "dim"))
    if (command := dossier.first_to_judge) is not None:
        console.print(_heading("One question judged by hand, in the course folder"))
        console.print(plain(f"  {command}", "cyan"), soft_wrap=True)


def _heading(words: str) -> Text:
    return plain(f"\n{words}", "bold")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in columns[:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(columns[-1], overflow="fold")
    return table


def _facts(dossier: Dossier) -> Iterator[tuple[str, str]]:
    """What the mark rests on, and where everything lies."""
    report, origin = dossier.report, dossier.report.provenance
    yield "handed in", str(origin.get("submitted_at") or "no time is known")
    if report.run is not None:
        yield from _run_lines(report.run)
    if origin.get("data"):
        yield "data", f"{origin['data']} ({origin.get('data_origin')})"
    for repair in report.repairs:
        yield "repair", repair
    for run in dossier.runs:
        yield "run", str(run.folder) if run.folder else f"{run.key} is no longer stored; grading again runs it again"
    if dossier.log is not None:
        yield "worker's log", str(dossier.log)
    yield "report and page", str(dossier.report_folder)


def _run_lines(run: Run) -> Iterator[tuple[str, str]]:
    yield "profile, seed", f"{run.profile}, {run.seed}"
    yield "sandbox", f"{run.sandbox}{f' ({run.sandbox_note})' if run.sandbox_note else ''}"
    yield "time", f"{run.seconds:.1f} s, and {run.startup_seconds:.1f} s to start the kernel"
    yield "peak memory", "not measured" if run.peak_memory_mb is None else f"{run.peak_memory_mb:,.0f} MB"
    if run.devices:
        for device in run.devices:
            yield "device", _device(device)
    else:
        yield "device", "no accelerator"
    for exceeded in run.limits_exceeded:
        yield "limit", str(exceeded)
    if run.kernel_died:
        yield "kernel died", run.cause_of_death or "nothing says why"


def _device(device: DeviceInfo) -> str:
    told = [device.name]
    if device.peak_memory_mb is not None:
        told.append(f"peak memory {device.peak_memory_mb:,.0f} MB (of the {device.memory_of or 'device'})")
    if device.mean_utilization is not None:
        told.append(f"busy {device.mean_utilization:.0%} on average (the {device.utilization_of or 'device'})")
    if device.shared:
        told.append("shared with other kernels")
    return ", ".join([*told, *([device.problem] if device.problem else [])])


def _cells(run: Run) -> Table:
    """One row for each code cell."""
    table = _table("", "Cell", "Seconds", "Peak MB", "What happened")
    table.columns[2].justify = table.columns[3].justify = "right"
    for cell in run.cells:
        mark, style = CELLS[cell.outcome]
        peak = "" if cell.peak_memory_mb is None else f"{cell.peak_memory_mb:,.0f}"
        name = plain(one_line(cell.grade_id, 40)) if cell.grade_id else plain(f"number {cell.index + 1}", "dim")
        table.add_row(plain(mark, style), name, f"{cell.seconds:.1f}", peak, plain(_happened(cell)))
    return table


def _happened(cell: CellRun) -> str:
    told = {"ok": "", "error": "", "timeout": "stopped at a limit", "killed": "killed", "not_run": "not run"}
    parts = [told[cell.outcome], one_line(cell.error, 300) if cell.error else ""]
    parts += [f"output cut after {cell.output_bytes:,} bytes"] if cell.output_truncated else []
    return "; ".join(part for part in parts if part)


def _evidence(files: tuple[EvidenceFile, ...], run: Run | None) -> Table:
    """What each probe left: names, kinds and shapes."""
    table = _table("Question", "Probe", "KB", "What it left")
    table.columns[2].justify = "right"
    for file in files:
        probe = run.probe(file.question) if run is not None else None
        told = f"{probe.outcome}, {probe.seconds:.1f} s" if probe is not None else ""
        lines = [file.problem, *_values(file)]
        name = file.file.removesuffix(".npz")
        table.add_row(plain(name), told, f"{file.size / 1024:,.0f}", plain("\n".join(line for line in lines if line)))
    return table


def _values(file: EvidenceFile) -> Iterator[str]:
    """Names of one kind and shape in one line."""
    alike: dict[str, list[str]] = {}
    for value in file.found[:SHOWN_VALUES]:
        alike.setdefault(one_line(value.what, 160), []).append(one_line(value.name, 60))
    for what, names in alike.items():
        yield f"{', '.join(names)}: {what}"
    more = file.more + max(0, len(file.found) - SHOWN_VALUES)
    if more:
        yield f"and {more} more"


def _history(dossier: Dossier) -> Table:
    table = _table("Published", "Score", "What had changed")
    for line in dossier.history:
        score = sign("error") if line.score is None else Text(points_text(line.score))
        changed = "; ".join(line.changed) or "nothing that is kept"
        table.add_row(f"{line.at:%Y-%m-%d %H:%M:%S} UTC", score, plain(changed))
    return table
