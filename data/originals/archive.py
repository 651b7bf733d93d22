"""Original files come as a folder or as the zip or tar they were downloaded in."""

from __future__ import annotations

import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tool_use_om.data.errors import DataError

MAX_UNPACKED_BYTES = 20 * 2**30


@contextmanager
def opened_source(source: Path) -> Iterator[Path]:
    """Yield `source` as a folder; a zip or tar is unpacked into a temporary one.

    Zips inside the archive are unpacked where they lie: archive sites wrap a set's own zip.

    Raises
    ------
    DataError : nothing there, not a folder, zip or tar, damaged, or more than 20 GiB unpacked
    """
    if source.is_dir():
        yield source
        return
    if not source.exists():
        raise DataError(
            f"There is nothing at {source}. Give the folder or zip of the original files."
        )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _unpack(source, root, MAX_UNPACKED_BYTES)
        for inner in sorted(root.rglob("*.zip")):
            used = sum(p.stat().st_size for p in root.rglob("*") if p.is_file())
            _unpack(inner, inner.parent, MAX_UNPACKED_BYTES - used)
            inner.unlink()
        yield root


def _unpack(source: Path, folder: Path, budget: int) -> None:
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as zipped:
                _check_size(source, sum(e.file_size for e in zipped.infolist()), budget)
                zipped.extractall(folder)  # noqa: S202 - zipfile strips ".." and roots
        elif tarfile.is_tarfile(source):
            with tarfile.open(source) as tar:
                _check_size(source, sum(m.size for m in tar.getmembers()), budget)
                tar.extractall(folder, filter="data")
        else:
            raise DataError(f"{source} is neither a folder nor a zip or tar file.")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise DataError(f"{source} is damaged: {error}. Download it again.") from error


def _check_size(source: Path, size: int, budget: int) -> None:
    if size > budget:
        raise DataError(f"{source} would unpack to {size / 2**30:.0f} GiB. Unpack it yourself.")
