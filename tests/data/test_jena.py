"""Where the series comes from, and its cut into public and withheld. Takes about six seconds, most of it for starting processes."""

import gzip
import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from autograder.data import jena, provide_jena, read_station
from autograder.data.jena import JENA_VARIABLE
from autograder.errors import DataError


def _provide(cache, **changed):
    settings = {"path": None, "download": False, "rows": 4000, "withheld_fraction": 0.15, "seed": 3, "cache": cache}
    return provide_jena(**(settings | changed))


def _rows(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()[1:]


def test_generated_by_default_and_says_so(tmp_path):
    data = _provide(tmp_path)
    assert (data.source, data.origin) == ("jena", "generated")
    for part in ("generated weather", "4,000 rows", "2009-01-01 00:10:00", "last 600", "withheld"):
        assert part in data.description
    assert str(tmp_path) not in data.description
    assert data.description.count("\n") == 0


def test_withheld_rows_continue_right_after_the_public_ones(tmp_path):
    data = _provide(tmp_path)
    public, withheld = read_station(data.public), read_station(data.withheld)
    assert (len(_rows(data.public)), len(_rows(data.withheld))) == (3400, 600)
    assert (withheld.index[0] - public.index[-1]).total_seconds() == 600


def test_digests_are_those_of_the_files(tmp_path):
    data = _provide(tmp_path)
    assert data.public_sha256 == hashlib.sha256(data.public.read_bytes()).hexdigest()
    assert data.withheld_sha256 == hashlib.sha256(data.withheld.read_bytes()).hexdigest()


def test_no_folder_holds_both_files(tmp_path):
    """What a sandbox binds for the notebook, the public file's folder, shows nothing of the future."""
    data = _provide(tmp_path)
    assert [path.name for path in data.public.parent.iterdir()] == [data.public.name]
    assert data.withheld.parent != data.public.parent


def test_second_call_makes_nothing(tmp_path, monkeypatch):
    data = _provide(tmp_path)

    def never(*_, **__):
        raise AssertionError("made again")

    monkeypatch.setattr(jena, "write_generated_station", never)
    monkeypatch.setattr(jena, "read_rows", never)
    assert _provide(tmp_path) == data


@pytest.mark.parametrize("damage", [lambda data: data.withheld.unlink(), lambda data: data.public.write_text("x")])
def test_damaged_cache_is_made_again(tmp_path, damage):
    data = _provide(tmp_path)
    damage(data)
    again = _provide(tmp_path)
    assert again == data
    assert len(_rows(again.public)) == 3400
    assert len(_rows(again.withheld)) == 600


@pytest.mark.parametrize("changed", [{"seed": 4}, {"rows": 4001}, {"withheld_fraction": 0.14}])
def test_everything_that_matters_separates(tmp_path, changed):
    one, other = _provide(tmp_path), _provide(tmp_path, **changed)
    assert one.public != other.public
    assert one.public_sha256 != other.public_sha256
    assert _provide(tmp_path) == one


def test_another_generator_version_is_another_data_set(tmp_path, monkeypatch):
    one = _provide(tmp_path)
    monkeypatch.setattr(jena, "GENERATOR_VERSION", jena.GENERATOR_VERSION + 1)
    assert _provide(tmp_path).public != one.public


def test_a_year_when_no_number_is_given(tmp_path):
    assert "52,704 rows" in _provide(tmp_path, rows=None).description


def test_local_file_comes_first_byte_for_byte(tmp_path, station):
    """Quoted header, defects, decimals: the two parts together are the file."""
    data = _provide(tmp_path, path=station, rows=None, download=True)
    assert data.origin == "file"
    assert "station.csv" in data.description
    assert str(tmp_path) not in data.description
    assert _rows(data.public) + _rows(data.withheld) == _rows(station)
    header = station.read_bytes().splitlines()[0]
    assert {path.read_bytes().splitlines()[0] for path in (data.public, data.withheld)} == {header}


def test_file_named_in_the_environment(tmp_path, station, monkeypatch):
    monkeypatch.setenv(JENA_VARIABLE, str(station))
    assert _provide(tmp_path).origin == "file"


def test_configured_file_goes_before_the_environment(tmp_path, station, monkeypatch):
    monkeypatch.setenv(JENA_VARIABLE, str(tmp_path / "absent.csv"))
    assert _provide(tmp_path, path=station).origin == "file"


def test_compressed_file_gives_the_same_parts(tmp_path, station):
    packed = tmp_path / "station.csv.gz"
    packed.write_bytes(gzip.compress(station.read_bytes()))
    plain, unpacked = _provide(tmp_path, path=station), _provide(tmp_path, path=packed)
    assert (plain.public_sha256, plain.withheld_sha256) == (unpacked.public_sha256, unpacked.withheld_sha256)


def test_first_rows_of_a_longer_file(tmp_path, station):
    data = _provide(tmp_path, path=station, rows=3500)
    assert _rows(data.public) + _rows(data.withheld) == _rows(station)[:3500]


def test_all_of_a_shorter_file(tmp_path, station):
    assert "4,000 rows" in _provide(tmp_path, path=station, rows=9000).description


def test_changed_file_is_another_data_set(tmp_path, station):
    one = _provide(tmp_path, path=station)
    station.write_bytes(station.read_bytes().replace(b"01.01.2009 00:10:00,", b"01.01.2009 00:05:00,", 1))
    assert _provide(tmp_path, path=station).public_sha256 != one.public_sha256


def test_blank_lines_windows_line_ends_and_no_last_line_end(tmp_path, station):
    """What editors do to a CSV changes no row and no count."""
    odd = tmp_path / "odd.csv"
    odd.write_bytes(station.read_bytes().replace(b"\n", b"\r\n\r\n").rstrip())
    data = _provide(tmp_path, path=odd)
    assert (len(_rows(data.public)), len(_rows(data.withheld))) == (3400, 600)
    assert len(read_station(data.withheld)) == 600


def test_cut_moves_past_a_repeated_block(tmp_path, station):
    """Rows 3,350 to 3,450 come twice around the wanted cut at 3,485: no time of the public part is in the withheld one."""
    lines = station.read_bytes().splitlines(keepends=True)
    torn = tmp_path / "torn.csv"
    torn.write_bytes(b"".join([*lines[:3451], *lines[3351:]]))
    data = _provide(tmp_path, path=torn, rows=None)
    assert len(_rows(data.public)) == 3550
    assert read_station(data.public).index[-1] < read_station(data.withheld).index[0]


def test_file_whose_last_rows_are_the_earliest(tmp_path, station):
    lines = station.read_bytes().splitlines(keepends=True)
    turned = tmp_path / "turned.csv"
    turned.write_bytes(b"".join([lines[0], *reversed(lines[1:])]))
    with pytest.raises(DataError, match="turned.csv are so far out of order.*received: first row"):
        _provide(tmp_path, path=turned)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"path": Path("absent.csv")}, "No Jena file here.*absent.csv"),
        ({"path": Path()}, "directory instead of a Jena file"),
        ({"withheld_fraction": 0.0}, "received: 0.0"),
        ({"withheld_fraction": 1.0}, "received: 1.0"),
        ({"rows": 3000}, "Too few rows.*rows=3000 gives: 2,550 and 450"),
        ({"withheld_fraction": 0.1}, "Too few rows.*gives: 3,600 and 400"),
        ({"rows": 0}, "Too few rows"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_settings(tmp_path, changed, said):
    with pytest.raises(DataError, match=said):
        _provide(tmp_path, **changed)
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "jena"])


def test_short_file(tmp_path, station):
    short = tmp_path / "short.csv"
    short.write_bytes(b"".join(station.read_bytes().splitlines(keepends=True)[:501]))
    with pytest.raises(DataError, match="Too few rows.*short.csv gives: 425 and 75"):
        _provide(tmp_path, path=short)


def test_carriage_returns_alone(tmp_path, station):
    """pandas reads such a file, but its rows cannot be copied line by line."""
    odd = tmp_path / "odd.csv"
    odd.write_bytes(station.read_bytes().replace(b"\n", b"\r"))
    with pytest.raises(DataError, match="odd.csv does not end each row with a line feed.*of 4,000 rows, ended so: 0"):
        _provide(tmp_path, path=odd)


def test_repeated_rows_do_not_count_towards_a_window(tmp_path, station):
    """Rows enough, times not: a file of which half are repetitions would leave the notebook an empty part."""
    lines = station.read_bytes().splitlines(keepends=True)
    doubled = tmp_path / "doubled.csv"
    doubled.write_bytes(b"".join([lines[0], *lines[1:2001], *lines[1:3001]]))
    with pytest.raises(DataError, match="Too few rows.*different times.*doubled.csv gives"):
        _provide(tmp_path, path=doubled, rows=None)


def test_cache_that_cannot_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("x", encoding="ascii")
    with pytest.raises(DataError, match="Cannot write in the data cache"):
        _provide(blocked / "cache")


def test_processes_at_once_make_one_data_set(tmp_path):
    """Three processes start on an empty cache; all get the same files, whole, and nothing else remains."""
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        made = [future.result() for future in [pool.submit(_provide_in_process, tmp_path) for _ in range(3)]]
    assert len({repr(data) for data in made}) == 1
    assert len(_rows(made[0].public)) == 3400
    assert [path.name for path in tmp_path.iterdir()] == ["jena"]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 3


def _provide_in_process(cache):
    return provide_jena(path=None, download=False, rows=4000, withheld_fraction=0.15, seed=3, cache=cache)
