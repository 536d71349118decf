"""The download of the official reviews, against a server on this machine and hostile archives. About two seconds."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import replace

import pytest

from autograder.data import provide_reviews
from autograder.data.review_archive import OFFICIAL, ReviewArchive, fetch_reviews
from autograder.errors import DataError

EACH = 60


def _members() -> list[tuple[str, bytes]]:
    """Reviews as the archive names them, and what else lies in it."""
    found = [("aclImdb/README", b"read me"), ("aclImdb/train/unsup/0_0.txt", b"unsupervised")]
    for split in ("train", "test"):
        found.append((f"aclImdb/{split}/urls_pos.txt", b"http"))
        for folder, rating in (("neg", 2), ("pos", 9)):
            for i in range(EACH):
                text = f"{split} {folder} {i} café<br /><br />\u2028 tout court"
                found.append((f"aclImdb/{split}/{folder}/{i}_{rating}.txt", text.encode()))
    return found


def _tar(members, extra=()) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info)
    return packed.getvalue()


def _special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def serve(server):
    """Serves these bytes; returns the archive as if they were what was published."""

    def start(content: bytes) -> ReviewArchive:
        server.body = content
        url = f"http://127.0.0.1:{server.server_port}/aclImdb_v1.tar.gz"
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return ReviewArchive(url, len(content), md5, EACH, largest_unpacked=1 << 20, timeout=5)

    return start


def _refused(archive, cache, said):
    with pytest.raises(DataError, match=said):
        fetch_reviews(archive, cache)
    assert [path for path in cache.iterdir() if path.is_file()] == []


def test_the_official_archive_is_the_published_one():
    assert OFFICIAL.url.endswith("/aclImdb_v1.tar.gz")
    assert (OFFICIAL.size, OFFICIAL.md5) == (84_125_825, "7c2ac02c03563afcf9b574c7e56c153a")
    assert 4 * OFFICIAL.each == 50_000


def test_first_call_downloads_and_second_does_not(server, serve, cache):
    archive = serve(_tar(_members()))
    path = fetch_reviews(archive, cache)
    rows = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    assert len(rows) == 4 * EACH
    assert {tuple(row) for row in rows} == {("split", "label", "text")}
    assert {row["label"] for row in rows if " neg " in row["text"]} == {0}
    assert sum(row["split"] == "train" and row["label"] == 1 for row in rows) == EACH
    assert any("café<br /><br />\u2028" in row["text"] for row in rows)
    assert fetch_reviews(archive, cache) == path
    assert server.requests == 1


def test_order_of_the_members_does_not_matter(serve, cache, tmp_path):
    one = fetch_reviews(serve(_tar(_members())), cache)
    other = fetch_reviews(serve(_tar(_members()[::-1])), tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()


def test_damaged_table_is_downloaded_again(server, serve, cache):
    archive = serve(_tar(_members()))
    path = fetch_reviews(archive, cache)
    before = path.read_bytes()
    path.write_bytes(before[:-100])
    assert fetch_reviews(archive, cache).read_bytes() == before
    assert server.requests == 2


def test_downloaded_reviews_are_cut_and_named(serve, cache):
    archive = serve(_tar(_members()))
    settings = {"path": None, "rows": None, "withheld_fraction": 0.25, "seed": 0, "cache": cache}
    data = provide_reviews(download=True, archive=archive, **settings)
    assert data.origin == "download"
    assert "the official archive aclImdb_v1.tar.gz: 120 for the notebook" in data.description
    assert "train" in data.public.read_text(encoding="utf-8")
    assert "train" not in data.withheld.read_text(encoding="utf-8")


def test_another_checksum_or_size(serve, cache):
    archive = serve(_tar(_members()))
    _refused(replace(archive, md5="0" * 32), cache, f"MD5 {'0' * 32}.*received: .*{archive.md5}")
    _refused(replace(archive, size=archive.size + 1), cache, f"should send {archive.size + 1:,} bytes")
    _refused(replace(archive, size=archive.size - 1), cache, "sends more than .* not the IMDB archive")


def test_links_devices_and_names_that_leave_are_no_reviews(serve, cache, tmp_path):
    """What is hostile in a tar is not looked at: nothing is unpacked, and a link in a review's place is missing there."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    outside = [
        ("../../escaped.txt", b"x"),
        ("/tmp/escaped_absolute.txt", b"x"),
        ("aclImdb/train/pos/../../e.txt", b"x"),
    ]
    extra = [
        _special("aclImdb/train/pos/900_9.txt", tarfile.SYMTYPE, str(secret)),
        _special("aclImdb/train/pos/901_9.txt", tarfile.LNKTYPE, "aclImdb/README"),
        _special("aclImdb/train/pos/902_9.txt", tarfile.FIFOTYPE),
        _special("aclImdb/train/pos/903_9.txt", tarfile.CHRTYPE),
    ]
    path = fetch_reviews(serve(_tar(_members() + outside, extra)), cache)
    assert len(path.read_text().splitlines()) == 4 * EACH
    assert "secret" not in path.read_text()
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == sorted(
        [path.name, path.with_suffix(".sha256").name, "secret.txt"]
    )
    replaced = [member for member in _members() if not member[0].endswith("pos/0_9.txt")]
    link = [_special("aclImdb/train/pos/0_9.txt", tarfile.SYMTYPE, str(secret))]
    _refused(serve(_tar(replaced, link)), tmp_path / "other", "should hold 60 reviews of each label.*train/1: 59")


def test_bombs_end_at_their_bound(serve, cache):
    _refused(serve(gzip.compress(b"\0" * (2 << 20))), cache, "no sound archive|should hold|unpacks to more")
    big = [*_members(), ("aclImdb/big.bin", b"\0" * (2 << 20))]
    _refused(serve(_tar(big)), cache, "unpacks to more than 1,048,576 bytes")
    header = tarfile.TarInfo("aclImdb/long")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    _refused(serve(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + b"a" * (2 << 20))), cache, "unpacks to more")


def test_reviews_too_long_blank_or_not_utf8(serve, cache):
    for content, said in ((b"x" * (300_000), "test/1: 59"), (b"  ", "test/1: 59"), (b"caf\xe9", "no sound archive")):
        _refused(serve(_tar([*_members()[:-1], (_members()[-1][0], content)])), cache, said)


@pytest.mark.parametrize("content", [b"<html>please log in</html>", gzip.compress(b"no tar"), b""])
def test_something_else_than_an_archive(serve, cache, content):
    _refused(serve(content), cache, "no sound archive|should hold .* received: none")


def test_truncated_archive_and_flipped_bit(serve, cache):
    packed = bytearray(_tar(_members()))
    _refused(serve(bytes(packed[:-2000])), cache, "no sound archive")
    packed[len(packed) // 2] ^= 1
    _refused(serve(bytes(packed)), cache, "no sound archive|should hold")


def test_page_not_found_and_server_down(server, serve, cache):
    archive = serve(b"")
    server.status = 404
    _refused(archive, cache, "IMDB archive could not be downloaded.*AUTOGRADER_REVIEWS_JSONL.*404")
