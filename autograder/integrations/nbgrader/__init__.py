"""nbgrader: the course's configuration for it, its gradebook, its release and its feedback.

`nbgrader_config.py` calls `configure`; after that nbgrader's own commands and the formgrader grade with this package.
`write_gradebook` does the same for a class that is graded already, in one process and without a command.
"""

from autograder.integrations.nbgrader.configure import configure
from autograder.integrations.nbgrader.gradebook import write_gradebook
from autograder.integrations.nbgrader.release import generate_release

__all__ = ["configure", "generate_release", "write_gradebook"]
