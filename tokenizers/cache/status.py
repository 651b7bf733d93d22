"""What a token cache holds, how large it may grow, and how often it was of use."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import atomic_file

FOLDER = "tokens"
DEFAULT_MAX_MB = 2048.0
MAX_MB_VARIABLE = "TUOM_TOKEN_CACHE_MB"
_USES = "uses"  # one line "hits misses" a call
_USES_BYTES = 65536  # a longer file is summed up into one line


@dataclass(frozen=True, kw_only=True)
class CacheStatus:
    """What a cache holds and how often it was of use, over all runs of the workspace.

    Parameters
    ----------
    entries : int, sessions kept, each tokenizer, cut and channel set on its own
    size_mb, max_mb : float
    hits, misses : int, sessions answered from disk and sessions encoded
    """

    entries: int
    size_mb: float
    max_mb: float
    hits: int
    misses: int

    @property
    def hit_ratio(self) -> float | None:
        """Share of sessions answered from disk; None before the first."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


def cache_status(root: Path, *, max_mb: float | None = None) -> CacheStatus:
    """Return the status of the cache in the workspace folder `root`, which need not exist.

    Raises
    ------
    DataError : $TUOM_TOKEN_CACHE_MB is no number above 0, and no `max_mb` is given
    """
    sizes = []
    for path in (root / FOLDER).glob("*/*.safetensors"):
        with suppress(FileNotFoundError):  # another process may have evicted it
            sizes.append(path.stat().st_size)
    hits, misses = _uses(root / FOLDER / _USES)
    return CacheStatus(
        entries=len(sizes),
        size_mb=sum(sizes) / 2**20,
        max_mb=bound_mb() if max_mb is None else max_mb,
        hits=hits,
        misses=misses,
    )


def count_use(folder: Path, hits: int, misses: int) -> None:
    """Note sessions asked for, in a file that several processes share."""
    path = folder / _USES
    with path.open("ab") as file:  # one short write at the end of a file is whole or absent
        file.write(f"{hits} {misses}\n".encode())
    if path.stat().st_size > _USES_BYTES:
        total = _uses(path)  # what another process notes just now is lost: a count, no more
        with atomic_file(path) as partial:
            partial.write_text(f"{total[0]} {total[1]}\n")


def bound_mb() -> float:
    """Return the size bound that the environment names, else the default.

    Raises
    ------
    DataError : it is no number above 0
    """
    given = os.environ.get(MAX_MB_VARIABLE, "")
    try:
        bound = float(given or DEFAULT_MAX_MB)
    except ValueError:
        bound = 0.0
    if not 0 < bound < float("inf"):
        raise DataError(
            f"{MAX_MB_VARIABLE} must be a number of megabytes above 0, got {given[:40]!r}. "
            "Correct or unset it."
        )
    return bound


def _uses(path: Path) -> tuple[int, int]:
    """Sum the noted hits and misses; a damaged line counts for nothing."""
    hits = misses = 0
    with suppress(FileNotFoundError):
        for line in path.read_bytes().splitlines():
            numbers = line.split()
            if len(numbers) == 2 and all(n.isdigit() for n in numbers):
                hits += int(numbers[0])
                misses += int(numbers[1])
    return hits, misses
