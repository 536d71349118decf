"""standardize: tags, case, punctuation, white space; each by itself, and all of them on whole reviews.

Words are made up anew for every run. The inputs of one check need nothing of what the others look at, so that one
mistake costs one check and the whole chain.
"""

import string

import pytest

from autograder.checks import Given, as_list, expect
from autograder.checks.texts import as_text
from autograder.data.review_grammar import generate_reviews
from reference_models.text_oracles import PUNCTUATION, standardize

TOPIC = "Lecture, standardisation:"
ACCENTS = "éèüöäñçåøæ"


def words_of(rng, count, letters=string.ascii_lowercase):
    return ["".join(rng.choice(list(letters), size=int(rng.integers(3, 9)))) for _ in range(count)]


def given(rng):
    a, b, c, d = words_of(rng, 4)
    accented = [word + str(rng.choice(list(ACCENTS))) + word[:2] for word in words_of(rng, 3)]
    tags = ["<br>", "<br />", "<b>", "</b>", "<i>", f'<a href="{a}">', f"<{b}>"]
    drawn = [str(tag) for tag in rng.permutation(tags)]
    return Given(
        tags=[
            f"{a}{drawn[0]}{b}",
            f"{a} {drawn[1]}{drawn[2]} {b}",
            f"{drawn[3]}{c}{drawn[4]}",
            f"{a}{drawn[5]}{b} {c}",
        ],
        case=[a.upper(), f"{a.capitalize()} {b.upper()}", f"{c[:2].upper()}{c[2:]} {d}"],
        punctuation=[f"{a}{mark}{b}" for mark in PUNCTUATION if mark not in "<>"] + [f"{a}, {b}!"],
        spaces=[f"  {a} {b}", f"{a}   {b}  ", f"{a}\t{b}", f"{a}\n\n{b}\r\n{c}", f"{a} \t\n {b}"],
        accents=[" ".join(accented), accented[0].upper(), f"{accented[1]} {a}"],
        nothing=["", "   ", "\n", "?!...", "<br /><br />"],
        reviews=[review.text for review in generate_reviews(30, int(rng.integers(2**31)))],
        plain=f"{a} {b} {c}",
    )


def probe(student, given):
    def every(texts):
        return lambda: [student.standardize(text) for text in texts]

    groups = ("tags", "case", "punctuation", "spaces", "accents", "nothing", "reviews")
    return {name: every(getattr(given, name)) for name in groups} | {"plain": lambda: student.standardize(given.plain)}


def check(given, evidence, group, hint):
    texts = getattr(given, group)
    received = as_list(evidence[group], "The standardised texts", length=len(texts))
    for text, result in zip(texts, received, strict=True):
        wanted = standardize(text)
        expect(
            as_text(result, "standardize(text)") == wanted,
            f"{show(text)} should become {show(wanted)}.",
            received=show(result),
            hint=f"{TOPIC} {hint}",
        )


def show(text):
    return repr(text if len(text) <= 70 else f"{text[:67]}...")


def test_returns_text(given, evidence):
    """standardize returns a str, and leaves text that is standardised already as it is."""
    received = as_text(evidence["plain"], "standardize(text)")
    hint = f"{TOPIC} return one text, words parted by one space; a list of words is what `tokenize` makes of it."
    expect(received == given.plain, "Standardised text should stay as it is.", received=show(received), hint=hint)


@pytest.mark.weight(2)
def test_tags_become_spaces(given, evidence):
    """HTML tags become a space, so that the words beside them stay apart."""
    check(
        given,
        evidence,
        "tags",
        'a tag is "<", what follows, and the next ">"; it becomes a space before anything else.',
    )


def test_lower_case(given, evidence):
    """Letters become lower case."""
    check(given, evidence, "case", "`str.lower`.")


@pytest.mark.weight(2)
def test_punctuation_goes(given, evidence):
    """Every character of PUNCTUATION is removed, and nothing is put in its place."""
    check(
        given, evidence, "punctuation", '`text.translate(str.maketrans("", "", PUNCTUATION))`: "don\'t" becomes "dont".'
    )


def test_white_space(given, evidence):
    """Runs of spaces, tabs and line breaks become one space; there is none at the ends."""
    check(given, evidence, "spaces", '`" ".join(text.split())`.')


def test_accents_stay(given, evidence):
    """Letters with accents stay, in lower case."""
    check(given, evidence, "accents", "remove the characters of PUNCTUATION, rather than keep the letters a to z.")


def test_nothing_left(given, evidence):
    """A text of nothing but spaces, punctuation or tags becomes the empty text."""
    check(given, evidence, "nothing", "what is left of such a text is nothing, not a space.")


@pytest.mark.weight(3)
def test_whole_reviews(given, evidence):
    """Whole reviews come out right, with all steps in their order."""
    check(given, evidence, "reviews", "tags, lower case, punctuation, white space: in this order.")
