"""Grades deep-learning homework notebooks: run once in a sandbox, judge many times over saved evidence."""

import sys

# jsonschema, which reading notebooks imports, compiles grammars of internationalised addresses for formats that no
# notebook has: half of the time that every process of ours would start with. Without the package it goes without.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

__version__ = "0.1.0"
