"""Grades deep-learning homework notebooks: run once in a sandbox, judge many times over saved evidence."""

__version__ = "0.1.0"
