"""What a course folder keeps of grading, and when it exists.

    .autograder/runs/<key>/            one execution: executed.ipynb, evidence/, materials.json, key.json, run.json,
                                       and verdicts/ that were given on it
    .autograder/data/                  data sets as they were cut for grading
    reports/<assignment>/<student>/    report.json, executed.ipynb, feedback.html, history.jsonl

A run is stored under a key made of everything that determines it. It is written into a folder of another name first and
renamed when it is whole: a run either exists or does not, whenever a grader is stopped. The same holds for each file of
a report.
"""

from autograder.store.reports import (
    FEEDBACK_FILE,
    MAX_REPORT_BYTES,
    REPORT_FILE,
    StoredReports,
    find_report,
    is_folder_name,
    read_report,
    report_folder,
    reported_students,
    write_report,
)
from autograder.store.runs import (
    NOTEBOOK_FILE,
    RUN_FILE,
    STATE_FOLDER,
    changed_parts,
    data_folder,
    has_run,
    key_of,
    new_run,
    note_use,
    run_folder,
    write_key,
)

__all__ = [
    "FEEDBACK_FILE",
    "MAX_REPORT_BYTES",
    "NOTEBOOK_FILE",
    "REPORT_FILE",
    "RUN_FILE",
    "STATE_FOLDER",
    "StoredReports",
    "changed_parts",
    "data_folder",
    "find_report",
    "has_run",
    "is_folder_name",
    "key_of",
    "new_run",
    "note_use",
    "read_report",
    "report_folder",
    "reported_students",
    "run_folder",
    "write_key",
    "write_report",
]
