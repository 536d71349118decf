"""Drives one kernel through one notebook: cells, their limits, and the probes between them.

papermill's client (a subclass of nbclient's) with what a grader needs besides: an exception does not stop the run,
every cell is held to its limits by the watchdog, outputs are bounded as they come in, and whatever a student's code
does to the kernel ends as data in the account.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbclient.util import run_sync
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient

from autograder.errors import AutograderError, EvidenceError, ExecutionError, SandboxError
from autograder.execution.account import Account, grade_id
from autograder.execution.cgroup import SandboxGroup, enclose
from autograder.execution.channels import SandboxKernelManager, wait_until_listening
from autograder.execution.limits import Activity, Watchdog
from autograder.execution.loading import load_request
from autograder.execution.outputs import CellOutput, trim
from autograder.execution.plan import Probe
from autograder.execution.provisioner import SandboxProvisioner
from autograder.execution.sandbox import Confinement, view
from autograder.execution.silent import answers, run_silently
from autograder.execution.spool import Spool
from autograder.execution.student_errors import cell_error
from autograder.records import CellOutcome, LimitName, ProbeOutcome

_IDLE_SECONDS = 10
_RECONNECTIONS = 20
_OUTPUTS = ("stream", "display_data", "execute_result", "error")
_LOOK_SECONDS = 0.1
# How long to read on what had arrived before the connection was lost.
_LEFT_OVER_SECONDS = 0.3


class SandboxClient(PapermillNotebookClient):  # type: ignore[misc]
    """Runs one notebook in one sandboxed kernel, once.

    Args:
        nb_man: papermill's manager of the notebook.
        account: where everything that happens is recorded.
        spool: the private folder of this run.
        evidence: the folder to which evidence is copied, question by question.
        confinement: what the kernel may see and use.
    """

    def __init__(
        self,
        nb_man: Any,
        *,
        account: Account,
        spool: Spool,
        evidence: Path | None,
        confinement: Confinement,
        **traits: Any,
    ) -> None:
        super().__init__(
            nb_man,
            allow_errors=True,
            timeout=None,
            iopub_timeout=_IDLE_SECONDS,
            raise_on_iopub_timeout=False,
            store_widget_state=False,
            shutdown_kernel="immediate",
            on_cell_executed=self._remember_reply,
            **traits,
        )
        self.account = account
        self.spool = spool
        self.evidence = evidence
        self.confinement = confinement
        self.watchdog: Watchdog | None = None
        self.group: SandboxGroup | None = None
        self._reply: dict[str, Any] = {}
        self._output = CellOutput(account.plan.limits)
        self._idle_seen = True
        self.clear_before_next_output = False
        self._sources: dict[int, str] = {}

    # ------------------------------------------------------------------ life of the kernel

    def execute(self, **kwargs: Any) -> NotebookNode:
        """Start the kernel, run everything, end the kernel.

        Raises:
            SandboxError: the kernel could not be started or is not confined.
            ExecutionError: the probes' runtime could not be loaded, or the protocol was broken in an unknown way.
        """
        self.reset_execution_trackers()
        begun = time.monotonic()
        self.km = SandboxKernelManager(
            executable=sys.executable, provisioner_config={"confinement": self.confinement, "spool": self.spool}
        )
        self.owns_km = True
        try:
            self._start(**kwargs)
            self.account.startup_seconds = time.monotonic() - begun
            self.papermill_execute_cells()
        except AutograderError:
            raise
        except Exception as error:  # nbclient, jupyter_client and zmq raise many kinds, and none may pass for a result
            raise ExecutionError(
                f"the run of a notebook could not be carried out. Received: {type(error).__name__}: {error}"
            ) from error
        finally:
            self._end()
            if threading.current_thread() is not threading.main_thread():
                ensure_event_loop().close()  # nbclient makes one for every thread, and closes none
            self.account.seconds = time.monotonic() - begun
        return self.nb

    def _start(self, **kwargs: Any) -> None:
        limits = self.account.plan.limits
        try:
            self.start_new_kernel(**kwargs)
            provisioner = self._provisioner
            listening = self.km.transport != "ipc" or wait_until_listening(
                [Path(f"{self.km.ip}-{port}") for port in self.km.ports], limits.startup_seconds, self._process_runs
            )
            if not listening:
                raise RuntimeError("it does not listen")
            provisioner.verify()
            if self.confinement.level != "none":  # such a kernel stays in the group of whoever started it
                self.group = enclose(provisioner.root_process(), self.spool.root.name, limits)
            self.start_new_kernel_client()
        except (RuntimeError, OSError) as error:
            words = self._provisioner.last_words() if self.km is not None and self.km.provisioner else ""
            raise SandboxError(
                f"the kernel did not start within {limits.startup_seconds:g} s at the sandbox level "
                f"{self.confinement.level!r}; `autograder doctor` tells what is missing. Received: {error}; {words}"
            ) from error
        self.watchdog = Watchdog(provisioner, limits, self.group)
        self._load_runtime()
        self.watchdog.start()
        self.account.gpu_use.start(provisioner.root_process)

    @property
    def _provisioner(self) -> SandboxProvisioner:
        provisioner: SandboxProvisioner = self.km.provisioner
        return provisioner

    def _process_runs(self) -> bool:
        process = self._provisioner.process
        return process is not None and process.poll() is None

    def _end(self) -> None:
        self.account.gpu_use.stop()
        if self.watchdog is not None:
            self.watchdog.stop()
            self.account.peak_memory_mb = self.watchdog.peak_memory_mb
        if self.km is not None and self.km.provisioner is not None:
            self._cleanup_kernel()
        if self.group is not None:
            self.group.remove()

    def _load_runtime(self) -> None:
        plan = self.account.plan
        if not plan.runtime:
            return
        seen = view(self.confinement, self.spool)
        settings = {"inbox": seen.inbox, "outbox": seen.evidence, "seed": plan.seed}
        status, message = self._silently(load_request(plan.runtime, settings), plan.limits.startup_seconds)
        if status != "ok":
            raise ExecutionError(
                f"the probes' runtime could not be loaded into the kernel. Received: {message or status}"
            )

    # ------------------------------------------------------------------ cells

    def papermill_execute_cells(self) -> None:
        """Run all cells in order, each with the probe that belongs to it; none after the kernel has ended."""
        total = sum(cell.cell_type == "code" for cell in self.nb.cells)
        for index, cell in enumerate(self.nb.cells):
            runs = cell.cell_type == "code"
            if runs and self._over(index):
                self.account.add_cell(cell, index, "not_run", total)
                continue
            self.nb_man.cell_start(cell, index)
            if runs:
                self._run_cell(cell, index, total)
            self.nb_man.cell_complete(cell, cell_index=index)
            if runs:
                self._probe_after(cell)
        for cell in self.nb.cells:
            if cell.cell_type == "code":
                trim(cell, self.account.plan.limits)

    def _over(self, index: int | None) -> bool:
        assert self.watchdog is not None
        if self.watchdog.run_time_spent and not self.account.kernel_died:
            if not any(exceeded.limit == "run time" for exceeded in self.account.limits_exceeded):
                self.account.add_breach(self.watchdog.breach("run time"), None, index)
            return True
        return self.account.kernel_died

    async def _async_poll_kernel_alive(self) -> None:
        """nbclient's look-out beside each cell, which looks only once a second."""
        while self._process_runs():  # noqa: ASYNC110 - the system sends no event when a process ends
            await asyncio.sleep(_LOOK_SECONDS)
        self.task_poll_for_reply.cancel()

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: NotebookNode, cell_index: int) -> None:
        """nbclient's reading of a cell's outputs, which would wait for ever where the connection has been lost.

        It ends with the kernel, or by one message above the size that is read; that counts as a flood.
        """
        outputs = asyncio.ensure_future(super()._async_poll_output_msg(parent_msg_id, cell, cell_index))
        lost = asyncio.ensure_future(self.kc.iopub_lost())
        try:
            await asyncio.wait({outputs, lost}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({outputs}, timeout=_LEFT_OVER_SECONDS)
            if outputs.done():
                outputs.result()
            elif self._process_runs():
                self._stop_flood("output")
        finally:
            outputs.cancel()
            lost.cancel()

    def _stop_flood(self, limit: LimitName) -> None:
        if self.watchdog is not None:
            self.watchdog.stop_flood(limit)

    def _run_cell(self, cell: NotebookNode, index: int, total: int) -> None:
        assert self.watchdog is not None
        limits = self.account.plan.limits
        self._reply, self._output, self._idle_seen = {}, CellOutput(limits), not cell.source.strip()
        died = False
        with self.watchdog.activity("cell time", limits.cell_seconds) as activity:
            try:
                self.execute_cell(cell, index)
            except DeadKernelError:
                died = True
            except CellExecutionError as error:  # only from nbclient's own checks; errors are allowed
                raise ExecutionError(f"the run was stopped at cell {index}. Received: {error}") from error
            died = self.watchdog.out_of_memory() or died
        if isinstance(cell.execution_count, int):
            self._sources[cell.execution_count] = cell.source
        self._record_cell(cell, index, total, activity, died=died)
        if not died:
            self._settle(cell, index)

    def _record_cell(self, cell: NotebookNode, index: int, total: int, activity: Activity, *, died: bool) -> None:
        content = self._reply.get("content", {})
        failed = content.get("status") == "error"
        error = cell_error(content, self._sources) if failed else None
        outcome: CellOutcome = "error" if failed else "ok"
        if died:
            outcome = "killed"
            self._explain_death(cell, index, activity)
        elif activity.breach is not None and activity.breach.limit in {"cell time", "run time"}:
            outcome = "timeout"
        if outcome != "ok":
            self.nb_man.cell_exception(cell, cell_index=index)
        refused = self.watchdog.refused(error) if error is not None and self.watchdog is not None else None
        self.account.add_cell(
            cell, index, outcome, total, activity=activity, output=self._output, error=error, refused=refused
        )

    def _explain_death(self, cell: NotebookNode | None, index: int | None, activity: Activity) -> None:
        assert self.watchdog is not None
        name = grade_id(cell) if cell is not None else None
        place = f"the cell `{name}`" if name else f"cell {index}"
        fatal = self.watchdog.post_mortem(self._provisioner.exit_status())
        if fatal is None:
            self.account.died(f"the kernel ended in {place}: {self._provisioner.exit_status()}")
            return
        self.account.add_breach(fatal, name, index)
        how = "did not stop when it was interrupted" if fatal is activity.breach else "was stopped"
        self.account.died(f"{place} {how}: {fatal.limit}, {fatal.allowed} allowed")

    def _settle(self, cell: NotebookNode, index: int) -> None:
        """After a cell: mend the connection for outputs if it was lost, and see whether the kernel was told to end."""
        if not self._idle_seen:
            self._output.lose("a message was too large or got lost", cell.outputs)
            self.account.note_truncated(index, self._output)
            self._reconnect_outputs()
        payload = self._reply.get("content", {}).get("payload")
        asked = [item for item in payload if isinstance(item, dict)] if isinstance(payload, list) else []
        if any(item.get("source") == "ask_exit" and not item.get("keepkernel") for item in asked):
            # The kernel ends a moment after its reply. Waiting for it makes "the rest was not run" the same every time.
            self._provisioner.kill_now()
            self.account.died(f"cell {index} called exit() or quit()")

    async def _async_reconnect_outputs(self) -> None:
        """Open a new connection for outputs, and wait until messages arrive through it."""
        if not self.kc.reopen_iopub():
            self._provisioner.kill_now()
            self.account.died("the notebook replaced the kernel's own sockets")
            return
        if not await answers(self.kc, _RECONNECTIONS, self._process_runs):
            self._provisioner.kill_now()
            self.account.died("the kernel no longer says when it has done with a cell")

    _reconnect_outputs = run_sync(_async_reconnect_outputs)

    async def _remember_reply(self, *, execute_reply: dict[str, Any], **_: Any) -> None:
        self._reply = execute_reply

    # ------------------------------------------------------------------ messages

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Keep what fits of one message; a message that lacks its parts is left out."""
        if msg["msg_type"] == "status" and msg["content"].get("execution_state") == "idle":
            self._idle_seen = True
        if self.clear_before_next_output and msg["msg_type"] in _OUTPUTS:
            cell.outputs.clear()
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output = False
        admitted = self._output.admit(msg, cell.outputs)
        if self._output.flood is not None:
            self._stop_flood(self._output.flood)
        if not admitted:
            return None
        try:
            return super().process_message(msg, cell, cell_index)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            return None  # nbclient trusts the shape of messages, and the positions of displays that were left out

    def clear_output(self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int) -> None:
        """Clear a cell's outputs, and the account of what they take."""
        super().clear_output(outs, msg, cell_index)
        self._output.cleared()

    def handle_comm_msg(self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int) -> None:
        """Widgets have no front end here; their messages are not kept."""

    # ------------------------------------------------------------------ probes

    def _probe_after(self, cell: NotebookNode) -> None:
        probe = self.account.plan.probes.get(grade_id(cell) or "")
        if probe is None or self.account.kernel_died or self._over(None):
            return
        # A round's inputs may hold the answers to the round before: they come when its evidence has been taken away.
        outcome, message, seconds = self._probe_once(probe, probe.inputs, probe.question)
        for number, inputs in enumerate(probe.later, start=1):
            if outcome == "ok":
                outcome, message, more = self._probe_once(probe, inputs, f"{probe.question}.{number}")
                seconds += more
        self.account.add_probe(probe.question, outcome, message, seconds)

    def _probe_once(self, probe: Probe, inputs: bytes, name: str) -> tuple[ProbeOutcome, str, float]:
        assert self.watchdog is not None
        self.spool.put_probe(probe.question, probe.source, inputs)
        answer = secrets.token_hex(8)  # a name that nothing in the kernel can have written to before
        try:
            with self.watchdog.activity("cell time", probe.seconds) as activity:
                request = f'__import__("sys").modules["_autograder_runtime"].probe({probe.question!r}, {answer!r})'
                status, message = self._silently(request, probe.seconds + self.account.plan.limits.run_seconds)
        finally:
            self.spool.clear_inbox()
        return self._probe_outcome(probe, activity, status, message, self._collect(answer, name))

    def _probe_outcome(
        self, probe: Probe, activity: Activity, status: str, message: str, missing: str
    ) -> tuple[ProbeOutcome, str, float]:
        assert self.watchdog is not None
        if status == "dead":
            fatal = self.watchdog.post_mortem(self._provisioner.exit_status())
            if fatal is not None:
                self.account.add_breach(fatal, None, None)
            cause = f"{fatal.limit}, {fatal.allowed} allowed" if fatal else self._provisioner.exit_status()
            self.account.died(f"the kernel ended while `{probe.question}` was examined: {cause}")
        if activity.breach is not None:
            return "timeout", f"took longer than {activity.breach.allowed}", activity.seconds
        if status != "ok" or missing:
            return "failed", message or missing or "the kernel ended", activity.seconds
        return "ok", "", activity.seconds

    def _collect(self, answer: str, name: str) -> str:
        """Bring the evidence to safety before the next cell can touch it; what is wrong with it, or nothing."""
        if self.evidence is None:
            return ""
        try:
            self.spool.collect(answer, self.evidence / f"{name}.npz", self.account.plan.limits.evidence_mb * 2**20)
        except EvidenceError as error:
            return str(error)
        return ""

    async def _async_silently(self, code: str, seconds: float) -> tuple[str, str]:
        """Run code of ours in the kernel, unseen: ("ok" | "error" | "dead" | "timeout", the message of an error)."""
        answer = await run_silently(self.kc, code, seconds, self._process_runs)
        if not answer.complete and self._process_runs():
            await self._async_reconnect_outputs()
        return answer.status, answer.message

    _silently = run_sync(_async_silently)
