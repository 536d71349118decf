"""A Jupyter client for kernels that cannot be trusted: bounded messages, and none that can break the reader.

Whatever runs in the sandbox can write any bytes to the kernel's sockets. jupyter_client's own channels hold messages
of any size, reconnect to whatever lies at the socket's path, and raise from deep inside an event loop when a message
cannot be parsed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from traitlets import Any as AnyTrait
from traitlets import Dict, Type
from zmq.constants import Event, SocketOption
from zmq.error import Again

# The largest message that is read. A longer one ends its connection (libzmq gives up a peer that sends one).
MAX_MESSAGE_BYTES = 16 * 2**20
# Messages that wait in this process at most; what is beyond waits, and at last is dropped, in the kernel's.
_MOST_WAITING = 50
# A kernel that has ended or closed its socket would otherwise be waited for without end.
_SEND_MILLISECONDS = 5000
# Where a message keeps the number of bytes that it had on the wire.
WIRE_BYTES = "wire_bytes"
_FIRST_PATIENCE = 0.1
_KERNEL = ("-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False")


class GuardedChannel(AsyncZMQSocketChannel):  # type: ignore[misc]
    """A channel that skips what is no well-formed, signed Jupyter message, and that never waits for a lost peer."""

    def send(self, msg: dict[str, Any]) -> None:
        """Send a message.

        Raises:
            DeadKernelError: nobody is at the other end any more, or nobody reads there.
        """
        try:
            super().send(msg)
        except Again as error:
            raise DeadKernelError("the kernel takes no more requests") from error

    async def _recv(self, **kwargs: Any) -> dict[str, Any]:
        while True:
            # A flood keeps the socket readable without pause: let the other tasks of this loop have their turn.
            await asyncio.sleep(0)
            frames = await self.socket.recv_multipart(**kwargs)
            message = self._parsed(frames)
            if message is not None:
                message[WIRE_BYTES] = sum(len(frame) for frame in frames)
                return message

    def _parsed(self, frames: list[bytes]) -> dict[str, Any] | None:
        try:
            _, parts = self.session.feed_identities(frames)
            message: dict[str, Any] = self.session.deserialize(parts)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            return None  # wrong signature, no JSON, JSON of an absurd depth, a missing field
        usable = isinstance(message.get("content"), dict) and isinstance(message.get("parent_header"), dict)
        return message if usable and isinstance(message.get("msg_type"), str) else None


class GuardedClient(AsyncKernelClient):  # type: ignore[misc]
    """A kernel client on guarded channels, without heartbeat and without standard input."""

    shell_channel_class = Type(GuardedChannel)
    iopub_channel_class = Type(GuardedChannel)
    control_channel_class = Type(GuardedChannel)

    def _context_default(self) -> zmq.asyncio.Context:
        self._created_context = True
        context = zmq.asyncio.Context()
        context.setsockopt(SocketOption.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        context.setsockopt(SocketOption.RCVHWM, _MOST_WAITING)
        context.setsockopt(SocketOption.SNDTIMEO, _SEND_MILLISECONDS)
        if self.transport == "ipc":
            # What lies at the path of the socket after the start is the student's choice: connect once, never again.
            context.setsockopt(SocketOption.RECONNECT_IVL, -1)
        return context

    def start_channels(self, **_: Any) -> None:
        """Open the channels that are used here."""
        super().start_channels(stdin=False, hb=False)
        for channel in (self.shell_channel, self.iopub_channel, self.control_channel):
            channel.socket.linger = 0  # or else a second is lost on what a dead kernel will never read
        # Recorded here because only the socket itself tells that an oversized message has ended its connection.
        self._monitor = self.iopub_channel.socket.get_monitor_socket(Event.DISCONNECTED)

    async def wait_for_ready(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - jupyter_client's signature
        """Wait until the kernel answers on both channels that are used; jupyter_client's own takes 0.2 s longer.

        Raises:
            RuntimeError: the kernel has ended, or the time is over.
        """
        end = float("inf") if timeout is None else time.monotonic() + timeout
        patience = _FIRST_PATIENCE
        while time.monotonic() < end:
            request = self.kernel_info()
            reply, heard = await asyncio.gather(
                _answer(self.shell_channel, request, "kernel_info_reply", patience),
                _answer(self.iopub_channel, request, "status", patience),  # lost until the subscription has arrived
            )
            if reply is not None and heard is not None:
                self._handle_kernel_info_reply(reply)
                return
            if not await self.parent.is_alive():
                raise RuntimeError("it ended before it answered")
            patience = min(2 * patience, 1.0)
        raise RuntimeError("it does not answer")

    async def iopub_lost(self) -> None:
        """Return when the connection that outputs come through has ended, for example by an oversized message."""
        await self._monitor.recv_multipart()

    def stop_channels(self) -> None:
        """Close the channels that were opened; jupyter_client's own would first open the others."""
        if self.channels_running:
            self.iopub_channel.socket.disable_monitor()
            for channel in (self.shell_channel, self.iopub_channel, self.control_channel):
                channel.stop()
        if self._created_context and not self.context.closed:
            self.context.destroy(linger=0)

    def reopen_iopub(self) -> bool:
        """Replace the channel of outputs, whose connection has ended; False if the kernel's socket is not there."""
        path = Path(f"{self.ip}-{self.iopub_port}")
        if self.transport == "ipc" and (path.is_symlink() or not path.is_socket()):
            return False
        self.iopub_channel.socket.disable_monitor()
        self.iopub_channel.stop()
        self._iopub_channel = None
        self.start_channels()
        return True


class SandboxKernelManager(AsyncKernelManager):  # type: ignore[misc]
    """A kernel manager whose kernels come from the provisioner `autograder-sandbox`, whatever a notebook asks for."""

    client_factory = Type(GuardedClient)
    client_class = "autograder.execution.channels.GuardedClient"
    provisioner_config = Dict()
    executable = AnyTrait()

    @property
    def kernel_spec(self) -> KernelSpec:
        """An ordinary Python kernel with this package's provisioner."""
        provisioner = {"provisioner_name": "autograder-sandbox", "config": dict(self.provisioner_config)}
        return KernelSpec(
            argv=[self.executable, *_KERNEL],
            display_name="Python 3",
            language="python",
            interrupt_mode="signal",
            metadata={"kernel_provisioner": provisioner},
        )


async def _answer(channel: GuardedChannel, request: str, kind: str, seconds: float) -> dict[str, Any] | None:
    """The first message of a kind that answers a request; None if there is none in time."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            message: dict[str, Any] = await channel.get_msg(timeout=left)
        except Empty:
            return None
        if message["parent_header"].get("msg_id") == request and message["msg_type"] == kind:
            return message
    return None


def wait_until_listening(paths: list[Path], seconds: float, still_running: Callable[[], bool]) -> bool:
    """Wait until something listens on all unix sockets; False when the time is over or the kernel has ended."""
    end = time.monotonic() + seconds
    waiting = list(paths)
    while waiting and time.monotonic() < end and still_running():
        with socket.socket(socket.AF_UNIX) as trial, contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            trial.connect(str(waiting[0]))
            waiting.pop(0)
            continue
        time.sleep(0.01)
    return not waiting
