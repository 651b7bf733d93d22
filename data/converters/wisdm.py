"""WISDM v1.1: one phone accelerometer, six activities, 36 people; a raw file with known damage.

Written from the set's readme and about-file as published; the original file was not at hand.
Tests make a file of that form with each kind of damage.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tool_use_om.data.converters.shared.recordings import (
    SUBJECT_SPLIT_RULE,
    find_files,
    label_runs,
    naming,
    split_recordings,
)
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

RATE_HZ = 20.0
TICK_S = 1e-9  # the phone's uptime in nanoseconds
MAX_GAP_S = 10.0  # a longer one starts a new session
MIN_RECORDS = 20  # one second; shorter pieces are left out
MAX_DAMAGED_FRAC = 0.01
ACTIVITIES = ("Walking", "Jogging", "Upstairs", "Downstairs", "Sitting", "Standing")
NAMES: dict[int, str | None] = {i: name.lower() for i, name in enumerate(ACTIVITIES)}
MODALITY = Modality(
    name="accelerometer",
    rate_hz=RATE_HZ,
    channels=tuple(Channel(name=a, unit="m/s^2") for a in "xyz"),
)
_FILE = re.compile(r"WISDM_ar_v1\.1_raw\.txt")


class Record(NamedTuple):
    """One record: user, index in `ACTIVITIES`, time in ticks, acceleration in m/s^2."""

    user: str
    activity: int
    tick: int
    xyz: tuple[float, float, float]


@dataclass
class Tally:
    """What one reading of the file met; `kept` is user → activity → records in sessions."""

    records: int = 0
    damaged: int = 0
    without_time: int = 0
    repeated: int = 0
    short: int = 0
    sessions: int = 0
    kept: dict[str, Counter[str]] = field(default_factory=dict)


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert WISDM_ar_v1.1 (folder, zip or tar.gz): 36 users, 3 channels, 20 Hz, 6 activities.

    Records end with ";", several may share a line. Left out and counted in the notes: records
    that are not user, activity, time and three numbers (up to 1 % of the file), records at time
    0, records at the time of the one before. A new session starts where the user changes, time
    runs back, or 10 s are missing; pieces under 20 records are left out.

    Raises
    ------
    DataError : no raw file, or more than 1 % of it is damaged: then it is another file

    Source: Kwapisz, Weiss, Moore (2010), WISDM Lab, Fordham University; readme.txt and
    WISDM_ar_v1.1_raw_about.txt (10 = 1 g = 9.81 m/s^2, time = uptime in nanoseconds).
    """
    with opened_source(source) as folder:
        hint = "Give the folder WISDM_ar_v1.1 or WISDM_ar_latest.tar.gz."
        ((path, _), *_) = find_files(folder, _FILE, like="WISDM_ar_v1.1_raw.txt", hint=hint)
        tally = Tally()
        for segment in _segments(path, tally):
            names = Counter(ACTIVITIES[r.activity] for r in segment)
            tally.kept.setdefault(segment[0].user, Counter()).update(names)
            tally.sessions += 1
        _check_form(path, tally)
        splits = split_recordings(tally.kept)
        writer = DataSetWriter(
            target,
            name=target.name,
            title="WISDM v1.1: activities with a phone in the trouser pocket",
            synthetic=False,
            licence="not stated; the readme asks to be kept with the data and to cite the paper",
            source="WISDM Lab, Activity Prediction v1.1 (2012), raw time series",
            modalities=(MODALITY,),
            split_rule=SUBJECT_SPLIT_RULE,
            notes=(
                "Time is the phone's own uptime in nanoseconds; a session starts at 0 s.",
                f"Of {tally.records} records left out: {tally.damaged} damaged, "
                f"{tally.without_time} without a time, {tally.repeated} at a repeated time, "
                f"{tally.short} in pieces under {MIN_RECORDS} records.",
            ),
            replace=replace,
        )
        with writer:
            segments = _segments(path, Tally())
            numbers: Counter[str] = Counter()
            facts = {"phase": "convert wisdm", "unit": "sessions"}
            for segment in track(segments, progress, total=tally.sessions, **facts):
                user = segment[0].user
                session = f"wisdm-u{int(user):02d}-{numbers[user]:03d}"
                numbers[user] += 1
                with naming(path):
                    _add(writer, session, segment, splits[user])


def _check_form(path: Path, tally: Tally) -> None:
    if tally.damaged > MAX_DAMAGED_FRAC * tally.records or not tally.kept:
        raise DataError(
            f"{path}: {tally.damaged} of {tally.records} records are not 'user,activity,time,x,y,z'"
            f" and {tally.sessions} sessions remain. Is it the raw file of WISDM v1.1?"
        )


def _segments(path: Path, tally: Tally) -> Iterator[list[Record]]:
    """Yield what was recorded without a break, in the file's order, one piece in memory."""
    segment: list[Record] = []
    for record in _records(path, tally):
        if segment and _breaks(segment[-1], record):
            yield from _long_enough(segment, tally)
            segment = []
        if segment and record.tick == segment[-1].tick:
            tally.repeated += 1
        else:
            segment.append(record)
    yield from _long_enough(segment, tally)


def _breaks(before: Record, after: Record) -> bool:
    step = after.tick - before.tick
    return before.user != after.user or step < 0 or step * TICK_S > MAX_GAP_S


def _long_enough(segment: list[Record], tally: Tally) -> Iterator[list[Record]]:
    if len(segment) >= MIN_RECORDS:
        yield segment
    else:
        tally.short += len(segment)


def _records(path: Path, tally: Tally) -> Iterator[Record]:
    with path.open(encoding="ascii", errors="replace") as file:
        texts = (text.strip().strip(",") for line in file for text in line.split(";"))
        for text in filter(None, texts):
            tally.records += 1
            record = _parse(text)
            if record is None:
                tally.damaged += 1
            elif record.tick == 0:
                tally.without_time += 1
            else:
                yield record


def _parse(text: str) -> Record | None:
    try:
        user, activity, tick, x, y, z = text.split(",")
        xyz = (float(x), float(y), float(z))
        record = Record(str(int(user)), ACTIVITIES.index(activity.strip()), int(tick), xyz)
    except ValueError:
        return None
    return record if all(map(math.isfinite, xyz)) else None


def _add(writer: DataSetWriter, session: str, segment: list[Record], split: Split) -> None:
    time_s = np.array([r.tick - segment[0].tick for r in segment]) * TICK_S
    end = float(time_s[-1]) + 1 / RATE_HZ
    codes = np.array([r.activity for r in segment])
    writer.add_session(
        session,
        subject_id=segment[0].user,
        split=split,
        signals={"accelerometer": (time_s, np.array([r.xyz for r in segment]))},
        labels=label_runs(codes, time_s, end, NAMES),
        duration_s=end,
    )
