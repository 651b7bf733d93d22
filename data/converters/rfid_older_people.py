"""Healthy older people with a batteryless sensor tag: irregular readings, four activities.

Checked against 50 original recordings of room S1 and the set's README.txt.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tool_use_om.data.converters.shared.recordings import (
    find_files,
    label_runs,
    naming,
    read_numbers,
    split_recordings,
)
from tool_use_om.data.format.schema import UNKNOWN_SUBJECT, Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

RATE_HZ = 2.0  # in half of room S1's recordings the median spacing is 0.5 s or less
N_COLUMNS = 9
ACTIVITIES: dict[int, str | None] = {
    1: "sit on bed",
    2: "sit on chair",
    3: "lying",
    4: "ambulating",
}
MODALITIES = (
    Modality(
        name="accelerometer",
        rate_hz=RATE_HZ,
        channels=tuple(Channel(name=n, unit="g") for n in ("frontal", "vertical", "lateral")),
    ),
    Modality(
        name="radio",
        rate_hz=RATE_HZ,
        channels=(
            Channel(name="antenna", unit="1"),
            Channel(name="rssi", unit="dBm"),
            Channel(name="phase", unit="rad"),
            Channel(name="frequency", unit="MHz"),
        ),
    ),
)
_FILE = re.compile(r"d(?P<room>[12])p(?P<number>\d\d)(?P<gender>[MF])")


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert Datasets_Healthy_Older_People (folder or zip): 7 channels, 4 activities.

    A file is a session. A label lasts from its first reading to the next reading of another one.

    Raises
    ------
    DataError : no recording, a row without 9 numbers, an unknown activity, time that goes back

    Source: Shinmoto Torres, Ranasinghe, Shi, Sample (2013), UCI 427; README.txt of the set.
    """
    with opened_source(source) as folder:
        hint = "Give the folder Datasets_Healthy_Older_People or the zip that holds it."
        files = find_files(folder, _FILE, like="d1p01M", hint=hint)
        splits = split_recordings({p.name: _activities(p) for p, _ in files})
        writer = DataSetWriter(
            target,
            name=target.name,
            title="Healthy older people with a batteryless wearable sensor",
            synthetic=False,
            licence="UCI page: CC BY 4.0. The README asks to cite the authors' paper.",
            source="UCI 427, Activity recognition with healthy older people, batteryless sensor",
            modalities=MODALITIES,
            split_rule=(
                "by recording, about 60, 20 and 20 percent: of 4000 seeded orders (seed 0) the one "
                "with the most activities in every split; people may be in several splits, "
                "because the source does not publish who is who"
            ),
            notes=(
                "A reading comes only when the tag answers: spacing is irregular, with gaps of "
                "minutes and bursts at up to 40 Hz. The rate given, 2 Hz, is that of the median "
                "spacing in a typical recording of room S1.",
                "Session ids: d, room, p, number of the trial, gender of the person.",
                "The README gives no units for RSSI, phase, frequency: dBm, rad, MHz by their "
                "ranges.",
            ),
            replace=replace,
        )
        with writer:
            for path, _ in track(
                files, progress, phase="convert rfid", unit="sessions", total=len(files)
            ):
                with naming(path):
                    _add(writer, path, splits[path.name])


def _activities(path: Path) -> Counter[str]:
    with path.open(encoding="ascii", errors="replace") as file:
        return Counter(line.strip().rpartition(",")[2] for line in file if line.strip())


def _add(writer: DataSetWriter, path: Path, split: Split) -> None:
    table = read_numbers(path, N_COLUMNS, delimiter=",")
    time_s = table[:, 0]
    end = float(time_s[-1]) + 1 / RATE_HZ
    writer.add_session(
        path.name,
        subject_id=UNKNOWN_SUBJECT,
        split=split,
        signals={"accelerometer": (time_s, table[:, 1:4]), "radio": (time_s, table[:, 4:8])},
        labels=label_runs(table[:, 8], time_s, end, ACTIVITIES),
        duration_s=end,
    )
