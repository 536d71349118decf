"""Where reviews come from, and what is withheld of them. Takes about six seconds, two of them on the real reviews."""

import gzip
import json
import lzma
from collections import Counter
from pathlib import Path

import pytest

from autograder.data import provide_reviews, read_reviews, reviews, write_generated_reviews
from autograder.data.reviews import REVIEWS_VARIABLE
from autograder.errors import DataError


def _provide(cache, **changed):
    settings = {"path": None, "download": False, "rows": 600, "withheld_fraction": 0.25, "seed": 3, "cache": cache}
    return provide_reviews(**(settings | changed))


def _texts(path: Path) -> list[str]:
    return [review.text for review in read_reviews(path)]


def _write(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="ascii")
    return path


@pytest.fixture
def official(tmp_path) -> Path:
    """200 training and 200 test reviews with their parts, sorted by label; three of them stand in both parts."""
    rows = [
        {"split": split, "id": f"{i}_9", "label": int(i < 100), "text": f"{split} film {i}"}
        for split in ("test", "train")
        for i in range(200)
    ]
    for i in range(3):
        rows[i]["text"] = f"train film {i}"
    return _write(tmp_path / "imdb.jsonl", rows)


def test_generated_by_default_and_says_so(tmp_path):
    data = _provide(tmp_path)
    assert (data.source, data.origin) == ("reviews", "generated")
    assert "generated from a grammar: 450 for the notebook (2" in data.description
    assert "withheld" in data.description
    assert str(tmp_path) not in data.description
    assert _provide(tmp_path, seed=4).public_sha256 != data.public_sha256


def test_public_lines_have_text_and_label_alone(tmp_path, official):
    """The official id holds the rating, which would be the answer."""
    data = _provide(tmp_path, path=official, rows=None)
    for part in (data.public, data.withheld):
        assert {tuple(json.loads(line)) for line in part.read_text(encoding="utf-8").splitlines()} == {
            ("text", "label")
        }


def test_no_withheld_text_is_public_and_none_stands_twice(tmp_path):
    data = _provide(tmp_path, rows=4000)
    public, withheld = _texts(data.public), _texts(data.withheld)
    assert len(public) == 3000
    assert 960 < len(withheld) < 1000
    assert not set(public) & set(withheld)
    assert len(set(withheld)) == len(withheld)
    assert len(set(public)) < len(public)  # repeated reviews stay where the notebook must see to them


def test_every_beginning_is_balanced_and_no_order_tells_the_label(tmp_path, official):
    data = _provide(tmp_path, path=official, rows=None)
    labels = [review.label for review in read_reviews(data.public)]
    assert all(abs(2 * sum(labels[:n]) - n) <= 14 for n in range(1, 201))
    assert 60 < sum(a != b for a, b in zip(labels, labels[1:], strict=False)) < 140


def test_official_parts_are_kept_apart(tmp_path, official):
    """Without a number of rows all training reviews are public and all test reviews withheld, but for the three known."""
    data = _provide(tmp_path, path=official, rows=None)
    public, withheld = _texts(data.public), _texts(data.withheld)
    assert len(public) == 200
    assert len(withheld) == 197
    assert all(text.startswith("train") for text in public)
    assert all(text.startswith("test") for text in withheld)
    assert "official test part" in data.description


def test_a_sample_of_the_official_parts(tmp_path, official):
    data = _provide(tmp_path, path=official, rows=240)
    public, withheld = read_reviews(data.public), read_reviews(data.withheld)
    assert len(public) == 180
    assert 57 <= len(withheld) <= 60
    assert 80 <= sum(review.label for review in public) <= 100


def test_a_description_does_not_tell_the_seed(tmp_path):
    """It stands in reports, and who knows the seed can write the withheld reviews."""
    assert "98765" not in _provide(tmp_path, seed=98765).description


def test_file_of_one_part_alone_is_cut_by_the_fraction(tmp_path, official):
    rows = [json.loads(line) for line in official.read_text().splitlines()]
    path = _write(tmp_path / "train.jsonl", [row for row in rows if row["split"] == "train"])
    data = _provide(tmp_path, path=path, rows=None)
    assert (len(_texts(data.public)), len(_texts(data.withheld))) == (150, 50)
    assert "official" not in data.description


def test_file_without_parts_is_cut_by_the_fraction(tmp_path):
    path = write_generated_reviews(tmp_path / "r.jsonl", rows=500, seed=1)
    data = _provide(tmp_path, path=path, rows=None)
    assert Counter(_texts(data.public) + _texts(data.withheld)).keys() == set(_texts(path))
    assert len(_texts(data.public)) == 375
    assert len(_texts(_provide(tmp_path, path=path, rows=400).public)) == 300


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_compressed_file_gives_the_same_parts(tmp_path, official, suffix, pack):
    packed = tmp_path / f"imdb.jsonl{suffix}"
    packed.write_bytes(pack(official.read_bytes()))
    plain, unpacked = _provide(tmp_path, path=official), _provide(tmp_path, path=packed)
    assert (plain.public_sha256, plain.withheld_sha256) == (unpacked.public_sha256, unpacked.withheld_sha256)


def test_file_of_the_environment_goes_after_the_configured_one(tmp_path, official, monkeypatch):
    monkeypatch.setenv(REVIEWS_VARIABLE, str(official))
    assert _provide(tmp_path, rows=None).origin == "file"
    monkeypatch.setenv(REVIEWS_VARIABLE, str(tmp_path / "absent.jsonl"))
    assert _provide(tmp_path, path=official, rows=None).origin == "file"


def test_second_call_makes_nothing(tmp_path, monkeypatch):
    data = _provide(tmp_path)
    monkeypatch.setattr(reviews, "generate_reviews", lambda *_: pytest.fail("made again"))
    assert _provide(tmp_path) == data


def test_damaged_cache_is_made_again(tmp_path):
    data = _provide(tmp_path)
    data.withheld.write_text("x")
    assert _provide(tmp_path) == data
    assert len(_texts(data.withheld)) > 140


def test_no_folder_holds_both_files(tmp_path):
    data = _provide(tmp_path)
    assert [path.name for path in data.public.parent.iterdir()] == [data.public.name]
    assert data.withheld.parent != data.public.parent


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": "fine", "label": 1', "line 2: each line is one JSON object; received: '{\"text"),
        ("[1, 2]", "line 2: each line is one JSON object"),
        ("[" * 100_000, "line 2: each line is one JSON object"),
        ('{"label": 1}', "line 2: `text` holds a review's own words; received: None"),
        ('{"text": "  ", "label": 1}', "line 2: `text`"),
        ('{"text": 5, "label": 1}', "line 2: `text`"),
        (r'{"text": "\ud800", "label": 1}', "line 2: `text`"),
        ('{"text": "fine"}', r"line 2: `label` is 0 \(negative\) or 1 \(positive\); received: None"),
        ('{"text": "fine", "label": 2}', "received: 2"),
        ('{"text": "fine", "label": true}', "received: True"),
        ('{"text": "fine", "label": "1"}', "received: '1'"),
    ],
)
def test_wrong_line(tmp_path, line, said):
    path = tmp_path / "wrong.jsonl"
    path.write_text('{"text": "a", "label": 0}\n' + line + "\n", encoding="ascii")
    with pytest.raises(DataError, match=said):
        read_reviews(path)


def test_other_keys_are_welcome_and_another_part_is_none(tmp_path):
    rows = [
        {"text": f"film {i}", "label": i % 2, "split": split, "stars": 3}
        for i, split in enumerate(["train", ["x"], 5, "dev"])
    ]
    assert [review.split for review in read_reviews(_write(tmp_path / "r.jsonl", rows))] == ["train", "", "", ""]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.jsonl", b"", "empty"),
        ("blank.jsonl", b"\n \n", "empty"),
        ("latin.jsonl", b'{"text": "caf\xe9", "label": 1}', "cannot be read as JSON lines"),
        ("broken.jsonl.gz", gzip.compress(b'{"text": "a", "label": 1}')[:-6], "cannot be read as JSON lines"),
        ("broken.jsonl.xz", b"no xz", "cannot be read as JSON lines"),
    ],
)
def test_file_that_is_none(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_reviews(path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"path": Path("absent.jsonl")}, "No review file here.*absent.jsonl"),
        ({"path": Path()}, "directory instead of a review file"),
        ({"rows": 100}, "Too few reviews.*rows=100 gives: 75 and 25"),
        ({"withheld_fraction": 1.0}, "received: 1.0"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_settings(tmp_path, changed, said):
    with pytest.raises(DataError, match=said):
        _provide(tmp_path, **changed)


def test_short_file_and_one_label(tmp_path):
    rows = [{"text": f"film {i}", "label": 1} for i in range(400)]
    with pytest.raises(DataError, match="short.jsonl gives: 75 and 25"):
        _provide(tmp_path, path=_write(tmp_path / "short.jsonl", rows[:100]), rows=None)
    with pytest.raises(DataError, match="public reviews have but one label.*300 positive of 300"):
        _provide(tmp_path, path=_write(tmp_path / "happy.jsonl", rows), rows=None)


def test_real_reviews(tmp_path, real_reviews):
    """25,000 training reviews for the notebook; of the test reviews those that are no repetitions."""
    data = _provide(tmp_path, path=real_reviews, rows=None)
    public, withheld = read_reviews(data.public), read_reviews(data.withheld)
    assert Counter(review.label for review in public) == {0: 12_500, 1: 12_500}
    assert len(withheld) == 24_678
    assert not {review.text for review in public} & {review.text for review in withheld}
