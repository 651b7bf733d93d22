"""A data set's identity: a hash over what it says, not over the bytes of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


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
