"""This student answers A everywhere and takes every task for many_to_many."""

EXPECTED = {"concepts": "partial"}
RIGHT = False

# %% [concepts]
answers = {f"q{number}": "A" for number in range(1, 5)}
for task in ("sentiment_analysis", "image_captioning", "machine_translation", "frame_labelling", "standard_classification"):
    answers[task] = "many_to_many"
