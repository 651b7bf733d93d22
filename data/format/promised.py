"""What a set's files were when it was written: `files.json`, and the check of each read against it.

Cheap at each read (size, time and the footer's checksum), whole where it must be certain.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.parquet import footer_checksum

FILES = "files.json"
_CHUNK = 1 << 22
_Stamp = tuple[int, int, int]


def write_promise(folder: Path) -> None:
    """Write what the files of a finished set are: path → bytes, footer's checksum, checksum."""
    files = {
        str(path.relative_to(folder)): [path.stat().st_size, _footer(path), _checksum(path)]
        for path in _files(folder)
    }
    (folder / FILES).write_text(json.dumps(files, indent=0) + "\n", encoding="utf-8")


class Promise:
    """What was promised of the files of one set; an earlier version's set promises nothing.

    What a file is when it is first read holds for as long as the set is open.

    Parameters
    ----------
    folder : Path, the set's

    Raises
    ------
    DataError : a damaged files.json, or a manifest.json that is not as it was written
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = _read(folder / FILES)
        self._seen: dict[Path, _Stamp] = {}
        if self._files is not None:
            self._compare(folder / "manifest.json", "manifest.json", _footer)

    def check(self, path: Path) -> None:
        """Raise DataError if a file is not what was promised; a missing one is told elsewhere."""
        try:
            stat = path.stat()
        except OSError:
            return
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        seen = self._seen.get(path)
        if seen == stamp:
            return
        if seen is not None:
            raise DataError(f"{path} has changed since it was first read. Ask again in a new run.")
        if self._files is not None:
            self._compare(path, str(path.relative_to(self._folder)), _footer)
        self._seen[path] = stamp

    def verify(self) -> None:
        """Read every file whole; raise DataError naming one that is not what was promised."""
        for name in self._files or ():
            path = self._folder / name
            if not path.is_file():
                raise DataError(f"{path} is missing. Convert the set again.")
            self._compare(path, name, _checksum)

    def _compare(self, path: Path, name: str, checksum: Callable[[Path], str]) -> None:
        promised = (self._files or {}).get(name)
        if promised is None:
            raise DataError(f"{path} is not of this set: {FILES} does not list it. Remove it.")
        size, at = path.stat().st_size, 1 if checksum is _footer else 2
        if size != promised[0] or checksum(path) != promised[at]:
            raise DataError(
                f"{path} is not as it was written ({size} bytes, once {promised[0]}): it was "
                f"changed or damaged since. Convert the set again, or, if the change is meant, "
                f"remove {FILES} beside it and ask in a new run."
            )


def _read(path: Path) -> dict[str, list[int | str]] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}. Convert the set again.") from error
    whole = isinstance(found, dict) and all(
        isinstance(v, list) and [type(x) for x in v] == [int, str, str] for v in found.values()
    )
    if not whole:
        raise DataError(f"{path} is damaged. Convert the set again.")
    promised: dict[str, list[int | str]] = found
    return promised


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files whose content answers come from."""
    yield from sorted(folder.rglob("*.parquet"))
    yield folder / "manifest.json"


def _footer(path: Path) -> str:
    return f"{footer_checksum(path):08x}" if path.suffix == ".parquet" else _checksum(path)


def _checksum(path: Path) -> str:
    found = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found = zlib.crc32(chunk, found)
    return f"{found:08x}"
