"""M4 competition: 100 000 series of six frequencies, each with the values to be forecast.

The original hourly files were at hand; the others are published in the same form.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.csv_columns import files_like
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import SPLITS, Channel, Modality, Split
from tool_use_om.data.format.splits import default_sizes
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

DAY_S = 86_400.0
YEAR_S = 365.2425 * DAY_S
STEP_S = {
    "Hourly": 3600.0,
    "Daily": DAY_S,
    "Weekly": 7 * DAY_S,
    "Monthly": YEAR_S / 12,
    "Quarterly": YEAR_S / 4,
    "Yearly": YEAR_S,
}


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series: its id, the published history (n,) and the values to be forecast (h,)."""

    name: str
    history: np.ndarray
    horizon: np.ndarray


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert M4's Dataset folder (or zip): <Frequency>-train.csv with <Frequency>-test.csv.

    One session a series: history, then horizon; the label set "part" says which is which.

    Raises
    ------
    DataError : no file pair, ids that differ, a value that is no number, a gap inside a series

    Source: Makridakis, Spiliotis, Assimakopoulos (2020). Not covered: start dates (M4-info.csv
    gives years of two digits). Months, quarters and years last their mean length.
    """
    with opened_source(source) as folder:
        pairs = _pairs(folder)
        ids = {frequency: [row[0] for row in _rows(pair[0])] for frequency, pair in pairs.items()}
        splits = _splits([name for names in ids.values() for name in names])
        writer = DataSetWriter(
            target,
            name=target.name,
            title="M4 competition: series with the horizon to be forecast",
            synthetic=False,
            licence="not stated by the source (github.com/Mcompetitions/M4-methods)",
            source="M4 competition, github.com/Mcompetitions/M4-methods, Dataset",
            modalities=[
                Modality(
                    name=f.lower(),
                    rate_hz=1 / STEP_S[f],
                    channels=(Channel(name="value", unit="a.u."),),
                )
                for f in pairs
            ],
            split_rule=(
                "by series, 60/20/20 in a seeded order (seed 0), for models trained across series; "
                "the competition's own split is inside each session: part = history or horizon"
            ),
            notes=(
                "The files hold no dates: seconds count from the first value of a series.",
                "The source states no units: a.u.",
            ),
            replace=replace,
        )
        with writer:
            for frequency, (train, test) in pairs.items():
                rows = track(
                    _series(train, test),
                    progress,
                    phase=f"convert m4 {frequency}",
                    unit="series",
                    total=len(ids[frequency]),
                )
                for series in rows:
                    _add(writer, frequency, series, splits[series.name])


def _pairs(folder: Path) -> dict[str, tuple[Path, Path]]:
    trains = files_like(
        folder, "*-train.csv", hint="Give M4's folder Dataset with Train and Test in it."
    )
    pairs: dict[str, tuple[Path, Path]] = {}
    for train in sorted(trains, key=lambda p: p.name):
        frequency = train.name.removesuffix("-train.csv")
        if frequency not in STEP_S:
            raise DataError(f"{train}: a frequency must be one of {', '.join(STEP_S)}.")
        (test, *_) = files_like(
            folder, f"{frequency}-test.csv", hint=f"It belongs to {train.name}."
        )
        pairs[frequency] = train, test
    return pairs


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, None)
        if not header or header[0].strip('"') != "V1":
            raise DataError(f"{path}: the header must begin with V1, V2, …")
        for row in rows:
            if row:
                yield row


def _series(train: Path, test: Path) -> Iterator[Series]:
    for number, (history, horizon) in enumerate(zip_longest(_rows(train), _rows(test)), start=1):
        names = [row[0] if row else "nothing" for row in (history, horizon)]
        if names[0] != names[1]:
            raise DataError(f"{test}, series {number}: expected {names[0]}, got {names[1]}.")
        yield Series(
            name=names[0], history=_numbers(train, history), horizon=_numbers(test, horizon)
        )


def _numbers(path: Path, row: list[str]) -> np.ndarray:
    cells = row[1:]
    while cells and cells[-1].strip() in {"", "NA"}:
        cells.pop()
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{path}, series {row[0]}: {error}.") from error
    if not values.size:
        raise DataError(f"{path}, series {row[0]} has no values.")
    return values


def _splits(ids: list[str]) -> dict[str, Split]:
    if len(ids) < 3:
        return dict.fromkeys(ids, "train")
    order = np.random.default_rng(0).permutation(len(ids))
    cuts = np.cumsum(default_sizes(len(ids)))[:-1]
    parts = np.split(order, cuts)
    return {ids[i]: split for split, part in zip(SPLITS, parts, strict=True) for i in part}


def _add(writer: DataSetWriter, frequency: str, series: Series, split: Split) -> None:
    step = STEP_S[frequency]
    values = np.concatenate([series.history, series.horizon])
    edge, end = len(series.history) * step, len(values) * step
    writer.add_session(
        series.name,
        subject_id=series.name,
        split=split,
        signals={frequency.lower(): (np.arange(len(values)) * step, values)},
        labels=[(0.0, edge, "history", "part"), (edge, end, "horizon", "part")],
        duration_s=end,
    )
