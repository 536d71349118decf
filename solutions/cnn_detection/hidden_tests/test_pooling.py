"""max_pool2d: the largest of each window, also of negative values, windows that do not fit dropped."""

import pytest

from autograder.checks import Given, expect, expect_close, expect_shape, has_moved
from reference_models.convolution_oracles import max_pool2d

TOPIC = "Lecture on pooling:"
CASES = {  # image (H, W, C), size, stride
    "plain": ((6, 8, 1), 2, 2),
    "channels": ((4, 6, 3), 2, 2),
    "rest": ((7, 9, 2), 2, 2),
    "rest_of_three": ((8, 10, 1), 3, 3),
    "overlapping": ((7, 8, 2), 3, 2),
    "apart": ((9, 8, 1), 2, 3),
}


def given(rng):
    cases = {
        name: {"image": rng.uniform(0, 5, size=shape).astype("float32"), "size": size, "stride": stride}
        for name, (shape, size, stride) in CASES.items()
    }
    negative = {name: {**case, "image": -1 - case["image"]} for name, case in cases.items()}
    return Given(cases=cases, negative=negative).keep(
        expected={name: max_pool2d(**case) for name, case in cases.items()},
        expected_negative={name: max_pool2d(**case) for name, case in negative.items()},
    )


def probe(student, given):
    def call(case):
        return student.max_pool2d(case["image"].copy(), case["size"], case["stride"])

    def after_use():
        image = given.cases["plain"]["image"].copy()
        student.max_pool2d(image)
        return image

    return {
        **{name: lambda case=case: call(case) for name, case in given.cases.items()},
        **{f"negative {name}": lambda case=case: call(case) for name, case in given.negative.items()},
        "by_default": lambda: student.max_pool2d(given.cases["channels"]["image"].copy()),
        "by_name": lambda: student.max_pool2d(given.cases["overlapping"]["image"].copy(), size=3, stride=2),
        "after_use": after_use,
    }


def check(evidence, given, name, hint):
    shape, size, stride = CASES[name]
    what = f"max_pool2d of an image {shape}, size {size}, stride {stride}"
    expect_close(evidence[name], given.expected[name], what=what, hint=hint)


@pytest.mark.weight(2)
def test_largest_of_each_window(given, evidence):
    """Each place of the result is the largest value of its window, channel by channel."""
    hint = f"{TOPIC} the largest over rows and columns of the window, not over its channels."
    check(evidence, given, "plain", hint)
    check(evidence, given, "channels", hint)
    expect_close(evidence["by_default"], given.expected["channels"], what="max_pool2d with size and stride left out")


@pytest.mark.weight(2)
def test_windows_that_do_not_fit(given, evidence):
    """Rows and columns that fill no window are dropped."""
    hint = f"{TOPIC} there are (n - size) // stride + 1 windows along n pixels."
    check(evidence, given, "rest", hint)
    check(evidence, given, "rest_of_three", hint)


@pytest.mark.weight(2)
def test_size_and_stride_differ(given, evidence):
    """Windows may overlap or leave gaps."""
    hint = f"{TOPIC} windows begin every `stride` pixels and are `size` pixels wide."
    check(evidence, given, "overlapping", hint)
    check(evidence, given, "apart", hint)
    expect_close(evidence["by_name"], given.expected["overlapping"], what="max_pool2d with size=3, stride=2 by name")


@pytest.mark.weight(2)
def test_negative_values(given, evidence):
    """An image of negative values keeps the largest of them, and gets no zeros."""
    hint = f"{TOPIC} zeros, from padding or from an array that begins as zeros, are larger than all of these."
    for name in ("plain", "rest"):
        target = given.expected_negative[name]
        what = f"max_pool2d of negative values, size {CASES[name][1]}, stride {CASES[name][2]}"
        received = expect_shape(evidence[f"negative {name}"], (None, None, target.shape[2]), what)
        expect(received.size, f"{what} should give values.", received="none")
        # Which windows there are is asked above: here, those that are there count.
        rows, columns = (min(pair) for pair in zip(received.shape[:2], target.shape[:2], strict=True))
        expect_close(received[:rows, :columns], target[:rows, :columns], what=what, hint=hint)
        expect(received.max() < 0, f"{what} should be negative.", received=f"{float(received.max()):.4g}", hint=hint)


def test_input_is_left_alone(given, evidence):
    """The image is not changed."""
    expect(
        not has_moved(evidence["after_use"], given.cases["plain"]["image"]),
        "max_pool2d should leave its input unchanged.",
        received="other values in it afterwards",
        hint="Write the maxima into an array of your own.",
    )
