"""Thresholds with stated error rates: what trained models reach, and how often a bar between good and bad ones errs.

`autograder calibrate` runs notebooks that deserve to pass over several seeds, through the same grading and the same
store as any submission, and reads what the hidden tests measured. Answers that need no training, such as baselines and
guesses, come from the assignment's own `solutions/<assignment>/calibration.py`. What comes of it is written into
`calibration.json`, which is where hidden tests read their bars.
"""

from autograder.calibration.command import calibrate_assignment
from autograder.calibration.entries import write_calibration
from autograder.calibration.models import Answer, Bar, Models, read_models
from autograder.calibration.rates import Figures, Rate, figures_of
from autograder.calibration.trials import Result, Trials, run_trials

__all__ = [
    "Answer",
    "Bar",
    "Figures",
    "Models",
    "Rate",
    "Result",
    "Trials",
    "calibrate_assignment",
    "figures_of",
    "read_models",
    "run_trials",
    "write_calibration",
]
