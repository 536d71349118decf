"""Scenes: drawn or from a file, cut, read with care. Takes about three seconds."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from autograder.data import provide_scenes, read_scenes, scenes, write_generated_scenes
from autograder.data.scene_drawing import digit_labels, draw_scenes
from autograder.data.scene_schema import Scenes, write_scenes
from autograder.data.scenes import SCENES_VARIABLE
from autograder.errors import DataError


def _provide(cache, **changed):
    return provide_scenes(
        **({"path": None, "rows": 80, "withheld_fraction": 0.25, "seed": 3, "cache": cache} | changed)
    )


@pytest.fixture
def drawn(tmp_path) -> Path:
    return write_generated_scenes(tmp_path / "drawn.npz", rows=60, seed=1)


def test_drawn_by_default_and_says_so(tmp_path):
    data = _provide(tmp_path)
    assert (data.source, data.origin) == ("scenes", "generated")
    assert "digits: 60 for the notebook, 20 others withheld" in data.description
    assert len(read_scenes(data.public).images) == 60
    assert len(read_scenes(data.withheld).images) == 20
    assert [path.name for path in data.public.parent.iterdir()] == [data.public.name]
    assert data.withheld.parent != data.public.parent


def test_a_description_does_not_tell_the_seed(tmp_path):
    """It stands in reports, and who knows the seed can draw the withheld scenes."""
    assert "98765" not in _provide(tmp_path, seed=98765).description


def test_the_layout_is_the_one_that_a_notebook_reads(drawn):
    """Nothing but NumPy is needed, and no pickle."""
    with np.load(drawn, allow_pickle=False) as archive:
        found = {name: (array.dtype.name, array.shape) for name, array in archive.items()}
        total = int(archive["counts"].sum())
    assert found == {
        "images": ("uint8", (60, 64, 64, 1)),
        "counts": ("int64", (60,)),
        "boxes": ("float32", (total, 4)),
        "labels": ("int64", (total,)),
    }


def test_scenes_are_what_the_contract_says():
    drawn = draw_scenes(300, np.random.default_rng(0), range(len(digit_labels())))
    counts = np.array([len(labels) for labels in drawn.labels])
    assert set(counts) == {1, 2, 3}
    assert np.bincount(counts)[1:].min() > 70
    assert set(np.concatenate(drawn.labels)) == set(range(10))
    for image, boxes in zip(drawn.images, drawn.boxes, strict=True):
        assert (boxes[:, 2:] - boxes[:, :2] >= 8).all()
        assert (boxes >= 0).all() and (boxes <= 64).all()
        inside = np.zeros((64, 64), dtype=int)
        for x_min, y_min, x_max, y_max in boxes.astype(int):
            inside[y_min:y_max, x_min:x_max] += 1
            assert image[y_min:y_max, x_min:x_max].max() > 120
        assert inside.max() == 1  # no two boxes share a pixel
        assert image[inside == 0].max() < 48
        cells = {tuple((box[:2] + box[2:]) // 16) for box in boxes}
        assert len(cells) == len(boxes)  # no two centres share a cell of the 8 x 8 grid


def test_withheld_scenes_show_other_handwriting(tmp_path, monkeypatch):
    used = []
    draw = scenes.draw_scenes
    monkeypatch.setattr(scenes, "draw_scenes", lambda n, rng, digits: used.append(set(digits)) or draw(n, rng, digits))
    _provide(tmp_path)
    public, withheld = used
    assert not public & withheld
    assert len(public | withheld) == 1797
    assert {digit_labels()[i] for i in withheld} == set(range(10))
    assert len(withheld) == pytest.approx(449, abs=5)


def test_same_seed_same_bytes_also_in_another_process(tmp_path):
    code = (
        "import sys; from pathlib import Path; from autograder.data import write_generated_scenes as w; "
        "w(Path(sys.argv[1]), rows=30, seed=9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.npz")], check=True)
    b = write_generated_scenes(tmp_path / "b.npz", rows=30, seed=9)
    assert (tmp_path / "a.npz").read_bytes() == b.read_bytes()
    assert write_generated_scenes(tmp_path / "c.npz", rows=30, seed=8).read_bytes() != b.read_bytes()


def test_second_call_draws_nothing_and_damage_is_mended(tmp_path, monkeypatch):
    data = _provide(tmp_path)
    data.public.write_bytes(b"x")
    assert _provide(tmp_path) == data
    monkeypatch.setattr(scenes, "draw_scenes", lambda *_: pytest.fail("drawn again"))
    assert _provide(tmp_path) == data


@pytest.mark.parametrize("changed", [{"seed": 4}, {"rows": 81}, {"withheld_fraction": 0.3}])
def test_everything_that_matters_separates(tmp_path, changed):
    assert _provide(tmp_path, **changed).public_sha256 != _provide(tmp_path).public_sha256


def test_local_file_is_cut_in_its_order(tmp_path, drawn, monkeypatch):
    data = _provide(tmp_path, path=drawn, rows=None)
    whole, public, withheld = (read_scenes(path) for path in (drawn, data.public, data.withheld))
    assert data.origin == "file"
    np.testing.assert_array_equal(np.concatenate([public.images, withheld.images]), whole.images)
    for received, expected in zip(public.boxes + withheld.boxes, whole.boxes, strict=True):
        np.testing.assert_array_equal(received, expected)
    assert len(public.images) == 45
    assert len(read_scenes(_provide(tmp_path, path=drawn, rows=40).public).images) == 30
    monkeypatch.setenv(SCENES_VARIABLE, str(drawn))
    assert _provide(tmp_path, rows=None).public_sha256 == data.public_sha256


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"path": Path("absent.npz")}, "No scene file here.*absent.npz"),
        ({"path": Path()}, "directory instead of a scene file"),
        ({"rows": 20}, "Too few scenes.*rows=20 gives: 15 and 5"),
        ({"rows": 10**9}, "received: 750000000"),
        ({"withheld_fraction": 0.0}, "received: 0.0"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_settings(tmp_path, changed, said):
    with pytest.raises(DataError, match=said):
        _provide(tmp_path, **changed)


def test_short_file(tmp_path):
    short = write_generated_scenes(tmp_path / "short.npz", rows=12, seed=1)
    with pytest.raises(DataError, match="Too few scenes.*short.npz gives: 9 and 3"):
        _provide(tmp_path, path=short, rows=None)


def _valid() -> dict:
    box = np.array([[1, 2, 30, 40]] * 3, np.float32)
    images = np.zeros((2, 64, 64, 1), np.uint8)
    return {"images": images, "counts": np.array([1, 2]), "boxes": box, "labels": np.array([0, 4, 9])}


def _saved(path: Path, **changed) -> Path:
    np.savez(path, **{name: array for name, array in (_valid() | changed).items() if array is not None})
    return path


def test_files_of_numpy_are_read(tmp_path):
    read = read_scenes(_saved(tmp_path / "s.npz"))
    assert [labels.tolist() for labels in read.labels] == [[0], [4, 9]]
    assert len(read_scenes(tmp_path / "s.npz", most=1).boxes) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"labels": None}, "should hold the arrays images, counts, boxes, labels; it holds"),
        ({"images": np.zeros((2, 64, 64, 1))}, "`images` is uint8 with 4 dimensions; received: float64"),
        ({"images": np.zeros((2, 32, 32, 1), np.uint8)}, r"images are \(n, 64, 64, 1\)"),
        ({"counts": np.array([1, 1])}, "those of n scenes"),
        ({"counts": np.array([0, 3])}, "1 to 3 objects; received another at place: 0"),
        ({"labels": np.array([0, 10, 1])}, "labels from 0 to 9; received another at place: 1"),
        ({"boxes": np.array([[1, 1, 2, 2], [1, 1, 2, 2], [5, 5, 5, 9]], np.float32)}, "with an area.*place: 2"),
        ({"boxes": np.array([[1, 1, 2, 2], [1, np.nan, 2, 2], [5, 5, 6, 9]], np.float32)}, "with an area.*place: 1"),
        ({"boxes": np.array([[1, 1, 2, 65], [1, 1, 2, 2], [5, 5, 6, 9]], np.float32)}, "inside the image.*place: 0"),
        ({"labels": np.array([0, {}, 1], dtype=object)}, "without pickles"),
    ],
)
def test_wrong_arrays(tmp_path, changed, said):
    with pytest.raises(DataError, match=said):
        read_scenes(_saved(tmp_path / "s.npz", **changed))


def test_no_npz_and_a_damaged_one(tmp_path, drawn):
    path = tmp_path / "wrong.npz"
    packed = bytearray(drawn.read_bytes())
    packed[5000] ^= 1
    for content in (b"", b"no zip", bytes(packed), bytes(packed[:3000])):
        path.write_bytes(content)
        with pytest.raises(DataError, match="cannot be read as an .npz without pickles"):
            read_scenes(path)


def test_a_bomb_is_refused_before_it_unpacks(tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.data.scene_schema._LARGEST_FILE", 1000)
    with pytest.raises(DataError, match="should hold the arrays"):
        read_scenes(_saved(tmp_path / "s.npz"))


def test_a_header_that_promises_more_than_there_is(tmp_path):
    """An array of a terabyte is not allocated because a header says so."""
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (2**28, 64, 64, 1)})
    path = _saved(tmp_path / "s.npz", images=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("images.npy", member.getvalue())
    with pytest.raises(DataError, match="cannot be read|should hold"):
        read_scenes(path)


def test_scenes_that_were_written_come_back(tmp_path):
    one = draw_scenes(5, np.random.default_rng(1), range(100))
    back = read_scenes(write_scenes(tmp_path / "s.npz", one))
    assert isinstance(back, Scenes)
    np.testing.assert_array_equal(back.images, one.images)
    for name in ("boxes", "labels"):
        for received, expected in zip(getattr(back, name), getattr(one, name), strict=True):
            np.testing.assert_array_equal(received, expected)
