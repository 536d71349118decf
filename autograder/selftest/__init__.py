"""How good an assignment's hidden tests are at telling right from wrong.

Hands in the reference solution, the demo students, and mutants that it generates from the solution by itself, each with
one mistake; grades them as any others; and tells which mistakes cost nothing.
"""

from autograder.selftest.mutations import Mutation
from autograder.selftest.outcomes import SelfTest
from autograder.selftest.running import GENERATED, mark_equivalent, run_selftest, selftest_folder
from autograder.selftest.showing import print_selftest

__all__ = [
    "GENERATED",
    "Mutation",
    "SelfTest",
    "mark_equivalent",
    "print_selftest",
    "run_selftest",
    "selftest_folder",
]
