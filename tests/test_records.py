"""Points: a question's points times the weight of the checks that passed, and never a number that nobody earned."""

import pytest

from autograder.records import CheckResult, points_for


def checks(*outcomes):
    return [CheckResult(name=f"test_{i}", title="", outcome=o, weight=w) for i, (o, w) in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("given", "points", "outcome"),
    [
        ([("passed", 1), ("passed", 3)], 0.2, "passed"),
        ([("passed", 1), ("failed", 3)], 0.05, "partial"),
        ([("passed", 1), ("limit_exceeded", 1)], 0.1, "partial"),
        ([("failed", 1), ("limit_exceeded", 1)], 0.0, "failed"),
        ([("passed", 1), ("not_assessed", 3)], 0.2, "passed"),
        ([("not_assessed", 1)], None, "not_assessed"),
        ([("passed", 1), ("error", 1)], None, "error"),
        ([("failed", 1), ("error", 1)], None, "error"),
        ([("passed", 0)], None, "not_assessed"),
        ([], None, "error"),
    ],
)
def test_points(given, points, outcome):
    assert points_for(checks(*given), 0.2) == (points, outcome)
