"""One official file from the web, within bounds. What it must be is for those who asked for it to check."""

import hashlib
import http.client
import urllib.request
from dataclasses import dataclass
from typing import BinaryIO

from autograder.errors import DataError

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Remote:
    """A file on the web; its bound in bytes, the timeout in seconds.

    `what` it is and the environment `variable` that names a local copy stand in messages.
    """

    url: str
    what: str
    variable: str
    largest: int
    timeout: float = 60.0


def download(remote: Remote, file: BinaryIO) -> str:
    """Stream a remote file into `file`; returns its SHA-256.

    Raises `DataError` when the server cannot be reached, breaks off, or sends more than the bound.
    """
    if not remote.url.startswith(("https://", "http://")):
        raise DataError(f"An archive is downloaded by https or http; received: {remote.url}")
    digest, received = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(remote.url, timeout=remote.timeout) as response:  # noqa: S310 - checked above
            promised = int(response.headers.get("Content-Length") or -1)
            while chunk := response.read(CHUNK_BYTES):
                received += len(chunk)
                if received > remote.largest:
                    raise DataError(
                        f"{remote.url} sends more than {remote.largest:,} bytes, so it is not the {remote.what}; "
                        f"stopped after: {received:,}"
                    )
                digest.update(chunk)
                file.write(chunk)
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise DataError(
            f"The {remote.what} could not be downloaded from {remote.url}; try again later, name a local copy "
            f"({remote.variable}), or switch the download off to use generated data. The reason given: {error}"
        ) from error
    if promised not in (-1, received):
        raise DataError(
            f"The download from {remote.url} broke off; try again; of {promised:,} bytes received: {received:,}"
        )
    return digest.hexdigest()
