"""Copies of secrets are found in another layout, and common lines raise no alarm."""

from __future__ import annotations

import pytest

from autograder.audit.fingerprints import LENGTH, SHORTEST, Fingerprints, tokens_of

SECRET = "def step(x, h):\n    z = sigmoid(x @ W_z + h @ U_z + b_z)\n    return z * h + (1 - z) * candidate(x, h)"


def test_layout_does_not_count():
    """Spaces, tabs and line ends are no tokens."""
    (copy,) = Fingerprints([(SECRET, "gru")]).copies("x = 1\n\n" + " ".join(SECRET.split()))
    assert (copy.origin, copy.line, copy.tokens) == ("gru", 3, len(tokens_of(SECRET)))


def test_a_part_of_a_secret_is_found():
    """Also when what surrounds it is something else."""
    part = SECRET.splitlines()[1] + "\n" + SECRET.splitlines()[2]
    assert Fingerprints([(SECRET, "gru")]).copies(f"answer = 3\n{part}\nprint(answer)")


def test_short_common_stretches_raise_no_alarm():
    """Fewer tokens than a fingerprint has are no copy."""
    prints = Fingerprints([(SECRET, "gru")])
    few = " ".join(tokens_of(SECRET)[: LENGTH - 1])
    assert prints.copies(few) == []
    assert prints.copies(f"{few} {tokens_of(SECRET)[LENGTH - 1]}") != []


def test_a_short_secret_is_known_as_a_whole():
    """One line of an answer counts when it has as many tokens as `SHORTEST`, and a shorter one does not."""
    line = "return np.tanh(x_t @ W_x + h @ W_h + b)"
    assert SHORTEST <= len(tokens_of(line)) < LENGTH
    assert Fingerprints([(line, "rnn")]).copies(f"def rnn_step():\n    {line}\n")[0].line == 2
    assert len(Fingerprints([("return x + 1", "one")])) == 0


def test_what_is_public_is_no_secret():
    """Stretches of a secret that students may know are taken out; the rest stays."""
    public = SECRET.replace("candidate", "other")
    prints = Fingerprints([(SECRET, "gru")]).without([public])
    assert prints.copies(public) == []
    assert prints.copies(SECRET)


def test_separate_copies_are_told_apart():
    """Two stretches with something between them are two copies, at most five are told."""
    text = "\n\n1 + 1\n\n".join([SECRET] * 9)
    assert [copy.line for copy in Fingerprints([(SECRET, "gru")]).copies(text)] == [1, 7, 13, 19, 25]


@pytest.mark.parametrize("text", ["", "\0\x1b[31m", "名前 = 'ü'"])
def test_any_text_can_be_looked_at(text):
    """Nothing raises, whatever it is."""
    assert Fingerprints([(SECRET, "gru")]).copies(text) == []
    assert Fingerprints().copies(text) == []
