"""What generated mutants do wrong: one small class for each mistake that students make."""

from typing import Final

from autograder.selftest.operators.base import Operator, code_of
from autograder.selftest.operators.parts import EvaluatedOnTraining, FittedOnEverything
from autograder.selftest.operators.positions import (
    AxisSwapped,
    IndexOffByOne,
    OrderSwapped,
    ProductOrder,
    RangeOffByOne,
    SliceOffByOne,
    TargetsSwapped,
)
from autograder.selftest.operators.steps import (
    AssignmentDropped,
    GuardDropped,
    NegationDropped,
    NormalizationRemoved,
    RoundedUp,
    SignSwapped,
    StepDropped,
    TermDropped,
)
from autograder.selftest.operators.values import (
    AnswersExchanged,
    ComparisonBoundary,
    ConstantChanged,
    FunctionExchanged,
    KeywordDropped,
    ReturnSequencesDropped,
)

__all__ = ["OPERATORS", "Operator", "code_of"]

OPERATORS: Final[tuple[Operator, ...]] = (
    SliceOffByOne(),
    IndexOffByOne(),
    RangeOffByOne(),
    AxisSwapped(),
    TargetsSwapped(),
    OrderSwapped(),
    ProductOrder(),
    ComparisonBoundary(),
    ConstantChanged(),
    AnswersExchanged(),
    ReturnSequencesDropped(),
    KeywordDropped(),
    FunctionExchanged(),
    NormalizationRemoved(),
    SignSwapped(),
    TermDropped(),
    RoundedUp(),
    NegationDropped(),
    StepDropped(),
    GuardDropped(),
    AssignmentDropped(),
    FittedOnEverything(),
    EvaluatedOnTraining(),
)
"""All of them, in the order in which mutants of one place are generated."""
