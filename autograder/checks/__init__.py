"""The vocabulary of hidden tests: it turns what a student returned into a pass or a message that helps.

A test says what it expects (`expect`, `expect_close`, `expect_shape`, ...); the `as_...` and `read_...` functions take
a value of any type and either give one of the right type or raise `Failure`.
"""

from autograder.checks.arrays import as_array, expect_close, expect_dtype, expect_finite, expect_shape
from autograder.checks.baselines import Interval, paired_block_bootstrap, skill
from autograder.checks.devices import held_memory, lies_on_gpu, require_gpu, was_busy
from autograder.checks.failure import Failure, LimitFailure, NotAssessed
from autograder.checks.figures import FigureFacts, has_unit, read_figure
from autograder.checks.forecasts import is_constant, looks_normalised, looks_swapped
from autograder.checks.frames import as_frame, expect_columns, expect_index, expect_same_frame, expect_unchanged
from autograder.checks.given import Given, Materials
from autograder.checks.leakage import change_after, expect_unmoved, has_moved
from autograder.checks.mistakes import recognise
from autograder.checks.models import ModelFacts, are_equal, equal_pairs, forecasts_change, read_model, techniques
from autograder.checks.time_order import expect_rows, locate_windows
from autograder.checks.training import is_observed, observed_histories, read_history
from autograder.checks.values import as_list, as_mapping, as_number, expect, is_value, shorten

__all__ = [
    "Failure",
    "FigureFacts",
    "Given",
    "Interval",
    "LimitFailure",
    "Materials",
    "ModelFacts",
    "NotAssessed",
    "are_equal",
    "as_array",
    "as_frame",
    "as_list",
    "as_mapping",
    "as_number",
    "change_after",
    "equal_pairs",
    "expect",
    "expect_close",
    "expect_columns",
    "expect_dtype",
    "expect_finite",
    "expect_index",
    "expect_rows",
    "expect_same_frame",
    "expect_shape",
    "expect_unchanged",
    "expect_unmoved",
    "forecasts_change",
    "has_moved",
    "has_unit",
    "held_memory",
    "is_constant",
    "is_observed",
    "is_value",
    "lies_on_gpu",
    "locate_windows",
    "looks_normalised",
    "looks_swapped",
    "observed_histories",
    "paired_block_bootstrap",
    "read_figure",
    "read_history",
    "read_model",
    "recognise",
    "require_gpu",
    "shorten",
    "skill",
    "techniques",
    "was_busy",
]
