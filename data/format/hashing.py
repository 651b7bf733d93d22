"""A data set's identity: a hash over what it says, not over the bytes of its files."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.parquet import footer_checksum


def hash_session(
    facts: Mapping[str, Any], signals: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> str:
    """Return the hash of one session: its facts (JSON) and, by modality, its time and values.

    All NaN count as one value, and so do 0.0 and -0.0.
    """
    digest = hashlib.sha256(_canonical(facts))
    for name in sorted(signals):
        time_s, values = signals[name]
        digest.update(_canonical({"modality": name, "shape": list(values.shape)}))
        digest.update(np.ascontiguousarray(time_s, dtype="<f8").tobytes())
        digest.update(_one_nan(values).tobytes())
    return digest.hexdigest()


def hash_dataset(facts: Mapping[str, Any], session_hashes: Mapping[str, str]) -> str:
    """Return the content hash from the set's facts and its sessions', in any order."""
    return combine(
        [_canonical(facts).decode(), *(f"{k}={session_hashes[k]}" for k in sorted(session_hashes))]
    )


def fingerprint(folder: Path) -> dict[str, str]:
    """Return file → its size and checksum, of the data set that lies in a folder.

    Of a Parquet file the footer is read, which holds the sizes, places and ranges of all columns:
    what was written anew has another one. Pages check themselves when they are read.
    """
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            checksum = footer_checksum(path)
        elif path.suffix == ".json":
            checksum = zlib.crc32(path.read_bytes())
        else:
            continue
        found[str(path.relative_to(folder))] = f"{path.stat().st_size} {checksum:08x}"
    return found


def check_unchanged(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Raise DataError naming the files of a data set that are not as they were."""
    files = sorted(f for f in {*before, *now} if before.get(f) != now.get(f))
    if files:
        shown = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        raise DataError(
            f"The data set {name!r} has changed since this run began: {shown}. Results from before "
            "and after do not belong together; ask again in a new run."
        )


def combine(parts: Iterable[str]) -> str:
    """Return the SHA-256 of parts as JSON, so that no two lists of parts can collide by joining."""
    return hashlib.sha256(_canonical(list(parts))).hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _one_nan(values: np.ndarray) -> np.ndarray:
    kind = "<f8" if values.dtype == np.float64 else "<f4"
    plain: np.ndarray = np.ascontiguousarray(values, dtype=kind) + np.zeros((), kind)
    plain[np.isnan(plain)] = np.nan
    return plain
