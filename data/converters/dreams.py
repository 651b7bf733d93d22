"""DREAMS sleep spindles: half-hour EEG excerpts with sleep stages and spindles.

Original excerpts 1 to 3 (of 8) were at hand. excerpt<n>.edf holds the other signals of an excerpt:
the converter "edf" reads it.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.layout import Layout, Source
from tool_use_om.data.converters.shared.recordings import (
    find_files,
    label_runs,
    naming,
    read_numbers,
)
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.splits import split_in_order
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

EXCERPT_S = 1800.0  # every excerpt lasts 30 minutes; the rate follows from its number of lines
RATES_HZ = (50.0, 100.0, 200.0)
EPOCH_S = 5.0
STAGES: dict[int, str | None] = {
    5: "wake",
    4: "rem",
    3: "stage 1",
    2: "stage 2",
    1: "stage 3",
    0: "stage 4",
    -1: "movement",
    -2: None,
    -3: None,
}
SPINDLES = {
    "Visual_scoring1": "spindle_scorer1",
    "Visual_scoring2": "spindle_scorer2",
    "Automatic_detection": "spindle_automatic",
}
_FILE = re.compile(r"excerpt(?P<number>\d+)\.txt")


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert DatabaseSpindles (folder or zip): a session an excerpt, one EEG channel in uV.

    Label sets: "stage" (runs of the 5 s epochs) and one of spindles for each scorer; scorer 2
    always writes 1 s. Excerpts are at 50, 100 or 200 Hz: lines / 1800 s.

    Raises
    ------
    DataError : no excerpt, a number of lines that gives no known rate, a damaged file

    Source: Devuyst et al. (2011). Stage codes count down from 5, wake, to 0, stage 4.
    """
    with opened_source(source) as folder:
        hint = "Give the folder DatabaseSpindles or its zip."
        found = find_files(folder, _FILE, like="excerpt1.txt", hint=hint)
        paths = [p for p, _ in sorted(found, key=lambda f: int(f[1]["number"]))]
        layout = Layout([[_source(path)] for path in paths])
        splits = split_in_order([p.stem for p in paths])
        writer = DataSetWriter(
            target,
            name=target.name,
            title="DREAMS: EEG excerpts with sleep stages and spindles",
            synthetic=False,
            licence="as the set's own licence file says: verbatim copies, no commercial use, no "
            "adaptations; keep that file with the data",
            source="DREAMS sleep spindles database, University of Mons",
            modalities=layout.modalities,
            split_rule="by excerpt, each of another patient, in the order of their numbers",
            notes=("Rates are not in the files: lines / 1800 s.", *layout.notes),
            replace=replace,
        )
        with writer:
            for path in track(
                paths, progress, phase="convert dreams", unit="excerpts", total=len(paths)
            ):
                signal = _source(path)
                values = _numbers(path, 1)[:, 0]
                time_s = np.arange(len(values)) / signal.rate_hz
                writer.add_session(
                    path.stem,
                    subject_id=path.stem,
                    split=splits[path.stem],
                    signals=layout.place([(signal, time_s, values)]),
                    labels=[*_stages(path), *_spindles(path)],
                    duration_s=EXCERPT_S,
                )


def _lines(path: Path) -> tuple[str, int]:
    """Return the header's text without brackets and the number of lines after it."""
    with path.open(encoding="latin-1") as file:
        head = file.readline().strip()
        if not (head.startswith("[") and head.endswith("]")):
            raise DataError(
                f"{path}: the first line must be a name in brackets, got {head[:40]!r}."
            )
        return head[1:-1], sum(1 for line in file if line.strip())


def _source(path: Path) -> Source:
    label, n = _lines(path)
    rate = n / EXCERPT_S
    if rate not in RATES_HZ:
        raise DataError(
            f"{path}: {n} values in 1800 s are {rate:g} Hz; expected 50, 100 or 200. "
            "Is the file complete?"
        )
    return Source(label=label, unit="uV", rate_hz=rate)


def _numbers(path: Path, n_columns: int) -> np.ndarray:
    """Return the numbers after the header line (n, n_columns); none give (0, n_columns)."""
    label, n = _lines(path)
    if not n:
        return np.empty((0, n_columns))
    return read_numbers(path, n_columns, header=[f"[{label}]"])


def _beside(path: Path, prefix: str) -> Path:
    other = path.with_name(f"{prefix}_{path.name}")
    if not other.is_file():
        raise DataError(f"{other} is missing. Is the download complete?")
    return other


def _stages(path: Path) -> list[Interval]:
    scored = _beside(path, "Hypnogram")
    codes = _numbers(scored, 1)[:, 0]
    if len(codes) != EXCERPT_S / EPOCH_S:
        raise DataError(f"{scored}: expected 360 stages of 5 s, got {len(codes)}.")
    with naming(scored):
        return label_runs(codes, np.arange(360) * EPOCH_S, EXCERPT_S, STAGES, "stage")


def _spindles(path: Path) -> list[Interval]:
    labels: list[Interval] = []
    for prefix, label_set in SPINDLES.items():
        scored = path.with_name(f"{prefix}_{path.name}")
        if not scored.is_file():  # excerpts 7 and 8 were scored by one person only
            continue
        labels += [
            (float(start), min(float(start + length), EXCERPT_S), "spindle", label_set)
            for start, length in _numbers(scored, 2)
        ]
    return labels
