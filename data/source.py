"""Original files come as a folder or as the zip they were downloaded in."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tool_use_om.data.errors import DataError

MAX_UNPACKED_BYTES = 20 * 2**30


@contextmanager
def opened_source(source: Path) -> Iterator[Path]:
    """Yield `source` as a folder; a zip is unpacked into a temporary one.

    Raises
    ------
    DataError : nothing there, not a folder or zip, or a zip that unpacks to more than 20 GiB
    """
    if source.is_dir():
        yield source
        return
    if not source.exists():
        raise DataError(
            f"There is nothing at {source}. Give the folder or zip of the original files."
        )
    if not zipfile.is_zipfile(source):
        raise DataError(f"{source} is neither a folder nor a zip file.")
    with zipfile.ZipFile(source) as archive, tempfile.TemporaryDirectory() as folder:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_UNPACKED_BYTES:
            raise DataError(f"{source} would unpack to {size / 2**30:.0f} GiB. Unpack it yourself.")
        archive.extractall(folder)
        yield Path(folder)
