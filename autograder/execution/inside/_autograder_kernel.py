"""The process becomes an IPython kernel, the same at the levels `warm` and `cold`."""

import atexit
import os
import random
import signal
import sys
import types


def restore_signals():
    """The dispositions that a fresh Python has."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def freshen(threads):
    """Undo what a fork shares with its siblings: random numbers, and the number of threads of a loaded NumPy.

    A folder that Matplotlib made in the home of the warm process is made in this one's.
    """
    os.makedirs(os.environ["MPLCONFIGDIR"], exist_ok=True)
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
        if threads > 1:
            from threadpoolctl import threadpool_limits

            threadpool_limits(threads)


def become_kernel(arguments):
    """Run an IPython kernel in this process until it is shut down; does not return.

    Args:
        arguments: of `python -m ipykernel_launcher`.
    """
    from ipykernel import kernelapp

    sys.path[:] = [path for path in sys.path if path != os.path.dirname(__file__)]
    for name in [name for name in sys.modules if name.startswith("_autograder_")]:
        del sys.modules[name]
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv = [os.path.join(os.path.dirname(os.path.dirname(kernelapp.__file__)), "ipykernel_launcher.py"), *arguments]
    status = 0
    try:
        kernelapp.IPKernelApp.launch_instance()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - os._exit runs none, and the process that was forked must not go on
        os._exit(status & 0xFF)
