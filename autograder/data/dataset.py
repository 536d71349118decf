"""A data set in two parts, and the place in the cache where both lie until something that determines them changes."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from autograder.data.files import replacing, sha256
from autograder.errors import DataError

_LAYOUT_VERSION = 1  # of the cache

Origin = Literal["file", "download", "generated"]
Source = Literal["jena", "reviews", "scenes"]


@dataclass(frozen=True)
class DataSet:
    """A data set as a grading uses it.

    `description` is one sentence for reports. `public` is the file that the notebook gets, `withheld` one in the same
    format, for the judge alone; the digests are those of the two files.
    """

    source: Source
    origin: Origin
    description: str
    public: Path
    withheld: Path
    public_sha256: str
    withheld_sha256: str


@dataclass(frozen=True)
class Place:
    """Where the two files of a data set lie; each in a folder of its own, so that a sandbox can show but one."""

    source: Source
    origin: Origin
    folder: Path
    file_name: str

    @property
    def public(self) -> Path:
        """What the notebook gets."""
        return self.folder / "public" / self.file_name

    @property
    def withheld(self) -> Path:
        """What only the judge reads."""
        return self.folder / "withheld" / self.file_name

    @property
    def manifest(self) -> Path:
        """Vouches for the two files; written last."""
        return self.folder / "dataset.json"

    def stored(self) -> DataSet | None:
        """What an earlier call left, if all of it is there and undamaged; else it is to be made again."""
        try:
            noted = json.loads(self.manifest.read_text(encoding="utf-8"))
            found = self._described(str(noted["description"]))
            intact = (found.public_sha256, found.withheld_sha256) == (noted["public_sha256"], noted["withheld_sha256"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if intact else None

    def vouch(self, description: str) -> DataSet:
        """The data set, once both files are written. Raises `DataError` where the folder cannot be written."""
        made = self._described(description)
        noted = {key: value for key, value in asdict(made).items() if not isinstance(value, Path)}
        with replacing(self.manifest) as temporary:
            temporary.write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")
        return made

    def _described(self, description: str) -> DataSet:
        digests = sha256(self.public), sha256(self.withheld)
        return DataSet(self.source, self.origin, description, self.public, self.withheld, *digests)


def place_of(source: Source, origin: Origin, cache: Path, file_name: str, **determined_by: object) -> Place:
    """The place of the data set that these values determine; whatever changes one of them is another place."""
    key = json.dumps({"layout": _LAYOUT_VERSION, "origin": origin, **determined_by}, sort_keys=True)
    folder = cache / source / hashlib.sha256(key.encode()).hexdigest()[:20]
    return Place(source, origin, folder, file_name)


def local_file(path: Path | None, variable: str) -> Path | None:
    """The file that the course names, else the one that the environment names, else none."""
    named = os.environ.get(variable)
    return path if path is not None else Path(named) if named else None


def digest_of_file(path: Path, what: str) -> str:
    """SHA-256 of a local file that a course names; `what` it should be, as in "Jena file", stands in the message.

    Raises `DataError` for what is no readable file.
    """
    if path.is_dir():
        raise DataError(f"A directory instead of a {what}; name the file inside it: {path}")
    try:
        return sha256(path)
    except FileNotFoundError as error:
        raise DataError(f"No {what} here; correct the path, or leave it out for generated data: {path}") from error
    except OSError as error:
        raise DataError(f"The {what} {path} cannot be read; mend its permissions or name another: {error}") from error


def check_fraction(withheld_fraction: float) -> None:
    """Raises `DataError` unless something is withheld and something is not."""
    if not 0 < withheld_fraction < 1:
        raise DataError(f"withheld_fraction is a share of the rows, between 0 and 1; received: {withheld_fraction}")


def check_seed(seed: int) -> None:
    """Raises `DataError` for a negative seed, which NumPy's generators refuse."""
    if seed < 0:
        raise DataError(f"The seed of a data set is a whole number from 0 on; received: {seed}")
