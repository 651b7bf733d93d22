"""ETT: electricity transformer temperature, hourly or every 15 minutes (ETDataset).

The original ETTh1.csv was at hand; ETTh2, ETTm1 and ETTm2 are published in the same form.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.csv_columns import (
    files_like,
    moment,
    read_columns,
    unix_seconds,
)
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import SPLITS, Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

COLUMNS = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
STEP_S = {"h": 3600.0, "m": 900.0}
MODALITY_NAME = {"h": "transformer", "m": "transformer_15min"}
MONTHS = {"train": 12, "calibration": 4, "test": 4}
MONTH_S = 30 * 86_400.0
_FILE = re.compile(r"ETT(?P<step>[hm])(?P<station>\d)\.csv")


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert ETT-small (folder or zip): 7 channels a station, one session a split.

    Raises
    ------
    DataError : no ETTh*.csv or ETTm*.csv, a missing column, an empty cell, a step of another
        length, or less than the 20 months of 30 days that are used

    Source: Zhou et al. (2021), Informer: blocks of 12, 4 and 4 months of 30 days in order of time.
    """
    with opened_source(source) as folder:
        paths = files_like(
            folder, "ETT[hm][0-9].csv", hint="Give the folder or zip with ETTh1.csv."
        )
        steps = [s for s in STEP_S if any(p.name[3] == s for p in paths)]
        writer = DataSetWriter(
            target,
            name=target.name,
            title="ETT: electricity transformer temperature and load",
            synthetic=False,
            licence="CC BY-ND 4.0",
            source="github.com/zhouhaoyi/ETDataset, ETT-small",
            modalities=[_modality(step) for step in steps],
            split_rule=(
                "by time, as in the literature: the first 12 months of 30 days train, the next 4 "
                "calibrate (the papers' validation), the next 4 test; stations share the dates"
            ),
            notes=(
                "OT is the oil temperature, the usual target; the others are loads (high, middle, "
                "low; useful, useless). The source states no unit: a.u.",
                "The rows after the 20 months (3020 of ETTh1's 17420) are left out, as in papers.",
                "start_utc is the file's own time; the source does not say in which time zone.",
            ),
            subject_disjoint=False,
            replace=replace,
        )
        with writer:
            for path in track(paths, progress, phase="convert ett", unit="files", total=len(paths)):
                _add(writer, path)


def _modality(step: str) -> Modality:
    return Modality(
        name=MODALITY_NAME[step],
        rate_hz=1 / STEP_S[step],
        channels=tuple(Channel(name=c, unit="a.u.") for c in COLUMNS),
    )


def _add(writer: DataSetWriter, path: Path) -> None:
    match = _FILE.fullmatch(path.name)
    if match is None:
        raise DataError(f"{path} must be named ETTh<station>.csv or ETTm<station>.csv.")
    frame = read_columns(path, "date", COLUMNS)
    seconds = unix_seconds(path, frame["date"])
    step = STEP_S[match["step"]]
    wrong = np.flatnonzero(np.diff(seconds) != step)
    if wrong.size:
        row = int(wrong[0]) + 2
        raise DataError(f"{path}, row {row}: rows must be {step:g} s apart. Is it complete?")
    values = frame[list(COLUMNS)].to_numpy(np.float64)
    start = 0
    for split in SPLITS:
        stop = start + round(MONTHS[split] * MONTH_S / step)
        if stop > len(frame):
            raise DataError(
                f"{path}: 20 months of 30 days are needed, got {len(frame) * step / MONTH_S:.1f}."
            )
        writer.add_session(
            f"{path.stem}-{split}",
            subject_id=f"station-{match['station']}",
            split=split,
            signals={
                MODALITY_NAME[match["step"]]: (
                    seconds[start:stop] - seconds[start],
                    values[start:stop],
                )
            },
            start_utc=moment(seconds[start]),
        )
        start = stop
