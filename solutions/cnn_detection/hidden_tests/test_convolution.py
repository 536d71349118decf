"""conv2d: cross-correlation with channels, strides and Keras's padding, on random images and kernels."""

import numpy as np
import pytest

from autograder.checks import Given, as_array, expect, expect_close, expect_shape, has_moved
from reference_models.convolution_oracles import LECTURE_FEATURE_MAP, LECTURE_IMAGE, LECTURE_KERNEL, conv2d

TOPIC = "Lecture on convolution:"
CASES = {  # image (H, W, C_in), kernels (kh, kw, C_in, C_out), stride, padding
    "plain": ((7, 7, 1), (3, 3, 1, 1), 1, "valid"),
    "oblong": ((6, 9, 1), (2, 4, 1, 1), 1, "valid"),
    "channels": ((6, 6, 3), (3, 3, 3, 4), 1, "valid"),
    "stride": ((9, 10, 2), (3, 3, 2, 2), 2, "valid"),
    "long_stride": ((10, 8, 1), (2, 2, 1, 3), 3, "valid"),  # one row and no column is left over
    "same": ((6, 7, 2), (3, 3, 2, 2), 1, "same"),
    "same_even": ((6, 5, 1), (4, 2, 1, 2), 1, "same"),
    "same_one": ((5, 6, 2), (1, 1, 2, 3), 1, "same"),  # no zeros are missing
    "same_stride": ((7, 8, 2), (3, 3, 2, 1), 2, "same"),
    "same_long_stride": ((8, 9, 1), (2, 2, 1, 1), 3, "same"),
}


def given(rng):
    cases = {
        name: {
            "image": rng.normal(size=image).astype("float32"),
            "kernels": rng.normal(size=kernels).astype("float32"),
            "stride": stride,
            "padding": padding,
        }
        for name, (image, kernels, stride, padding) in CASES.items()
    }
    lecture = {"image": LECTURE_IMAGE[:, :, None], "kernels": LECTURE_KERNEL[:, :, None, None]}
    return Given(cases=cases, lecture=lecture).keep(expected={name: conv2d(**case) for name, case in cases.items()})


def probe(student, given):
    import numpy as np

    def call(case):
        return student.conv2d(case["image"].copy(), case["kernels"].copy(), case["stride"], case["padding"])

    def by_default():
        case = given.cases["channels"]
        return student.conv2d(case["image"].copy(), case["kernels"].copy())

    def by_name():
        case = given.cases["same_stride"]
        return student.conv2d(image=case["image"].copy(), kernels=case["kernels"].copy(), stride=2, padding="same")

    def unknown(padding):
        case = given.cases["plain"]
        try:
            student.conv2d(case["image"].copy(), case["kernels"].copy(), padding=padding)
        except ValueError:
            return "ValueError"
        except NotImplementedError:
            raise
        except Exception as error:
            return type(error).__name__
        return "a result"

    def after_use():
        case = given.cases["same"]
        image, kernels = case["image"].copy(), case["kernels"].copy()
        student.conv2d(image, kernels, 1, "same")
        return [image, kernels]

    return {
        **{name: lambda case=case: call(case) for name, case in given.cases.items()},
        "lecture": lambda: np.asarray(student.conv2d(given.lecture["image"].copy(), given.lecture["kernels"].copy())),
        "by_default": by_default,
        "by_name": by_name,
        "full": lambda: unknown("full"),
        "misspelt": lambda: unknown("vaild"),
        "after_use": after_use,
    }


def check(evidence, given, name, hint):
    image, kernels, stride, padding = CASES[name]
    what = f'conv2d of an image {image} with kernels {kernels}, stride {stride}, padding "{padding}"'
    expect_close(evidence[name], given.expected[name], what=what, hint=hint)


def is_flipped(received, case):
    """Whether the result is that of kernels turned by 180 degrees."""
    turned = conv2d(case["image"], case["kernels"][::-1, ::-1], case["stride"], case["padding"])
    return received.shape == turned.shape and np.allclose(received, turned, rtol=1e-4, atol=1e-4)


def test_lecture_example(evidence):
    """The lecture's 5 x 5 image and 3 x 3 filter give the lecture's feature map, of shape (3, 3, 1)."""
    found = expect_shape(evidence["lecture"], (3, 3, 1), "conv2d of the lecture's example")
    hint = f"{TOPIC} lay the filter on each 3 x 3 patch, multiply, and add up; 5 - 3 + 1 = 3 places in each direction."
    expect_close(found[:, :, 0], LECTURE_FEATURE_MAP, what="conv2d of the lecture's example", hint=hint)


@pytest.mark.weight(3)
def test_cross_correlation(given, evidence):
    """A kernel is laid on the image as it is, whatever its shape, and moves by one pixel."""
    hint = f"{TOPIC} multiply what lies on top of each other and add; H' = H - kh + 1, W' = W - kw + 1."
    received = as_array(evidence["plain"], "conv2d(image, kernels)")
    if is_flipped(received, given.cases["plain"]):
        hint = f"{TOPIC} deep learning does not flip the kernel; this looks like a flipped one."
    check(evidence, given, "plain", hint)
    check(evidence, given, "oblong", hint)


@pytest.mark.weight(2)
def test_channels(given, evidence):
    """Each output channel is the sum over all input channels, with kernels of its own."""
    hint = f"{TOPIC} `kernels[:, :, :, o]` is one kernel over all input channels; it gives the output channel o."
    check(evidence, given, "channels", hint)
    expect_close(evidence["by_default"], given.expected["channels"], what="conv2d with stride and padding left out")


@pytest.mark.weight(2)
def test_stride(given, evidence):
    """The window moves by `stride` pixels, down and to the right; windows that do not fit are dropped."""
    hint = f"{TOPIC} the place (y, x) of the result looks at the image from row y * stride, column x * stride on."
    check(evidence, given, "stride", hint)
    check(evidence, given, "long_stride", hint)


@pytest.mark.weight(2)
def test_same_padding(given, evidence):
    """padding="same" keeps the size at stride 1; of an odd number of zeros the extra one is at the bottom and right."""
    hint = f"{TOPIC} k - 1 zeros are missing; (k - 1) // 2 of them go to the top or left."
    check(evidence, given, "same", hint)
    check(evidence, given, "same_even", hint)
    check(evidence, given, "same_one", f"{TOPIC} a kernel of one pixel misses no zeros.")


@pytest.mark.weight(2)
def test_same_padding_with_stride(given, evidence):
    """padding="same" with a stride gives ceil(n / stride) places, with as many zeros as they need."""
    hint = f"{TOPIC} the number of zeros depends on the stride: max((ceil(n / s) - 1) * s + k - n, 0)."
    check(evidence, given, "same_stride", hint)
    check(evidence, given, "same_long_stride", hint)
    expect_close(evidence["by_name"], given.expected["same_stride"], what="conv2d with its arguments by name")


def test_other_paddings(evidence):
    """Another padding raises ValueError."""
    for name, padding in (("full", "full"), ("misspelt", "vaild")):
        expect(
            evidence[name] == "ValueError",
            f'padding="{padding}" should raise a ValueError.',
            received=evidence[name],
            hint="`raise ValueError(...)` for whatever is neither valid nor same.",
        )


def test_inputs_are_left_alone(given, evidence):
    """Image and kernels are not changed."""
    image, kernels = evidence["after_use"]
    case = given.cases["same"]
    expect(
        not has_moved(image, case["image"]) and not has_moved(kernels, case["kernels"]),
        "conv2d should leave its inputs unchanged.",
        received="other values in them afterwards",
        hint="Pad and flip copies: `np.pad` gives a new array, `image[...] = ...` does not.",
    )
