"""Runs one notebook: papermill engine, kernel provisioner, sandbox and limits.

    execute(plan, folder) -> Run

Papermill, nbclient and jupyter_client are imported here and nowhere else in this package.
"""

# First of all: papermill loads the engines of other packages, `engine.py` among them, while it is itself imported.
import papermill.engines  # noqa: F401

from autograder.execution.engine import AutograderEngine, execute
from autograder.execution.plan import ExecutionPlan, Probe
from autograder.execution.sandbox import LevelStatus, levels

__all__ = ["AutograderEngine", "ExecutionPlan", "LevelStatus", "Probe", "execute", "levels"]
