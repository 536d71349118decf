"""Main program of the level `cold`: bubblewrap has made the namespaces; lock down, then become the kernel.

    python _autograder_cold.py SETTINGS ARGUMENTS-OF-IPYKERNEL...

SETTINGS is a JSON file with `filter` (path of the seccomp program) and `limits`.
"""

import json
import os
import sys

import _autograder_kernel as kernel
import _autograder_lockdown as lockdown


def main(settings_path, *arguments):
    """Never returns."""
    with open(settings_path, encoding="utf-8") as file:
        settings = json.load(file)
    with open(settings["filter"], "rb") as file:
        program = file.read()
    lockdown.set_limits(settings["limits"])
    lockdown.lock_down(program)
    lockdown.verify()
    lockdown.detach_streams()
    lockdown.close_all_but(())
    os.chdir(lockdown.HOME)
    kernel.become_kernel(list(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
