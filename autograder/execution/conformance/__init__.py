"""A conformance kit for sandboxes: one test per promise, for this package's levels and for anybody's own sandbox.

    pytest --pyargs autograder.execution.conformance --sandbox cold
    python -m autograder.execution.conformance --sandbox my_package.sandboxes:CONTAINER

The files, by area: `test_reading`, `test_writing`, `test_network`, `test_kernel_surface`, `test_processes`,
`test_limits`, `test_lifetime`, `test_evidence`, `test_neighbours`, `test_parity`. A test's docstring is its promise.
What is tried inside stands above the test as source text (`attempts.py`); the attempts of a file run in one kernel.

No attempt harms a machine whose sandbox fails: calls carry arguments that the system refuses after it has looked at
the caller's rights, bombs and hogs are bounded, and secrets are bait that the kit lays out itself (`bait.py`).
"""

from autograder.execution.conformance.sandboxes import Level, Sandbox, load_sandbox

__all__ = ["Level", "Sandbox", "load_sandbox"]
