"""The papermill engine `autograder`, and `execute`, which runs one plan through it."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from papermill.engines import Engine, papermill_engines
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from autograder import atomic
from autograder.config import Limits
from autograder.execution.account import Account, Progress
from autograder.execution.client import SandboxClient
from autograder.execution.plan import ExecutionPlan
from autograder.execution.sandbox import Confinement, needs_fresh_interpreter, settle, view
from autograder.execution.spool import Spool, private_spool
from autograder.records import Run, SandboxLevel

ENGINE = "autograder"
EXECUTED = "executed.ipynb"
EVIDENCE = "evidence"


class AutograderEngine(Engine):  # type: ignore[misc]
    """Runs a notebook in a sandboxed kernel with limits; an error in a cell does not stop the rest.

    Works from plain papermill too: `papermill --engine autograder in.ipynb out.ipynb`. There is no plan then: the
    default limits hold, nothing is probed, and papermill reports the first error when all cells have run.
    """

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,  # noqa: ARG003 - papermill passes it
        *,
        account: Account | None = None,
        spool: Spool | None = None,
        confinement: Confinement | None = None,
        evidence: Path | None = None,
        level: SandboxLevel = "warm",
        **_: Any,
    ) -> NotebookNode:
        """Run the notebook of a manager; papermill calls this.

        Args:
            nb_man: papermill's manager of the notebook.
            kernel_name: ignored: the kernel is always Python's, in a sandbox.
            account: of the plan that is run; without one a plan with default limits is made.
            spool: the private folder of this run; without one a folder of its own is made.
            confinement: what the kernel may see and use, at a level that works; without one it is found out.
            evidence: the folder to which evidence is copied.
            level: the sandbox level, where there is no account.

        Raises:
            SandboxError: the kernel could not be started.
            ExecutionError: the run could not be carried out, for a reason that is not the student's.
        """
        account = account or Account(_plain_plan(nb_man.nb, level))
        confinement = confinement or _settled(account)
        with contextlib.ExitStack() as stack:
            spool = spool or stack.enter_context(_spool_for(confinement))
            client = SandboxClient(nb_man, account=account, spool=spool, evidence=evidence, confinement=confinement)
            return client.execute()


def execute(plan: ExecutionPlan, folder: Path, *, on_cell: Progress | None = None) -> Run:
    """Run one notebook; leave `executed.ipynb` and `evidence/<question>.npz` in `folder`.

    Nothing that a student's code does raises here: it ends in the returned record.

    Args:
        plan: what to run, and how.
        folder: where the results go; made if it does not exist.
        on_cell: called after every code cell with how many are done, how many there are, and the cell's grade_id.

    Raises:
        SandboxUnavailableError: the plan's level does not work on this machine.
        SandboxError: the kernel could not be started or is not confined.
        ExecutionError: the run could not be carried out, for a reason that is not the student's.
    """
    account = Account(plan, on_cell)
    confinement = _settled(account)
    folder.mkdir(parents=True, exist_ok=True)
    with _spool_for(confinement) as spool:
        notebook = _parameterized(plan, confinement, spool)
        executed = papermill_engines.execute_notebook_with_engine(
            ENGINE,
            notebook,
            kernel_name="python3",
            output_path=None,
            progress_bar=False,
            log_output=False,
            autosave_cell_every=0,
            account=account,
            spool=spool,
            confinement=confinement,
            evidence=folder / EVIDENCE,
        )
    atomic.write(folder / EXECUTED, nbformat.writes(executed))
    return account.run()


def _settled(account: Account) -> Confinement:
    """What the plan's kernel may see and use, at a level that works here; a change of level is noted in the account.

    Raises:
        SandboxUnavailableError: no level that is as strong as `cold` works, and `none` was not asked for.
    """
    plan = account.plan
    wanted = Confinement(plan.level, plan.limits, plan.threads, plan.data, plan.gpu, plan.device, plan.kernels_per_gpu)
    settled = settle(wanted, fresh=needs_fresh_interpreter(plan.notebook))
    account.level, account.level_note = settled.level, settled.note
    return replace(wanted, level=settled.level)


def _spool_for(confinement: Confinement) -> AbstractContextManager[Spool]:
    return private_spool(confinement.lease().spools if confinement.level == "warm" else None)


def _parameterized(plan: ExecutionPlan, confinement: Confinement, spool: Spool) -> NotebookNode:
    """A copy of the plan's notebook with its parameters injected and papermill's metadata."""
    notebook = load_notebook_node(plan.notebook)
    if not plan.parameters:
        return notebook
    shown = view(confinement, spool).data
    parameters = {
        name: shown if shown is not None and name in plan.data_parameters else value
        for name, value in plan.parameters.items()
    }
    notebook = parameterize_notebook(notebook, parameters, kernel_name="python3", language="python", engine_name=ENGINE)
    for cell in notebook.cells:
        cell.metadata.setdefault("papermill", {})
    return notebook


def _plain_plan(notebook: NotebookNode, level: SandboxLevel) -> ExecutionPlan:
    return ExecutionPlan(
        assignment="",
        profile="",
        notebook=notebook,
        parameters={},
        probes={},
        runtime={},
        limits=Limits(),
        level=level,
        seed=0,
    )
