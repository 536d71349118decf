"""Reports and notebooks for the tests of the pages, an ordinary one and a hostile one."""

import pytest

from tests.feedback.hostile_pages import ATTACKS, hostile_notebook, hostile_report
from tests.feedback.ordinary_pages import make_notebook, make_report
from tests.feedback.page_audit import Audit


@pytest.fixture
def report():
    return make_report()


@pytest.fixture
def notebook():
    return make_notebook()


@pytest.fixture
def attacks():
    return ATTACKS


@pytest.fixture
def hostile():
    """A report and a notebook that attack the page."""
    return hostile_report(), hostile_notebook()


@pytest.fixture
def audit():
    return Audit
