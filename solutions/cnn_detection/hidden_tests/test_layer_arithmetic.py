"""conv_output_size and conv_parameters: on random layers, as Keras counts them."""

import numbers

import pytest

from autograder.checks import Given, as_list, as_number, expect
from reference_models.convolution_oracles import conv_output_size, conv_parameters

TOPIC = "Lecture on the architecture of CNNs:"
HOW_MANY = 12


def given(rng):
    sizes = {}
    for padding in ("valid", "same"):
        for stride in (1, 2, 3):
            for _ in range(HOW_MANY // 3):
                n, kernel = int(rng.integers(8, 130)), int(rng.integers(1, 8))
                sizes.setdefault(f"{padding} {'1' if stride == 1 else 'more'}", []).append([n, kernel, stride, padding])
    layers = [[int(rng.integers(1, 8)), int(rng.integers(1, 65)), int(rng.integers(2, 65))] for _ in range(HOW_MANY)]
    return Given(sizes=sizes, layers=layers).keep(
        expected={name: [conv_output_size(*case) for case in cases] for name, cases in sizes.items()},
        parameters=[conv_parameters(*layer) for layer in layers],
    )


def probe(student, given):
    def sizes(cases):
        return [student.conv_output_size(*case) for case in cases]

    return {
        **{name: lambda cases=cases: sizes(cases) for name, cases in given.sizes.items()},
        "parameters": lambda: [student.conv_parameters(*layer) for layer in given.layers],
        "by_name": lambda: [
            student.conv_output_size(n=9, kernel=3, stride=2, padding="valid"),
            student.conv_parameters(kernel=1, c_in=1, c_out=1),
        ],
    }


def check_sizes(given, evidence, name, hint):
    found = as_list(evidence[name], "The sizes", length=len(given.sizes[name]))
    for case, size, expected in zip(given.sizes[name], found, given.expected[name], strict=True):
        n, kernel, stride, padding = case
        what = f'conv_output_size(n={n}, kernel={kernel}, stride={stride}, padding="{padding}")'
        number = as_number(size, what)
        expect(number == expected, f"{what} should be {expected}.", received=f"{number:g}", hint=hint)


def test_valid(given, evidence):
    """Without padding, a kernel of k pixels has n - k + 1 places."""
    check_sizes(given, evidence, "valid 1", f"{TOPIC} the last place begins k pixels before the end.")


@pytest.mark.weight(2)
def test_valid_with_stride(given, evidence):
    """With a stride only every s-th place counts, rounded down."""
    hint = f"{TOPIC} (n - k) // s + 1: what does not fit is dropped."
    check_sizes(given, evidence, "valid more", hint)


@pytest.mark.weight(2)
def test_same(given, evidence):
    """With padding "same" there are n / s places, rounded up, whatever the kernel."""
    hint = f"{TOPIC} at stride 1 the size stays; with a stride s it is n / s, rounded up."
    check_sizes(given, evidence, "same 1", hint)
    check_sizes(given, evidence, "same more", hint)


@pytest.mark.weight(3)
def test_parameters(given, evidence):
    """Each output channel has a weight for each pixel of the kernel and input channel, and one bias."""
    found = as_list(evidence["parameters"], "The numbers of parameters", length=len(given.layers))
    for (kernel, c_in, c_out), count, expected in zip(given.layers, found, given.parameters, strict=True):
        what = f"conv_parameters(kernel={kernel}, c_in={c_in}, c_out={c_out})"
        number = as_number(count, what)
        hint = f"{TOPIC} compare with `keras.layers.Conv2D(c_out, kernel)` and its `count_params()`."
        if number == expected - c_out:
            hint = f"{TOPIC} the biases are missing: one for each output channel."
        if number == expected - c_out + 1:
            hint = f"{TOPIC} there is one bias for each output channel, not one for the layer."
        expect(number == expected, f"{what} should be {expected}.", received=f"{number:g}", hint=hint)


def test_whole_numbers(evidence):
    """Both return whole numbers, of type int."""
    values = [
        *as_list(evidence["same more"], "The sizes"),
        *as_list(evidence["valid more"], "The sizes"),
        *as_list(evidence["parameters"], "The numbers of parameters"),
        *as_list(evidence["by_name"], "The results with arguments by name"),
    ]
    wrong = [value for value in values if not isinstance(value, numbers.Integral) or isinstance(value, bool)]
    hint = f"{TOPIC} a layer has whole pixels and whole weights: `//` divides and rounds down, `/` gives a float."
    expect(
        not wrong,
        "Sizes and numbers of parameters should be of type int.",
        received=wrong[0] if wrong else "",
        hint=hint,
    )
