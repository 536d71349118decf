"""The download of the official archive, against a server on this machine. Takes about two seconds."""

import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.data import provide_jena, write_generated_station
from autograder.data.jena_archive import OFFICIAL, Archive, fetch_table
from autograder.errors import DataError

MEMBER = "jena_tiny.csv"
ROWS = 4000


@pytest.fixture
def archive(server) -> Archive:
    url = f"http://127.0.0.1:{server.server_port}/{MEMBER}.zip"
    return Archive(url, MEMBER, ROWS, "01.01.2009 00:10:00", largest_zip=1 << 20, largest_table=4 << 20, timeout=5)


@pytest.fixture
def table(tmp_path) -> bytes:
    return write_generated_station(tmp_path / "made" / MEMBER, rows=ROWS, seed=2).read_bytes()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def _zip(content: bytes, member: str = MEMBER, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as bundle:
        bundle.writestr(member, content)
    return packed.getvalue()


def _refused(archive, cache, said):
    """The download fails with this message and leaves neither a table nor a pin nor a temporary file."""
    before = sorted(cache.iterdir()) if cache.exists() else []
    with pytest.raises(DataError, match=said):
        fetch_table(archive, cache)
    assert sorted(cache.iterdir()) == before


def test_first_call_downloads_and_pins_second_call_does_neither(server, archive, table, cache):
    server.body = _zip(table)
    path = fetch_table(archive, cache)
    assert path.read_bytes() == table
    pin = json.loads((cache / f"{MEMBER}.pinned.json").read_text(encoding="utf-8"))
    assert pin["url"] == archive.url
    assert fetch_table(archive, cache) == path
    assert server.requests == 1


def test_damaged_table_is_downloaded_again(server, archive, table, cache):
    server.body = _zip(table)
    fetch_table(archive, cache).write_bytes(table[:-100])
    assert fetch_table(archive, cache).read_bytes() == table
    assert server.requests == 2


def test_another_archive_than_the_first_is_refused(server, archive, table, cache):
    server.body = _zip(table)
    fetch_table(archive, cache).unlink()
    server.body = _zip(table, compression=zipfile.ZIP_STORED)
    _refused(archive, cache, "not the one that was downloaded first.*remove .*pinned.json.*received: [0-9a-f]{64}")


def test_damaged_pin_is_not_ignored(server, archive, table, cache):
    server.body = _zip(table)
    fetch_table(archive, cache)
    (cache / f"{MEMBER}.pinned.json").write_text("{}", encoding="utf-8")
    _refused(archive, cache, "note of the first download is damaged")


def test_several_at_once_agree(server, archive, table, cache):
    server.body = _zip(table)
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: fetch_table(archive, cache), range(4)))
    assert {path.read_bytes() for path in paths} == {table}
    assert sorted(path.name for path in cache.iterdir()) == [MEMBER, f"{MEMBER}.pinned.json"]


def test_server_down(archive, cache, server):
    server.shutdown()
    server.server_close()
    _refused(archive, cache, "could not be downloaded.*AUTOGRADER_JENA_CSV")


def test_page_not_found(archive, cache, server):
    server.status = 404
    _refused(archive, cache, "could not be downloaded.*404")


def test_connection_that_breaks_off(server, archive, table, cache):
    server.body, server.promise = _zip(table), 1000
    _refused(archive, cache, "broke off|IncompleteRead")


def test_truncated_zip(server, archive, table, cache):
    server.body = _zip(table)[:-500]
    _refused(archive, cache, "no sound zip archive")


def test_zip_with_a_flipped_bit(server, archive, table, cache):
    packed = bytearray(_zip(table))
    packed[len(packed) // 2] ^= 1
    server.body = bytes(packed)
    _refused(archive, cache, "no sound zip archive")


def test_page_instead_of_zip(server, archive, cache):
    server.body = b"<html>please log in</html>"
    _refused(archive, cache, "no sound zip archive")


def test_archive_larger_than_its_bound(server, archive, cache):
    server.body = b"x" * (archive.largest_zip + 1)
    _refused(archive, cache, "sends more than 1,048,576 bytes")


def test_zip_bomb_is_refused_before_it_unpacks(server, archive, cache):
    server.body = _zip(b"0" * (archive.largest_table + 1))
    assert len(server.body) < 10_000
    _refused(archive, cache, "would unpack to more than 4,194,304 bytes")


def test_zip_without_the_table(server, archive, table, cache):
    server.body = _zip(table, member="readme.txt")
    _refused(archive, cache, r"should hold jena_tiny.csv; it holds: \['readme.txt'\]")


def test_other_structure_than_promised(server, archive, table, cache):
    lines = table.splitlines(keepends=True)
    server.body = _zip(b"".join(lines[:-1]))
    _refused(archive, cache, "should hold 4,000 rows from 01.01.2009 00:10:00 on.*received: 3,999 rows")
    server.body = _zip(b"".join([lines[0], *lines[2:], lines[2]]))
    _refused(archive, cache, "received: 4,000 rows from 01.01.2009 00:20:00 on")
    server.body = _zip(table.replace(b"T (degC)", b"T (C)", 1))
    _refused(archive, cache, "15 columns")


def test_address_of_another_scheme(cache):
    _refused(Archive("file:///etc/hostname", MEMBER, 1, ""), cache, "by https or http; received: file:")


def test_official_archive_is_the_one_of_the_keras_example():
    assert OFFICIAL.url.startswith("https://storage.googleapis.com/tensorflow/tf-keras-datasets/")
    assert (OFFICIAL.rows, OFFICIAL.first_time) == (420_551, "01.01.2009 00:10:00")


def test_downloaded_series_is_cut_and_named(server, archive, table, cache):
    server.body = _zip(table)
    settings = {"path": None, "download": True, "rows": None, "withheld_fraction": 0.15, "seed": 0, "cache": cache}
    data = provide_jena(**settings, archive=archive)
    assert data.origin == "download"
    assert MEMBER in data.description
    header, rest = data.withheld.read_bytes().split(b"\n", 1)
    assert data.public.read_bytes() + rest == table
    assert table.startswith(header)
    assert provide_jena(**settings, archive=archive) == data
    assert server.requests == 1
