"""Pages for people: a student's feedback, a class's table, a calibration's distributions."""

from autograder.feedback.class_table import render_class_table
from autograder.feedback.distributions import Distribution, render_distributions
from autograder.feedback.pages import write_page
from autograder.feedback.render import render_feedback

__all__ = ["Distribution", "render_class_table", "render_distributions", "render_feedback", "write_page"]
