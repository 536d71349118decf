"""Every exception that this package raises on purpose.

    AutograderError                 anything below; its message is written for a person
    ├── ConfigurationError          course_config.py is missing or wrong
    ├── SubmissionError             a submission cannot be graded, and why
    │   └── NotebookError           the notebook itself cannot be read
    ├── DataError                   a data set is missing, damaged or not what it should be
    ├── UntrustedError              bytes from elsewhere break a bound, and which; readers tell it in their own words
    ├── EvidenceError               evidence on disk is damaged, too large or forged
    ├── ReportError                 a stored report or run cannot be read
    ├── SandboxError                a sandbox could not be made or did not hold
    │   └── SandboxUnavailableError this machine lacks what the level needs
    ├── ExecutionError              the run of a notebook could not be carried out (the machine's fault)
    │   └── WorkerDiedError         the process or machine that ran it died
    ├── HiddenTestError             a hidden-test file is wrong (the instructor's or ours, never the student's)
    ├── MutantError                 a demo student's file (solutions/NAME/mutants) is wrong
    ├── CalibrationError            calibration.py or calibration.json of an assignment is wrong
    ├── ReleaseError                the release version of an assignment is missing or wrong
    └── GradebookError              nbgrader's gradebook refused what was written

A student's mistakes are not exceptions here: they are `Failure` in `autograder.checks`, and end as data in a report.
"""


class AutograderError(Exception):
    """Base of all errors; `str(error)` says what happened, where, and what to do."""


class ConfigurationError(AutograderError):
    """The course configuration is missing, does not run, or has a wrong field."""


class SubmissionError(AutograderError):
    """A submission cannot be graded; the message can be shown to its student."""


class NotebookError(SubmissionError):
    """A notebook is missing, empty, too large, not JSON, or of a format that cannot be converted."""


class DataError(AutograderError):
    """A data set is missing, damaged, or does not have the structure that its source promises."""


class UntrustedError(AutograderError):
    """Bytes from elsewhere are not what may be read.

    Attributes:
        problem: what is wrong, as the end of a sentence about the file.
        received: what was there instead.
        reason: one word by which a reader chooses its advice: `missing`, `link`, `kind`, `large`, `changed`,
            `unreadable` or `content`.
    """

    def __init__(self, subject: str, problem: str, received: str, *, reason: str = "content") -> None:
        super().__init__(f"{subject} {problem}. Received: {received}")
        self.problem = problem
        self.received = received
        self.reason = reason


class EvidenceError(AutograderError):
    """What a probe left on disk cannot be read safely."""


class ReportError(AutograderError):
    """A stored run or report is missing or damaged."""


class SandboxError(AutograderError):
    """A sandbox could not be started or failed its own verification."""


class SandboxUnavailableError(SandboxError):
    """This machine lacks what the requested sandbox level needs."""


class ExecutionError(AutograderError):
    """A notebook could not be run for a reason that is not the student's."""


class WorkerDiedError(ExecutionError):
    """The process or machine that ran a notebook died under it."""


class HiddenTestError(AutograderError):
    """A hidden-test file breaks the rules of hidden tests."""


class MutantError(AutograderError):
    """A demo student's file breaks the rules of such files."""


class CalibrationError(AutograderError):
    """An assignment's calibration.py or calibration.json cannot be used."""


class ReleaseError(AutograderError):
    """The released version of an assignment is missing or does not match the course configuration."""


class GradebookError(AutograderError):
    """nbgrader's gradebook could not take a mark."""
