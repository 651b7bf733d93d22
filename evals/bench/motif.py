"""`tuom bench motif`: the motif head beside a matrix profile, on planted and real recordings.

A case is found when the head's best pair is at most 1 % farther apart than the matrix profile's.
Both take only pairs that do not overlap. Seconds are of the processor, one thread each, so that a
busy machine does not favour either. The reference is `stumpy`, where it is installed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.evals.report import markdown_table

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
KINDS = ("walk", "noise", "seasonal")
_CLOSE = 1.01
_WINDOW = 512


@dataclass(frozen=True, kw_only=True)
class Case:
    """A recording to search: a name and (n,) samples."""

    name: str
    samples: Array


def planted(kind: str, n: int, length: int, seed: int) -> Case:
    """Return a made-up recording in which one smooth shape comes twice, scaled and noisy.

    Parameters
    ----------
    kind : "walk" (random walk), "noise" (white) or "seasonal" (two periods and noise)
    """
    rng = np.random.default_rng(seed)
    time_ = np.arange(n)
    if kind == "walk":
        x = rng.normal(size=n).cumsum()
    elif kind == "noise":
        x = rng.normal(size=n)
    else:
        fast, slow = (2 * np.pi * time_ / (share * length) for share in (0.37, 1.93))
        x = np.sin(fast) + np.sin(slow + 1) + rng.normal(0, 0.7, n)
    shape = np.convolve(rng.normal(size=length + 8), np.ones(9) / 9, "valid")
    shape = (shape - shape.mean()) / shape.std()
    for low, high in ((0, n // 2 - length), (n // 2, n - length)):
        at = int(rng.integers(low, high))
        own = x[at : at + length]
        noisy = shape + rng.normal(0, 0.2, length)
        x[at : at + length] = own[0] + own.std() * rng.uniform(0.7, 1.4) * noisy
    return Case(name=f"{kind} {seed}", samples=x)


def recorded(dataset: DataSet, n: int) -> list[Case]:
    """Return each channel of the first modality, sessions laid end to end, of n samples."""
    channels = dataset.manifest.modalities[0].channels
    modality = dataset.manifest.modalities[0].name
    names = [f"{modality}.{c.name}" for c in channels]
    parts: list[Array] = []
    for session in dataset.sessions()["session_id"]:
        (signal,) = dataset.read(str(session), names)
        parts.append(signal.values)
        if sum(len(p) for p in parts) >= n:
            break
    joined = np.nan_to_num(np.concatenate(parts)[:n].astype(np.float64))
    return [Case(name=f"{dataset.name} {c}", samples=joined[:, i]) for i, c in enumerate(names)]


def measure(
    case: Case, length: int, tokenizer: str = "moment-tiny", references: Path | None = None
) -> dict[str, object]:
    """Run both on one case and return a row.

    Parameters
    ----------
    references : JSON lines of matrix profiles; what it holds is not computed again, what it lacks
        is added
    """
    reference, reference_s = _reference(case, length, references)
    found, encode_s, search_s = by_tokens(case.samples, length, tokenizer)
    return {
        "case": case.name,
        "samples": len(case.samples),
        "motif": length,
        "reference distance": round(reference, 4),
        "head's distance": round(found, 4),
        "found": found <= _CLOSE * reference + 1e-6,
        "reference, s": round(reference_s, 1),
        "encode, s": round(encode_s, 1),
        "search, s": round(search_s, 1),
        "share of time": round((encode_s + search_s) / max(reference_s, 1e-9), 3),
    }


def _reference(case: Case, length: int, kept: Path | None) -> tuple[float, float]:
    own = {"case": case.name, "samples": len(case.samples), "motif": length}
    if kept is not None and kept.exists():
        for line in kept.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if own.items() <= row.items():
                return float(row["distance"]), float(row["seconds"])
    distance, seconds = matrix_profile(case.samples, length)
    if kept is not None:
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**own, "distance": distance, "seconds": seconds}) + "\n")
    return distance, seconds


def matrix_profile(x: Array, length: int) -> tuple[float, float]:
    """Return the least distance of two stretches that do not overlap, and processor seconds.

    Raises
    ------
    DataError : stumpy is not installed
    """
    if find_spec("stumpy") is None:
        raise DataError("The reference needs stumpy: pip install stumpy.")
    import stumpy

    stumpy.config.STUMPY_EXCL_ZONE_DENOM = 1
    stumpy.stump(np.random.default_rng(0).normal(size=200), 16)  # compiled before the clock runs
    began = time.process_time()
    profile = stumpy.stump(x, length)
    spent = time.process_time() - began
    return float(profile[:, 0].astype(float).min()), spent


def by_tokens(x: Array, length: int, tokenizer: str) -> tuple[float, float, float]:
    """Return the head's least distance, and processor seconds to encode and to search."""
    from tool_use_om.heads.numeric.distance_profile import Signal
    from tool_use_om.heads.search.motif import MotifSearch
    from tool_use_om.tokenizers.registry import load_tokenizer

    encoder = load_tokenizer(tokenizer)
    patch = encoder.spec.patch_len
    stride = (_WINDOW - length) // patch * patch + patch  # a stretch begins at every patch
    began = time.process_time()
    tokens = encoder.encode(_windows(x, stride))
    encoded = time.process_time()
    head = MotifSearch(length_s=float(length)).fit(tokens)
    (best,) = head.motifs(Signal(["all"], [x[None]], rate_hz=1.0, length=length), 1)
    return best.distance, encoded - began, time.process_time() - encoded


def _windows(x: Array, stride: int) -> WindowBatch:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

    view = np.lib.stride_tricks.sliding_window_view(x, _WINDOW)
    starts = np.unique(np.append(np.arange(0, len(view), stride), len(view) - 1))
    values = view[starts][:, None].astype(np.float32)
    return WindowBatch(
        values=values,
        mask=np.ones(values.shape, dtype=bool),
        rate_hz=1.0,
        start_s=starts.astype(np.float64),
        session_ids=("all",) * len(starts),
        channels=("x",),
        units=("1",),
    )


def render(rows: Sequence[dict[str, object]], command: str) -> str:
    """Return the Markdown page."""
    n_found = sum(bool(r["found"]) for r in rows)
    cells = [{k: str(v) for k, v in row.items()} for row in rows]
    return (
        f"## Motif search beside a matrix profile\n\n`{command}`\n\n"
        f"{n_found} of {len(rows)} found. Processor seconds; {os.cpu_count()} cores.\n\n"
        f"{markdown_table(cells)}\n"
    )
