"""learn_bpe and apply_bpe against byte-pair encoding in plain Python, on word counts made up anew for every run.

Words are drawn from few letters, so that pairs are frequent and ties come by themselves.
"""

import pytest

from autograder.checks import Given, as_list, expect
from autograder.checks.texts import as_tokens, expect_tokens
from reference_models.subword_oracles import END, apply_bpe, learn_bpe

MERGES = 14
TOPIC = "Lecture, byte-pair encoding:"


def drawn_words(rng, count, letters="abcde", longest=7):
    return ["".join(rng.choice(list(letters), size=int(rng.integers(2, longest)))) for _ in range(count)]


def given(rng):
    counts = {word: int(rng.integers(1, 40)) for word in drawn_words(rng, 25)}
    letters = [str(letter) for letter in rng.permutation(list("abcdefghijklmnop"))]
    merges = learn_bpe(counts, MERGES)
    frequent, rare = letters[6] + letters[7], [letters[8] + letters[9] + letter for letter in letters[10:14]]
    return Given(
        counts=counts,
        backwards=list(reversed(counts.items())),
        tied={letters[i] + letters[i + 1]: 3 for i in (0, 2, 4)},
        weighted={frequent: 50, **dict.fromkeys(rare, 2)},
        twice={2 * (letters[0] + letters[1]): 3, letters[2] + letters[3]: 5},
        short={letters[0] + letters[1]: 4},
        merges=[list(pair) for pair in merges],
        seen=list(counts)[:10],
        unseen=[*drawn_words(rng, 10), "xyz"],
        order=[["b", "c"], ["a", "b"], ["a", "bc"], ["x", "y"], ["y", "z"], ["v", "w"], ["u", "v"]],
        most=MERGES,
    )


def probe(student, given):
    def pairs(counts, n):
        return [[str(part) for part in pair] for pair in student.learn_bpe(dict(counts), n)]

    def cut(words, merges):
        return [list(student.apply_bpe(word, [tuple(pair) for pair in merges])) for word in words]

    def after_use():
        counts, merges = dict(given.counts), [tuple(pair) for pair in given.merges]
        student.learn_bpe(counts, 3)
        student.apply_bpe(given.seen[0], merges)
        return counts == dict(given.counts) and merges == [tuple(pair) for pair in given.merges]

    return {
        "merges": lambda: pairs(given.counts, given.most),
        "backwards": lambda: pairs([tuple(item) for item in given.backwards], given.most),
        "tied": lambda: pairs(given.tied, 4),
        "weighted": lambda: pairs(given.weighted, 2),
        "twice": lambda: pairs(given.twice, 1),
        "short": lambda: pairs(given.short, 20),
        "zero": lambda: pairs(given.counts, 0),
        "none": lambda: pairs({}, 5),
        "seen": lambda: cut(given.seen, given.merges),
        "unseen": lambda: cut(given.unseen, given.merges),
        "untouched": lambda: cut(given.unseen, []),
        "order": lambda: cut(["abc", "ab", "xyz", "uvw"], given.order),
        "repeated": lambda: cut(["aaaa", "aaa", "baab"], [["a", "a"]]),
        "unchanged": after_use,
    }


def expect_merges(value, counts, n, hint):
    wanted = [" + ".join(pair) for pair in learn_bpe(counts, n)]
    pairs = as_list(value, "learn_bpe(...)", hint=hint)
    for pair in pairs:
        expect(
            len(as_tokens(pair, "A merge")) == 2,
            "Each merge should be a pair of symbols.",
            received=str(pair),
            hint=hint,
        )
    expect_tokens([" + ".join(pair) for pair in pairs], wanted, what="The learned merges", hint=hint)


def expect_pieces(value, words, merges, hint):
    received = as_list(value, "The results", length=len(words))
    for word, pieces in zip(words, received, strict=True):
        wanted = apply_bpe(word, [tuple(pair) for pair in merges])
        expect_tokens(pieces, wanted, what=f"apply_bpe({word!r}, merges)", hint=hint)


@pytest.mark.weight(3)
def test_learns_the_merges(given, evidence):
    """learn_bpe gives the merges of byte-pair encoding in the order in which they are learned."""
    hint = f"{TOPIC} count pairs, join the most frequent one everywhere, and count again."
    expect_merges(evidence["merges"], given.counts, given.most, hint)


@pytest.mark.weight(2)
def test_counts_words_by_frequency(given, evidence):
    """A pair counts as often as its word occurs, in each place where it stands there."""
    hint = f"{TOPIC} a word that comes 50 times has each of its pairs 50 times."
    expect_merges(evidence["weighted"], given.weighted, 2, hint)
    expect_merges(evidence["twice"], given.twice, 1, f"{TOPIC} a pair that stands twice in a word counts twice there.")


@pytest.mark.weight(2)
def test_ties(given, evidence):
    """Of equally frequent pairs the lexicographically smallest is taken, in whatever order the words come."""
    hint = f"{TOPIC} `min(pairs, key=lambda pair: (-pairs[pair], pair))`; `max` takes the first one that it meets."
    expect_merges(evidence["tied"], given.tied, 4, hint)
    expect_merges(evidence["backwards"], given.counts, given.most, hint)


def test_stops_early(given, evidence):
    """It stops when no pair is left, and learns nothing from nothing."""
    hint = f"{TOPIC} a word of one symbol has no pairs."
    expect_merges(evidence["short"], given.short, 20, hint)
    expect_merges(evidence["zero"], given.counts, 0, hint)
    expect_merges(evidence["none"], {}, 5, hint)


def test_end_mark_takes_part(given, evidence):
    """The end mark </w> is a symbol like the others, which merges can take in."""
    pairs = as_list(evidence["short"], "learn_bpe(...)")
    expect(
        any(END in "".join(as_tokens(pair, "A merge")) for pair in pairs),
        "The end mark should be merged, too.",
        received=f"{len(pairs)} merges without it",
        hint=f"{TOPIC} words start as their characters and `</w>`.",
    )


@pytest.mark.weight(2)
def test_cuts_seen_words(given, evidence):
    """apply_bpe cuts words into the learned subwords and keeps the end mark."""
    expect_pieces(evidence["seen"], given.seen, given.merges, f"{TOPIC} `</w>` stays in the result.")


@pytest.mark.weight(2)
def test_cuts_unseen_words(given, evidence):
    """Words that were never seen fall into subwords or characters, and put together they are the word again."""
    expect_pieces(evidence["unseen"], given.unseen, given.merges, f"{TOPIC} no word is unknown to it.")
    expect_pieces(evidence["untouched"], given.unseen, [], f"{TOPIC} without merges: the characters and the end mark.")


@pytest.mark.weight(2)
def test_merges_in_learned_order(given, evidence):
    """Merges are applied in the order in which they were learned, each everywhere in the word, from left to right."""
    hint = f"{TOPIC} the first merge that was learned comes first, whether or not a later one would fit earlier."
    expect_pieces(evidence["order"], ["abc", "ab", "xyz", "uvw"], given.order, hint)
    expect_pieces(evidence["repeated"], ["aaaa", "aaa", "baab"], [["a", "a"]], hint)


def test_inputs_are_left_alone(evidence):
    """The counts and the merges are not changed."""
    expect(
        evidence["unchanged"] is True,
        "Counts and merges should stay as they are.",
        received="other ones afterwards",
        hint="Cut words into parts of your own, in a new dictionary, and merge there.",
    )
