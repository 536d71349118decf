"""Everything that is known of one submission: `gathering` finds it, `printing` shows it in a terminal."""

from autograder.dossier.gathering import Dossier, look_into
from autograder.dossier.printing import print_dossier

__all__ = ["Dossier", "look_into", "print_dossier"]
