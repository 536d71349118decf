"""clip_by_global_norm: one norm for all gradients, one factor for all."""

import numpy as np
import pytest

from autograder.checks import Given, as_list, as_number, expect, expect_close, expect_finite, has_moved, recognise
from reference_models import recurrent_oracles as oracles

SHAPES = ((3, 4), (4,), (2, 3, 2))
TOPIC = "Gradient clipping:"


def given(rng):
    gradients = [rng.normal(size=shape).astype("float32") for shape in SHAPES]
    gradients[1] *= 0.1  # one array that is small by itself
    norm = oracles.clip_by_global_norm(gradients, 1.0)[1]
    zeros = [np.zeros(shape, "float32") for shape in SHAPES]
    cases = {"clipped": [gradients, 0.3 * norm], "kept": [gradients, 2.0 * norm], "zero": [zeros, 1.0]}
    return Given(cases=cases | {"single": [gradients[:1], 0.5]})


def probe(student, given):
    def clip(name):
        gradients, max_norm = given.cases[name]
        return student.clip_by_global_norm([part.copy() for part in gradients], max_norm)

    def after_use():
        gradients, max_norm = given.cases["clipped"]
        gradients = [part.copy() for part in gradients]
        student.clip_by_global_norm(gradients, max_norm)
        return gradients

    return {**{name: lambda name=name: clip(name) for name in given.cases}, "after_use": after_use}


def result(given, evidence, name):
    """The arrays and the norm that came back, as many arrays as were given."""
    hint = f"{TOPIC} `return clipped, norm`: the list of arrays, then the norm."
    clipped, norm = as_list(evidence[name], "clip_by_global_norm", length=2, hint=hint)
    gradients = given.cases[name][0]
    if isinstance(clipped, np.ndarray):  # arrays of one shape may come back as one
        clipped = list(clipped)
    return as_list(clipped, "The clipped gradients", length=len(gradients), hint=hint), norm


def flat(arrays):
    return np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in arrays])


def hint_for(received, given, name):
    """What is wrong, where the result shows it."""
    gradients, most = given.cases[name]
    norms = [float(np.linalg.norm(part)) for part in gradients]
    total = sum(norms)
    mistakes = {
        "each array was clipped by its own norm; the global norm is that of all numbers together.": [
            part * min(1.0, most / max(norm, 1e-12)) for part, norm in zip(gradients, norms, strict=True)
        ],
        "each number was clipped by itself; scaling keeps the direction.": [np.clip(g, -most, most) for g in gradients],
        "the global norm is the root of the sum of squares, not the sum of norms.": [
            part * min(1.0, most / max(total, 1e-12)) for part in gradients
        ],
        "nothing was scaled.": gradients,
        "gradients are scaled to the norm 1, not to max_norm.": [
            part / max(np.sqrt(sum(n**2 for n in norms)), 1e-12) for part in gradients
        ],
    }
    try:
        value = flat(received)
    except (TypeError, ValueError):
        return f"{TOPIC} a list of arrays is expected."
    text = recognise(value, {hint: flat(wrong) for hint, wrong in mistakes.items()}, otherwise="one factor for all.")
    return f"{TOPIC} {text}"


def check_arrays(given, evidence, name, *, rtol=1e-4):
    clipped, _ = result(given, evidence, name)
    gradients, most = given.cases[name]
    for received, expected in zip(clipped, oracles.clip_by_global_norm(gradients, most)[0], strict=True):
        expect_close(received, expected, what="A clipped gradient", rtol=rtol, hint=hint_for(clipped, given, name))


@pytest.mark.weight(3)
def test_scales_all_together(given, evidence):
    """Above max_norm, all arrays are scaled by the same factor, max_norm / norm."""
    check_arrays(given, evidence, "clipped")
    check_arrays(given, evidence, "single")


@pytest.mark.weight(2)
def test_below_the_limit(given, evidence):
    """Below max_norm, the gradients come back unchanged."""
    check_arrays(given, evidence, "kept", rtol=1e-6)


@pytest.mark.weight(2)
def test_norm_before_clipping(given, evidence):
    """It returns the global norm before clipping, too."""
    for name in ("clipped", "kept", "single", "zero"):
        gradients, most = given.cases[name]
        norm = as_number(result(given, evidence, name)[1], "The norm")
        hint = f"{TOPIC} the root of the sum of all squares, of all arrays, before anything is scaled."
        expect_close(norm, oracles.clip_by_global_norm(gradients, most)[1], what="The norm", hint=hint)


def test_never_raises_a_norm(given, evidence):
    """The norm afterwards is at most max_norm and at most the norm before."""
    for name in ("clipped", "kept", "single"):
        clipped, _ = result(given, evidence, name)
        gradients, most = given.cases[name]
        parts = [expect_finite(part, "A clipped gradient") for part in clipped]
        after, before = (float(np.linalg.norm(flat(each))) for each in (parts, gradients))
        allowed = min(before, most)
        expect(
            after <= allowed * 1.001,
            f"Gradients of norm {before:.4g}, clipped to {most:.4g}, should have a norm of at most {allowed:.4g}.",
            received=f"{after:.4g}",
            hint=hint_for(clipped, given, name),
        )


def test_zero_gradients(given, evidence):
    """Zero gradients stay zero, without NaN."""
    for part in result(given, evidence, "zero")[0]:
        values = expect_finite(part, "A clipped zero gradient", hint=f"{TOPIC} divide only when the norm is too large.")
        expect(not values.any(), "Zero gradients should stay zero.", received="other values")


def test_inputs_are_left_alone(given, evidence):
    """The arrays that it is given are not changed."""
    for before, after in zip(given.cases["clipped"][0], evidence["after_use"], strict=True):
        expect(
            not has_moved(after, before),
            "clip_by_global_norm should leave the gradients unchanged.",
            received="other values in them afterwards",
            hint="`g * scale` makes a new array; `g *= scale` writes into the caller's.",
        )
