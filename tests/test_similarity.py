"""Alike submissions: tokens, fingerprints, pairs, the terminal. About fifteen seconds, most of it two classes of forty."""

from __future__ import annotations

import ast
import builtins
import io
import random
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings as effort
from hypothesis import strategies as st
from rich.console import Console

from autograder.config import load_course
from autograder.errors import ConfigurationError, SubmissionError
from autograder.mutants import Mutant, apply_mutant, read_mutants
from autograder.notebooks import prepare, read_notebook
from autograder.similarity import Settings, print_similarities, similar_pairs, write_similarity_page
from autograder.similarity.answers import AnswerCell, Answers, Given, answer_cells, read_given
from autograder.similarity.fingerprints import fingerprint, gram_hashes, winnow
from autograder.similarity.pairs import compare
from autograder.similarity.passages import Place, shared_passages
from autograder.similarity.tokens import Token, lex, normalise
from tests.tiny_course import NAME, hand_in, make_course, notebook

ROOT = Path(__file__).parents[1]
ASSIGNMENTS = ("jena_multistep", "rnn_layers", "text_vectorization", "cnn_detection")
NOTHING = Given(sources=(), names=frozenset())


# --- tokens


def texts(*cells, kept=()):
    return [[token.text for token in cell] for cell in normalise([lex(cell) for cell in cells], kept)]


def test_layout_comments_and_the_way_of_writing_do_not_matter():
    one = (
        'def f(a, b):\n    """Adds."""\n    # really\n    x = [\n        1000,\n        a,\n    ]\n    return x, "text"'
    )
    other = "def f(a,b):\n\n    x=[0x3e8, a]; return (x), b'other' 'text'  # done".replace("(x)", "x")
    assert texts(one) == texts(other)


def test_names_that_an_author_chooses_do_not_matter():
    one = "class Bag:\n    def fill(self, words):\n        self.count = len(words)\nBag().fill(TEXTS)"
    other = "class Sack:\n    def load(this, terms):\n        this.number = len(terms)\nSack().load(TEXTS)"
    assert texts(one, kept={"TEXTS"}) == texts(other, kept={"TEXTS"})
    assert "TEXTS" in texts(one, kept={"TEXTS"})[0]


def test_names_of_libraries_and_builtins_do_matter():
    assert texts("x = keras.layers.GRU(32)") != texts("x = keras.layers.LSTM(32)")
    assert texts("x = max(y)") != texts("x = min(y)")
    assert texts("for x in y: pass") != texts("while x in y: pass")


def test_lines_of_ipython_are_left_out_and_lines_keep_their_numbers():
    cell = "%%time\n!pip install x\n%matplotlib inline\n?len\ny = 5 % 3\nz = (\n    y !=\n    4)"
    assert [(token.text, token.line) for token in lex(cell)] == [
        *(("y", 5), ("=", 5), ("5", 5), ("%", 5), ("3", 5)),
        *(("z", 6), ("=", 6), ("(", 6), ("y", 7), ("!=", 7), ("4", 8), (")", 8)),
    ]


def test_f_strings_are_one_token_whatever_stands_in_them():
    assert texts('x = f"{a + b} and {c}"') == texts("x = 'plain'")
    assert texts('x = rf"""\n{a}\n"""\ny = 1')[0] == ["n", "=", "''", "n", "=", "0"]


@pytest.mark.parametrize(
    "cell",
    [
        "def f(:\n  return ((",
        "x = 'never closed\ny = 2",
        'x = """never\nclosed',
        ")]}",
        "\\",
        "\0",
        "x = $ ¿ ?",
        "\ud800 = 1",
        "",
    ],
)
def test_what_is_no_python_is_read_all_the_same(cell):
    tokens = normalise([lex(cell)], ())[0]
    assert all(1 <= token.line <= cell.count("\n") + 1 for token in tokens)
    fingerprint(tokens, 2, 2)


@for_all(st.text(alphabet=" \n\t\\'\"#%!?()[]{},;:=.fx1é\0\r", max_size=200))
@effort(max_examples=200, deadline=None)
def test_any_text_has_tokens_on_its_own_lines(cell):
    tokens = lex(cell)
    assert [token.line for token in tokens] == sorted(token.line for token in tokens)
    assert all(1 <= token.line <= cell.count("\n") + 1 for token in tokens)


@pytest.mark.parametrize("piece", ["'", '"""', "\\'", "\\", "f'{", "(", "1e", "1.", "#", "%", ";", "''\n", "a"])
def test_hostile_cells_take_time_by_their_length_only(piece):
    begun = time.process_time()
    lex(piece * 500_000)
    lex("\n".join([piece * 900] * 400))
    assert time.process_time() - begun < 3


def test_lines_of_data_are_left_out():
    cell = f"x = 1\ndata = [{'1, ' * 2000}]\ny = 2"
    assert [(token.text, token.line) for token in lex(cell) if token.kind == "name"] == [("x", 1), ("y", 3)]


# --- fingerprints


def tokens_of(numbers):
    return [Token("name", str(number), line) for line, number in enumerate(numbers, start=1)]


@pytest.mark.parametrize(("k", "window"), [(8, 5), (3, 1), (1, 4), (12, 6)])
def test_a_run_of_guaranteed_length_is_never_missed(k, window):
    draw = random.Random(k)
    for _ in range(100):
        common = [draw.randrange(10) for _ in range(k + window - 1)]
        sides = [
            [draw.randrange(100, 10**6) for _ in range(draw.randrange(20))]
            + common
            + [draw.randrange(100, 10**6) for _ in range(7)]
            for _ in range(2)
        ]
        left, right = (set(fingerprint(tokens_of(side), k, window).chosen.tolist()) for side in sides)
        assert left & right


def test_what_is_shorter_than_a_gram_has_no_fingerprint():
    assert len(fingerprint(tokens_of(range(7)), 8, 5).chosen) == 0
    assert len(fingerprint(tokens_of(range(8)), 8, 5).chosen) == 1


def test_winnowing_takes_the_rightmost_smallest_of_each_window():
    hashes = np.array([77, 74, 42, 17, 98, 50, 17, 98, 8, 88, 67, 39, 77, 74, 42, 17, 98], dtype=np.uint64)
    assert hashes[winnow(hashes, 4)].tolist() == [17, 17, 8, 39, 17]  # the example of the paper
    assert winnow(np.array([5, 5, 5, 5], dtype=np.uint64), 2).tolist() == [1, 2, 3]


def test_hashes_are_the_same_in_every_process():
    assert gram_hashes(tokens_of([1, 2]), 2).tolist() == [16943576144083954293]


# --- pairs


def invented(seed, lines=40):
    """Code that nobody else writes: it calls a library that nobody knows."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefghij", k=5)) for _ in range(3 * lines)]
    return "\n".join(
        f"v{line} = x.{words[3 * line]}(a, b.{words[3 * line + 1]}) + y.{words[3 * line + 2]}" for line in range(lines)
    )


def student(number, *sources, question="double"):
    return Answers(f"student-{number:02d}", tuple(AnswerCell(question, source) for source in sources))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return load_course(make_course(tmp_path_factory.mktemp("tiny"))).assignment(NAME)


def test_who_shares_what_few_have_is_listed_with_counts(tiny):
    people = [student(number, invented(number)) for number in range(8)] + [student(8, invented(3))]
    found = compare(tiny, people, NOTHING, Settings())
    (pair,) = found.pairs
    assert (pair.left, pair.right) == ("student-03", "student-08")
    assert pair.overall.similarity == 1
    assert pair.overall.shared == pair.overall.smaller > 50
    assert pair.questions == {"double": pair.overall}
    assert found.typical < 0.05
    assert [(passage.left, passage.right) for passage in pair.passages] == [(Place(0, 1, 40), Place(0, 1, 40))]


def test_the_order_of_students_does_not_matter(tiny):
    people = [student(number, invented(number % 6)) for number in range(12)]
    shuffled = random.Random(1).sample(people, len(people))
    assert compare(tiny, people, NOTHING, Settings()) == compare(tiny, shuffled, NOTHING, Settings())


def test_what_everybody_was_given_does_not_count(tiny):
    people = [student(number, invented(99) + f"\nown = {number}") for number in range(3)]
    assert len(compare(tiny, people, NOTHING, Settings()).pairs) == 3
    told = compare(tiny, people, Given((invented(99),), frozenset()), Settings())
    assert told.pairs == ()
    assert told.usual_most == 0


def test_what_many_wrote_does_not_count(tiny):
    others = [student(number, invented(number)) for number in range(40, 46)]
    few = [student(number, invented(99)) for number in range(3)]
    many = [student(number, invented(99)) for number in range(4)]
    assert len(compare(tiny, others + few, NOTHING, Settings()).pairs) == 3
    assert compare(tiny, others + many, NOTHING, Settings()).pairs == ()
    assert len(compare(tiny, others + many, NOTHING, Settings(common_least=4)).pairs) == 6
    assert len(compare(tiny, others + many, NOTHING, Settings(common_share=0.5)).pairs) == 6


def test_what_fewer_have_counts_more(tiny):
    """Two share code of their own, two others the same amount of code with a third person."""
    people = [
        student(1, invented(1), invented(11)),
        student(2, invented(1), invented(12)),
        student(3, invented(3), invented(13)),
        student(4, invented(3), invented(14)),
        student(5, invented(3), invented(15)),
    ]
    found = {(pair.left, pair.right): pair.overall for pair in compare(tiny, people, NOTHING, Settings()).pairs}
    two, three = found["student-01", "student-02"], found["student-03", "student-04"]
    assert two.similarity == pytest.approx(1 / 2, abs=0.1)
    assert three.similarity == pytest.approx(1 / 3, abs=0.1)  # half the weight, beside code of full weight


def test_whoever_has_little_of_their_own_is_not_listed_for_it(tiny):
    little = invented(1, lines=2)
    people = [student(1, little), student(2, little), *(student(number, invented(number)) for number in range(3, 8))]
    assert compare(tiny, people, NOTHING, Settings(least_shared=1)).pairs[0].overall.similarity < 0.4
    assert compare(tiny, people, NOTHING, Settings(least_similarity=0.4)).pairs == ()


def test_code_that_moved_to_another_question_is_found_in_the_whole(tiny):
    people = [student(1, invented(1)), student(2, "pass", invented(1), question="triple"), student(3, invented(3))]
    (pair,) = compare(tiny, people, NOTHING, Settings()).pairs
    assert pair.overall.similarity == 1
    assert pair.questions == {}
    assert [(passage.left, passage.right) for passage in pair.passages] == [(Place(0, 1, 40), Place(1, 1, 40))]


def test_a_pair_with_one_question_in_common_is_listed_for_that(tiny):
    people = [
        Answers(
            f"student-{number:02d}", (AnswerCell("double", invented(number, 400)), AnswerCell("triple", invented(own)))
        )
        for number, own in ((1, 11), (2, 11), (3, 13))
    ]
    (pair,) = compare(tiny, people, NOTHING, Settings()).pairs
    assert pair.by_question
    assert pair.overall.similarity < 0.1
    assert pair.likest == [("triple", pair.questions["triple"])]
    assert pair.questions["triple"].similarity == 1


def test_moved_pieces_are_passages_of_their_own():
    pieces = [invented(seed, lines=6) for seed in range(3)]
    left, right = "\n".join(pieces), "\n\n".join([pieces[2], pieces[0], "a = 1\n" * 20, pieces[1]])
    prints = [[fingerprint(normalise([lex(source)], ())[0], 8, 5)] for source in (left, right)]
    shared = set(prints[0][0].grams.tolist()) & set(prints[1][0].grams.tolist())
    found = shared_passages(*prints, k=8, shared=shared)
    assert [passage.number for passage in found] == [1, 2, 3]
    # At its ends a passage may reach into its neighbour's line, where that begins with the same few tokens.
    for passage, (left_first, right_first) in zip(found, [(1, 8), (7, 37), (13, 1)], strict=True):
        assert abs(passage.left.first - left_first) <= 1
        assert abs(passage.right.first - right_first) <= 1


def test_code_that_repeats_itself_takes_no_longer():
    prints = [fingerprint(lex("a = 1\n" * 15_000), 8, 5)]
    begun = time.process_time()
    assert shared_passages(prints, prints, k=8, shared=set(prints[0].grams.tolist()))
    assert time.process_time() - begun < 3


def test_who_writes_without_end_is_compared_as_far_as_it_goes_and_told(tiny):
    people = [student(1, *["x = [y]\n" * 20_000] * 3), student(2, invented(2))]
    found = compare(tiny, people, NOTHING, Settings())
    assert found.problems == ("student-01: only the first 50,000 tokens of code are compared.",)


@pytest.mark.parametrize(
    "wrong", [{"k": 0}, {"window": 0}, {"common_share": 1.5}, {"top": 0}, {"question_similarity": -1}]
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))}.*Received: {next(iter(wrong.values()))}"):
        Settings(**wrong)


# --- classes of generated students


class Disguise(ast.NodeTransformer):
    """New names for all that an author chooses, numbers written otherwise, no annotations."""

    def __init__(self, names, members):
        self.names, self.members = names, members

    def visit_Name(self, node):
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node):
        node.arg, node.annotation = self.names.get(node.arg, node.arg), None
        return node

    def visit_Attribute(self, node):
        self.generic_visit(node)
        node.attr = self.members.get(node.attr, node.attr)
        return node

    def visit_FunctionDef(self, node):
        node.name = self.members.get(node.name, self.names.get(node.name, node.name))
        self.generic_visit(node)
        return node

    def visit_ClassDef(self, node):
        node.name = self.names.get(node.name, node.name)
        self.generic_visit(node)
        return node

    def visit_Constant(self, node):
        if type(node.value) is int and node.value > 9:
            return ast.Name(hex(node.value) if node.value % 2 else f"{node.value:_}", ast.Load())
        return ast.Name(f"{node.value:e}", ast.Load()) if type(node.value) is float else node


def disguised(cells, kept, seed):
    """Cells as somebody hands them in who copied them and does not want it to be seen.

    All names are new, functions stand in another order, some neighbouring statements are swapped, docstrings are gone,
    comments and blank lines are others, numbers are written otherwise, and all is laid out anew.
    """
    draw = random.Random(seed)
    trees = {question: ast.parse(source) for question, source in cells.items()}
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    methods = {
        each.name
        for node in nodes
        if isinstance(node, ast.ClassDef)
        for each in node.body
        if isinstance(each, ast.FunctionDef)
    }
    members = methods | {
        node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    members = {name for name in members if not name.startswith("__") and name not in {"call", "build", "get_config"}}
    names = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)} - methods
    names |= bound(nodes) | {node.arg for node in nodes if isinstance(node, ast.arg)}
    names -= {node.arg for node in nodes if isinstance(node, ast.keyword)} | kept | set(dir(builtins))
    new_names = {name: f"{draw.choice(['my', 'the', 'some'])}_{number}" for number, name in enumerate(sorted(names))}
    new_members = {name: f"part_{number}" for number, name in enumerate(sorted(members))}
    return {
        question: laid_out_anew(Disguise(new_names, new_members).visit(tree), draw) for question, tree in trees.items()
    }


def laid_out_anew(tree, draw):
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) and len(body) > 1:
            body.pop(0)
        for place in range(len(body) - 1):
            one, other = body[place : place + 2]
            if (
                isinstance(one, ast.Assign)
                and isinstance(other, ast.Assign)
                and independent(one, other)
                and draw.random() < 0.4
            ):
                body[place : place + 2] = other, one
    definitions = [each for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)]
    others = iter(draw.sample(definitions, len(definitions)))
    tree.body = [next(others) if isinstance(each, ast.FunctionDef | ast.ClassDef) else each for each in tree.body]
    lines = []
    for line in ast.unparse(tree).split("\n"):
        lines += [""] * (draw.random() < 0.15)
        lines += [f"{line[: len(line) - len(line.lstrip())]}# step {draw.randrange(99)}"] * (draw.random() < 0.2)
        lines.append(line)
    return "\n".join(lines)


def bound(nodes):
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def independent(one, other):
    used = [{node.id for node in ast.walk(each) if isinstance(node, ast.Name)} for each in (one, other)]
    return not (bound(ast.walk(one)) & used[1] or bound(ast.walk(other)) & used[0])


class Class:
    """The demo students of an assignment as a class."""

    def __init__(self, name):
        self.assignment = load_course(ROOT).assignment(name)
        self.release, self.given = read_given(ROOT, self.assignment, [])
        self.source = read_notebook(ROOT / "solutions" / name / f"{name}.ipynb", max_bytes=10**8)
        self.mutants = {mutant.name: mutant for mutant in read_mutants(ROOT / "solutions" / name / "mutants")}
        self.right = [mutant for mutant in self.mutants.values() if mutant.right]
        self.answers = {name: self.answers_of(name, mutant.cells) for name, mutant in self.mutants.items()}

    def answers_of(self, name, cells):
        handed_in = apply_mutant(self.release.notebook, self.source, Mutant(name, "", {}, True, cells))
        return Answers(name, tuple(answer_cells(handed_in, self.release.notebook)))

    def pairs(self, *more):
        everybody = self.answers | {each.student: each for each in more}
        return compare(self.assignment, list(everybody.values()), self.given, Settings()).pairs


@pytest.fixture(scope="module")
def detection():
    return Class("cnn_detection")


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_independent_right_answers_are_little_alike(name):
    """Whole answers by their own cells; what the two have in common with the reference cannot count by construction."""
    made = Class(name)
    answers = [made.answers[mutant.name] for mutant in made.right]
    settings = Settings(least_similarity=0, least_shared=1, top=1000)
    figures = [pair.overall.similarity for pair in compare(made.assignment, answers, made.given, settings).pairs]
    assert len(figures) > len(list(combinations(answers, 2))) / 3  # they do share something
    assert max(figures) < 0.2


@pytest.mark.parametrize("number", range(5))
def test_a_disguised_copy_ranks_first_in_a_class_of_forty(detection, number):
    original = detection.right[number]
    copied = disguised(original.cells, detection.given.names, seed=number)
    lines = [
        {line.strip() for source in cells.values() for line in source.split("\n")} for cells in (original.cells, copied)
    ]
    assert len(lines[0] & lines[1]) < 0.3 * len(lines[0])  # a disguise that changes something
    pairs = detection.pairs(detection.answers_of("student-99", copied))
    assert len(detection.answers) == 40
    assert (pairs[0].left, pairs[0].right) == (original.name, "student-99")
    assert pairs[0].overall.similarity > 0.75
    assert pairs[1].overall.similarity < 0.5


def test_questions_that_were_copied_stand_out(detection):
    """Somebody with answers of their own took two of ten from another, disguised."""
    own, other = (detection.mutants[name] for name in ("right_vectorized", "right_plain_python"))
    taken = disguised({"nms": other.cells["nms"], "iou": other.cells["iou"]}, detection.given.names, seed=1)
    pairs = detection.pairs(detection.answers_of(own.name, own.cells | taken))
    (pair,) = [pair for pair in pairs if {pair.left, pair.right} == {own.name, other.name}]
    assert {question for question, figure in pair.questions.items() if figure.similarity > 0.6} == {"iou", "nms"}


# --- a course folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A course with three submissions that can be read, two of them alike, and one that cannot."""
    folder = make_course(tmp_path_factory.mktemp("course"))
    hand_in(folder, "student-01", {"double": invented(1), "triple": "%%time\nx = ("})
    hand_in(folder, "student-02", {"double": "# mine\n" + invented(1).replace("v1", "w1")})
    hand_in(folder, "student-03", {"double": invented(3)})
    hand_in(folder, "student-04", "no notebook")
    return folder


def found_in(folder):
    return similar_pairs(folder, load_course(folder), NAME)


def test_a_class_from_its_folder(folder):
    found = found_in(folder)
    (pair,) = found.pairs
    assert (pair.left, pair.right, pair.overall.similarity) == ("student-01", "student-02", 1)
    assert sorted(found.answers) == ["student-01", "student-02", "student-03"]
    (problem,) = found.problems
    assert problem.startswith("student-04 is not compared: ")
    assert found == found_in(folder)


def test_the_page_lies_beside_the_class_table(folder):
    path = write_similarity_page(folder, found_in(folder))
    assert path == folder / "reports" / NAME / "similarity.html"
    assert "student-01" in path.read_text()


def test_the_terminal_says_first_that_nobody_is_accused(folder):
    written = io.StringIO()
    console = Console(file=written, width=120, markup=False, highlight=False, emoji=False)
    print_similarities(found_in(folder), Path("page.html"), console=console)
    told = " ".join(written.getvalue().split())
    assert told.startswith("This list accuses nobody.")
    assert "student-01 and student-02 100" in told
    assert "student-04 is not compared" in told
    assert told.endswith("Side by side: page.html")


def test_cells_of_their_own_belong_to_the_answer_before_them(folder):
    made = notebook({"double": "def double(x): return 1"})
    own = notebook({}).cells[1]
    own.metadata, own.id, own.source = {}, "own", "helper = 1"
    made.cells.insert(4, own)
    release, _ = read_given(folder, load_course(folder).assignment(NAME), [])
    cells = list(answer_cells(prepare(made, release).notebook, release.notebook))
    assert cells == [AnswerCell("double", "def double(x): return 1"), AnswerCell("double", "helper = 1")]


def test_without_a_reference_solution_it_goes_on_and_says_so(tmp_path):
    folder = make_course(tmp_path)
    (folder / "solutions" / NAME / f"{NAME}.ipynb").unlink()
    hand_in(folder, "student-01", {"double": invented(1)})
    found = found_in(folder)
    assert found.pairs == ()
    assert "as in the reference solution counts too" in found.problems[0]


def test_a_folder_without_submissions_is_an_error(tmp_path):
    with pytest.raises(SubmissionError, match="no submissions"):
        found_in(make_course(tmp_path))
