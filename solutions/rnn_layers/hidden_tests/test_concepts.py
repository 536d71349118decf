"""concepts: four questions with one letter each, and what kind of sequence task each of five problems is."""

from autograder.checks import Given, as_mapping, expect
from reference_models.recurrent_oracles import CONCEPT_ANSWERS

LETTERS = ("A", "B", "C", "D")
KINDS = ("one_to_one", "one_to_many", "many_to_one", "many_to_many")


def given():
    return Given()


def probe(student, given):
    return {"answers": lambda: dict(student.answers)}


def check(evidence, key, choices, hint):
    """The answer under a key, whatever its spelling, is the right one; which that is, is not told."""
    answers = as_mapping(evidence["answers"], "answers")
    expect(key in answers, f"answers should have the key '{key}'.", received=f"the keys {sorted(answers)}")
    answer = answers[key]
    wanted = f"answers['{key}'] should be one of {', '.join(choices)}."
    expect(isinstance(answer, str), wanted, received=answer)
    plain = answer.strip().replace("-", "_").replace(" ", "_")
    chosen = next((choice for choice in choices if choice.lower() == plain.lower()), None)
    expect(chosen is not None, wanted, received=answer)
    expect(
        chosen == CONCEPT_ANSWERS[key], f"answers['{key}'] should be another choice.", received=repr(chosen), hint=hint
    )


def test_q1(evidence):
    """Question 1: which problem of traditional RNNs LSTMs mitigate."""
    check(evidence, "q1", LETTERS, "Vanilla RNN and LSTM: look at your norms in question 7 for small W_h.")


def test_q2(evidence):
    """Question 2: what the forget gate decides."""
    check(evidence, "q2", LETTERS, "LSTM: which term of c_next does f multiply?")


def test_q3(evidence):
    """Question 3: the goal of semantic segmentation."""
    check(evidence, "q3", LETTERS, "Computer vision tasks: what is the shape of a segmentation network's output?")


def test_q4(evidence):
    """Question 4: what a Region Proposal Network does."""
    check(evidence, "q4", LETTERS, "Two-stage detectors: what does the second stage need from the first?")


def test_sentiment_analysis(evidence):
    """The kind of sequence task that sentiment analysis is."""
    check(evidence, "sentiment_analysis", KINDS, "A review goes in; what comes out, and how many of it?")


def test_image_captioning(evidence):
    """The kind of sequence task that image captioning is."""
    check(evidence, "image_captioning", KINDS, "How many inputs is a picture, how many outputs a sentence?")


def test_machine_translation(evidence):
    """The kind of sequence task that machine translation is."""
    check(evidence, "machine_translation", KINDS, "Both sides are sentences.")


def test_frame_labelling(evidence):
    """The kind of sequence task that labelling the frames of a video is."""
    check(evidence, "frame_labelling", KINDS, "There is a label for every frame.")


def test_standard_classification(evidence):
    """The kind of sequence task that standard classification is."""
    check(evidence, "standard_classification", KINDS, "A fixed-size input, a fixed-size output, no sequence.")
