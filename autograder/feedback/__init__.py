"""Pages for people: a student's feedback and a class's table, written from reports alone."""

from autograder.feedback.class_table import render_class_table
from autograder.feedback.pages import write_page
from autograder.feedback.render import render_feedback

__all__ = ["render_class_table", "render_feedback", "write_page"]
