"""The official archive of IMDB reviews, `aclImdb_v1.tar.gz`: fetched once, checked, read without unpacking.

Nothing of the archive becomes a file of its own name: the texts of the members that are reviews are read in memory and
written as JSON lines to one file of ours. So a member's name can lead nowhere; links and devices are never looked at.
"""

import gzip
import hashlib
import io
import json
import re
import tarfile
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from autograder.data.download import CHUNK_BYTES, Remote, download
from autograder.data.files import replacing, sha256
from autograder.data.review_schema import NEGATIVE, POSITIVE, TEST, TRAIN
from autograder.errors import DataError

_REVIEW = re.compile(r"aclImdb/(train|test)/(pos|neg)/(\d+_\d+)\.txt")
_LARGEST_REVIEW = 1 << 18  # bytes; the longest real one has 14,000
_LABELS = {"neg": NEGATIVE, "pos": POSITIVE}


@dataclass(frozen=True)
class ReviewArchive:
    """A gzip-compressed tar of reviews and what is published about it; sizes in bytes, the timeout in seconds.

    `each` is how many reviews there are of each label in each official part.
    """

    url: str
    size: int
    md5: str
    each: int
    largest_unpacked: int = 1 << 30
    timeout: float = 60.0

    @property
    def name(self) -> str:
        """Its file name."""
        return self.url.rsplit("/", 1)[-1]


OFFICIAL = ReviewArchive(
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    size=84_125_825,
    md5="7c2ac02c03563afcf9b574c7e56c153a",
    each=12_500,
)


def fetch_reviews(archive: ReviewArchive, cache: Path) -> Path:
    """Path of the archive's reviews as JSON lines (`text`, `label`, `split`) in `cache`, downloaded when not yet there.

    Raises `DataError` when the server cannot be reached or sends something else than what was published: another
    size or checksum, no sound archive, other numbers of reviews. Nothing of a refused download stays.
    """
    table = cache / f"{archive.name}.{archive.md5}.jsonl"
    note = table.with_suffix(".sha256")
    if table.is_file() and note.is_file() and note.read_text(encoding="ascii").strip() == sha256(table):
        return table
    with replacing(table) as temporary:
        with tempfile.TemporaryFile(dir=cache) as file:
            download(
                Remote(archive.url, "IMDB archive", "AUTOGRADER_REVIEWS_JSONL", archive.size, archive.timeout), file
            )
            _check_published(archive, file)
            rows = sorted(_rows(archive, file))
        _check_numbers(archive, rows)
        lines = (json.dumps({"split": split, "label": label, "text": text}) for split, _, label, text in rows)
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        digest = sha256(temporary)
    with replacing(note) as temporary:
        temporary.write_text(f"{digest}\n", encoding="ascii")
    return table


_Row = tuple[str, str, int, str]  # split, name, label, text


def _check_published(archive: ReviewArchive, file: BinaryIO) -> None:
    received = file.seek(0, io.SEEK_END)
    file.seek(0)
    digest = hashlib.md5(usedforsecurity=False)
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    md5 = digest.hexdigest()
    if (received, md5) != (archive.size, archive.md5):
        raise DataError(
            f"{archive.url} should send {archive.size:,} bytes with the MD5 {archive.md5}; try again, or name a local "
            f"copy (AUTOGRADER_REVIEWS_JSONL); received: {received:,} bytes with {md5}"
        )


def _rows(archive: ReviewArchive, file: BinaryIO) -> Iterator[_Row]:
    """The reviews among the members, in the archive's order."""
    file.seek(0)
    try:
        with gzip.open(file) as unpacked:
            stream = _Bounded(unpacked, archive)
            with tarfile.open(fileobj=stream, mode="r|") as members:
                for member in members:
                    found = _REVIEW.fullmatch(member.name)
                    if found and member.isreg() and member.size <= _LARGEST_REVIEW:
                        content = members.extractfile(member)
                        text = content.read().decode("utf-8") if content else ""
                        yield found[1], found[3], _LABELS[found[2]], text
            while stream.read(CHUNK_BYTES):  # gzip's checksum stands at the very end
                continue
    except (tarfile.TarError, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"What came from {archive.url} is no sound archive of reviews; try again: {error}") from error


def _check_numbers(archive: ReviewArchive, rows: list[_Row]) -> None:
    received = Counter((split, label) for split, _, label, text in rows if text.strip())
    wanted = {(split, label): archive.each for split in (TRAIN, TEST) for label in (NEGATIVE, POSITIVE)}
    if received != wanted:
        found = ", ".join(f"{split}/{label}: {number}" for (split, label), number in sorted(received.items())) or "none"
        raise DataError(
            f"{archive.url} should hold {archive.each:,} reviews of each label in train and test; received: {found}"
        )


class _Bounded(io.RawIOBase):
    """What is read from a file, refused beyond the archive's bound: a bomb ends here, before it fills the memory."""

    def __init__(self, file: gzip.GzipFile, archive: ReviewArchive) -> None:
        super().__init__()
        self._file, self._archive, self._left = file, archive, archive.largest_unpacked

    def read(self, size: int = -1) -> bytes:
        wanted = self._left + 1 if size < 0 else size
        content = self._file.read(min(wanted, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise DataError(
                f"{self._archive.url} unpacks to more than {self._archive.largest_unpacked:,} bytes, so it is not the "
                f"IMDB archive"
            )
        return content
