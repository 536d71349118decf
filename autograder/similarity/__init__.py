"""Which submissions' code is alike beyond what everybody was given and what many write, for a person to look at.

    answers.py       the cells that students wrote, and what everybody has
    tokens.py        cells as tokens, without names, layout and comments
    fingerprints.py  tokens as winnowed fingerprints
    pairs.py         who shares which, through an inverted index
    passages.py      where in two notebooks the shared code stands
    showing.py       the page and the terminal's table

It accuses nobody: two people may write the same thing. `docs/similarity.md` says what a high figure means, and what
it does not.
"""

from autograder.similarity.pairs import Figure, Pair, Settings, Similarities, similar_pairs
from autograder.similarity.showing import print_similarities, write_similarity_page

__all__ = [
    "Figure",
    "Pair",
    "Settings",
    "Similarities",
    "print_similarities",
    "similar_pairs",
    "write_similarity_page",
]
