"""The vocabulary of hidden tests."""

from autograder.checks.failure import Failure, LimitFailure, NotAssessed
from autograder.checks.given import Given, Materials

__all__ = ["Failure", "Given", "LimitFailure", "Materials", "NotAssessed"]
