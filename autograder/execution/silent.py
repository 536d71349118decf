"""Requests of ours that leave no trace in the notebook: sent silently, answered with one line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty
from typing import Any, Literal

from nbclient.exceptions import DeadKernelError

from autograder.execution.channels import GuardedClient
from autograder.execution.student_errors import shorten

_IDLE_SECONDS = 10
_LOOK_SECONDS = 0.2
_ASK_SECONDS = 0.5
_MESSAGE_CHARACTERS = 500


@dataclass(frozen=True)
class Answer:
    """How a silent request ended. `complete` is False if the connection for outputs did not tell that it had."""

    status: Literal["ok", "error", "dead", "timeout"]
    message: str = ""
    complete: bool = True


async def run_silently(client: GuardedClient, code: str, seconds: float, runs: Callable[[], bool]) -> Answer:
    """Run code in the kernel without history and without output, and wait until nothing of it is on its way any more.

    Args:
        client: of a running kernel.
        code: one statement; what it names stays in the user's namespace.
        seconds: how long to wait for it. The kernel is not interrupted when that is over; the watchdog does so.
        runs: whether the kernel's process still runs.
    """
    try:
        request = client.execute(code, silent=True, store_history=False, allow_stdin=False, stop_on_error=False)
    except DeadKernelError:
        return Answer("dead")
    reply = await _matching(client.shell_channel.get_msg, request, seconds, runs, _is_execute_reply)
    if reply is None:
        return Answer("timeout" if runs() else "dead")
    complete = await idle_after(client, request, _IDLE_SECONDS, runs)
    content = reply["content"]
    if content.get("status") == "ok":
        return Answer("ok", complete=complete)
    text = shorten(f"{content.get('ename')}: {content.get('evalue')}", _MESSAGE_CHARACTERS)
    return Answer("error", text, complete)


async def idle_after(client: GuardedClient, request: str, seconds: float, runs: Callable[[], bool]) -> bool:
    """Whether the kernel says within the time that it has done with a request; all outputs of it are dropped."""
    return await _matching(client.iopub_channel.get_msg, request, seconds, runs, _is_idle) is not None


async def answers(client: GuardedClient, times: int, runs: Callable[[], bool]) -> bool:
    """Whether the kernel, asked this often, says once through the connection for outputs that it has done."""
    try:
        for _ in range(times):
            if await idle_after(client, client.kernel_info(), _ASK_SECONDS, runs):
                return True
    except DeadKernelError:
        return False
    return False


async def _matching(
    receive: Callable[..., Any],
    request: str,
    seconds: float,
    runs: Callable[[], bool],
    is_wanted: Callable[[dict[str, Any]], bool],
) -> dict[str, Any] | None:
    """The message that answers a request; None when the kernel has ended or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            message: dict[str, Any] = await receive(timeout=_LOOK_SECONDS)
        except Empty:
            if not runs():
                return None
            await asyncio.sleep(0)
            continue
        if message["parent_header"].get("msg_id") == request and is_wanted(message):
            return message
    return None


def _is_execute_reply(message: dict[str, Any]) -> bool:
    return bool(message["msg_type"] == "execute_reply")


def _is_idle(message: dict[str, Any]) -> bool:
    return message["msg_type"] == "status" and bool(message["content"].get("execution_state") == "idle")
