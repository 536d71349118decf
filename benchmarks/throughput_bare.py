"""The bare cells of a class, one Python process per core and one thread each: no kernel, no sandbox, no marks.

    python benchmarks/throughput_bare.py FOLDER PROCESSES [--loaded]

Runs every FOLDER/*.py: without `--loaded`, each in a Python of its own, which imports TensorFlow; with it, each in a
fork of one of so many processes that import TensorFlow first. It needs nothing but the standard library and what the
cells need, and whoever calls it measures how long it takes, imports included.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)
SERVER = """
import os, sys
import keras, numpy, pandas, matplotlib.pyplot, tensorflow
for line in sys.stdin:
    if not os.fork():
        path, status = line.rstrip("\\n"), 1
        try:
            with open(path) as file:
                exec(compile(file.read(), path, "exec"), {"__name__": "__main__"})
            status = 0
        finally:
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


def fresh(path: Path) -> int:
    """A Python of its own for one submission."""
    return subprocess.run([sys.executable, str(path)], env=os.environ | THREADS, check=False).returncode


class Server:
    """A process that has TensorFlow loaded and runs each submission in a fork of itself."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | THREADS,
        )

    def run(self, path: Path) -> int:
        """Its exit status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


def loaded(paths: list[Path], processes: int) -> list[int]:
    """All submissions in forks of so many servers."""
    servers = [Server() for _ in range(processes)]
    idle: SimpleQueue[Server] = SimpleQueue()
    for server in servers:
        idle.put(server)

    def one(path: Path) -> int:
        server = idle.get()
        try:
            return server.run(path)
        finally:
            idle.put(server)

    with ThreadPoolExecutor(processes) as threads:
        statuses = list(threads.map(one, paths))
    for server in servers:
        server.process.communicate()
    return statuses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("processes", type=int)
    parser.add_argument("--loaded", action="store_true")
    options = parser.parse_args()
    paths = sorted(options.folder.glob("*.py"))
    if options.loaded:
        statuses = loaded(paths, options.processes)
    else:
        with ThreadPoolExecutor(options.processes) as threads:
            statuses = list(threads.map(fresh, paths))
    failed = [path.name for path, status in zip(paths, statuses, strict=True) if status]
    if failed or not paths:
        raise SystemExit(f"every script should end well. Received: {failed or 'no scripts'}")


if __name__ == "__main__":
    main()
