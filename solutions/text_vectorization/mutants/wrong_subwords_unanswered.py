"""This student left the subwords out, and answered everything else."""

EXPECTED = {"subwords": "failed"}
RIGHT = False

# %% [subwords]

