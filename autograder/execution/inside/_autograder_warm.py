"""Main program of the level `warm`: import what takes long once, then fork for every kernel.

    python _autograder_warm.py SETTINGS

Standard input is a listening unix socket (SOCK_SEQPACKET). One packet of JSON asks for something:

    {"ask": "lease"}                 answered {"leased": PID}; this process runs as long as anybody holds a lease
    {"ask": "kernel", ...}           answered {"started": true} with two process descriptors: pid 1 and the kernel
    {"ask": "trial", ...}            the same without a kernel: enter, lock down, verify, end

A kernel's connection is its life line: when the other side closes it, the sandbox is killed; when the sandbox ends by
itself, {"ended": STATUS} is sent and the connection closed. What goes wrong before the start is {"failed": WHY}.

This process has one thread and no secret. It never runs an operation of TensorFlow, so it touches no device.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time

import _autograder_enter as enter
import _autograder_kernel as kernel
import _autograder_linux as linux
import _autograder_lockdown as lockdown

_MOST_BYTES = 65536
_BACKLOG = 128
_FIRST_LEASE_SECONDS = 60.0
_REQUEST_SECONDS = 5.0


def main(settings_path):
    """Serve until nobody holds a lease any more."""
    with open(settings_path, encoding="utf-8") as file:
        settings = json.load(file)
    _import(settings["preload"])
    with open(settings["filter"], "rb") as file:
        program = file.read()
    listener = socket.socket(fileno=os.dup(0))
    lockdown.detach_streams()
    lockdown.close_all_but((listener.fileno(),))
    gc.collect()
    gc.freeze()  # a collection in a fork would copy every page that it looks at
    _Server(listener, settings, program).serve()


def _import(names):
    """Load modules; one that is not installed is not missed."""
    for name in names:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)


class _Server:
    """Accepts connections, keeps leases, and forks."""

    def __init__(self, listener, settings, program):
        self.listener = listener
        self.settings = settings
        self.program = program
        self.leases = {}
        self.children = set()
        self.last_used = time.monotonic()
        self.ever_leased = False

    def serve(self):
        """One packet or one ended child at a time."""
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poller = select.poll()
        for descriptor in (self.listener.fileno(), woken):
            poller.register(descriptor, select.POLLIN)
        while not self._idle():
            for descriptor, _ in poller.poll(1000):
                if descriptor == self.listener.fileno():
                    self._accept(poller)
                elif descriptor == woken:
                    os.read(woken, 4096)
                    self._reap()
                else:
                    poller.unregister(descriptor)
                    self.leases.pop(descriptor).close()

    def _idle(self):
        if self.children:
            self.last_used = time.monotonic()
            return False
        unused = time.monotonic() - self.last_used
        if not self.leases:
            return self.ever_leased or unused > _FIRST_LEASE_SECONDS
        return unused > self.settings["idle_seconds"]

    def _accept(self, poller):
        connection, _ = self.listener.accept()
        connection.settimeout(_REQUEST_SECONDS)
        try:
            request = json.loads(connection.recv(_MOST_BYTES))
            asked = request["ask"]
        except (OSError, ValueError, KeyError, TypeError):
            connection.close()
            return
        connection.settimeout(None)
        self.last_used = time.monotonic()
        if asked == "lease":
            with contextlib.suppress(OSError):
                connection.send(json.dumps({"leased": os.getpid()}).encode())
            self.ever_leased = True
            self.leases[connection.fileno()] = connection
            poller.register(connection.fileno(), select.POLLIN)
            return
        server = os.getpid()
        child = os.fork()
        if not child:
            _become_keeper(connection, request, self.settings, self.program, server)
        self.children.add(child)
        connection.close()

    def _reap(self):
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                self.children.discard(ended)


# ---------------------------------------------------------------------- one sandbox: keeper, pid 1, kernel


def _become_keeper(connection, request, settings, program, server):
    """The child of the warm process that holds one sandbox by its life line; never returns."""
    status = 1
    try:
        kernel.restore_signals()
        lockdown.close_all_but((connection.fileno(),))
        enter.leave_namespaces()
        linux.die_with_parent()
        if os.getppid() != server:
            os._exit(1)
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        first = os.fork()
        if not first:
            mine.close()
            _become_first(connection, request, settings, program, theirs)
        theirs.close()
        linux.drop_capabilities()
        mine.send(b"x")
        status = _keep(connection, first)
    except BaseException as error:  # whatever it is, it is told to whoever asked for the kernel
        _tell(connection, failed=f"{type(error).__name__}: {error}")
    finally:
        os._exit(status)


def _keep(connection, first):
    """Wait until the sandbox ends or nobody wants it any more; how it ended, as a shell would say it."""
    descriptor = os.pidfd_open(first)
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    poller.register(descriptor, select.POLLIN)
    ready = {number for number, _ in poller.poll()}
    if descriptor not in ready:
        os.kill(first, signal.SIGKILL)  # it cannot have been reaped: the number is its own
    code = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
    code = 128 - code if code < 0 else code
    _tell(connection, ended=code)
    return code


def _become_first(connection, request, settings, program, alive):
    """Pid 1 of the sandbox: make the root, start the kernel, and reap; never returns."""
    status = 1
    try:
        linux.die_with_parent()
        if alive.recv(1) != b"x":  # the keeper has gone before this process could be told of it
            os._exit(1)
        alive.close()
        os.setsid()
        limits = request["limits"]
        spool = f"/spools/{request['spool']}"
        devices = [path for path in settings["devices"] if path in request.get("devices", ())]
        enter.make_root(spool, settings["shown"], devices, request["data"], limits)
        lockdown.set_limits(limits)
        child = os.fork()
        if not child:
            _become_second(connection, request, program)
        connection.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        lockdown.lock_down(program)
        status = _reap_until_end_of(child)
    except BaseException as error:
        _tell(connection, failed=f"{type(error).__name__}: {error}")
    finally:
        os._exit(status)


def _reap_until_end_of(child):
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code


def _become_second(connection, request, program):
    """The kernel itself; never returns."""
    try:
        os.setsid()
        os.environ.update(request["environment"], PWD=lockdown.HOME)  # libraries have set some of it themselves
        os.chdir(lockdown.HOME)
        lockdown.lock_down(program)
        lockdown.verify()
        descriptors = [os.pidfd_open(os.getppid()), os.pidfd_open(os.getpid())]
        socket.send_fds(connection, [json.dumps({"started": True}).encode()], descriptors)
        lockdown.close_all_but(())
        connection.detach()
        if request["ask"] == "trial":
            os._exit(0)
        kernel.freshen(request["threads"])
        kernel.become_kernel(request["arguments"])
    except BaseException as error:
        _tell(connection, failed=f"{type(error).__name__}: {error}")
    finally:
        os._exit(1)


def _tell(connection, **message):
    with contextlib.suppress(OSError):
        connection.send(json.dumps(message).encode()[:_MOST_BYTES])


if __name__ == "__main__":
    main(sys.argv[1])
