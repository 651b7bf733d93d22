"""PAMAP2: three inertial units and a heart-rate belt, 18 activities.

Written from the set's readme as published; the original files were not at hand. Tests make files
of that form.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.recordings import label_runs, read_numbers
from tool_use_om.data.converters.shared.subject_logs import Logs, convert_logs
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.progress import Progress

RATE_HZ, HEART_HZ = 100.0, 9.0
N_COLUMNS = 54
ACTIVITIES: dict[int, str | None] = {
    0: None,  # transient
    1: "lying",
    2: "sitting",
    3: "standing",
    4: "walking",
    5: "running",
    6: "cycling",
    7: "nordic walking",
    9: "watching TV",
    10: "computer work",
    11: "car driving",
    12: "ascending stairs",
    13: "descending stairs",
    16: "vacuum cleaning",
    17: "ironing",
    18: "folding laundry",
    19: "house cleaning",
    20: "playing soccer",
    24: "rope jumping",
}
# first column of each unit, counted from 0; then within a unit: sensor, first column, n, unit
UNITS = (("hand", 3), ("chest", 20), ("ankle", 37))
SENSORS = (
    ("accelerometer", 1, "xyz", "m/s^2"),
    ("accelerometer_6g", 4, "xyz", "m/s^2"),
    ("gyroscope", 7, "xyz", "rad/s"),
    ("magnetometer", 10, "xyz", "uT"),
    ("temperature", 0, ("value",), "degC"),
)
HEART = Modality(name="heart_rate", rate_hz=HEART_HZ, channels=(Channel(name="value", unit="bpm"),))
# modality → its columns
COLUMNS: dict[str, slice] = {
    f"{place}_{sensor}": slice(first + offset, first + offset + len(names))
    for place, first in UNITS
    for sensor, offset, names, _ in SENSORS
}
_MOTION = tuple(
    Modality(
        name=f"{place}_{sensor}",
        rate_hz=RATE_HZ,
        channels=tuple(Channel(name=n, unit=unit) for n in names),
    )
    for place, _ in UNITS
    for sensor, _, names, unit in SENSORS
)
MODALITIES = (*_MOTION, HEART)
_FILE = re.compile(r"subject(?P<subject>10\d)\.dat")


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert PAMAP2_Dataset (folder or zip): 9 subjects, 40 channels at 100 Hz and about 9 Hz.

    A file is a session: subject10N.dat below Protocol or Optional. Rows of NaN heart rate lie
    between its measurements (about 9 a second): only the measured ones are kept, with their own
    time. Activity 0 (transient) is left without a label.

    Raises
    ------
    DataError : no recording, a row without 54 numbers, an unknown activity, time that goes back

    Source: Reiss and Stricker (2012), UCI 231; readme.pdf of the set. Not taken: orientation,
    which the readme calls invalid.
    """
    logs = Logs(
        pattern=_FILE,
        like="subject101.dat",
        hint="Give the folder PAMAP2_Dataset or the zip that holds it.",
        code_of=_code,
        add=_add,
        facts={
            "title": "PAMAP2: physical activity monitoring, hand, chest, ankle, heart rate",
            "licence": "UCI page: CC BY 4.0",
            "source": "UCI 231, PAMAP2 Physical Activity Monitoring",
            "modalities": MODALITIES,
            "notes": (
                "The readme recommends the 16 g accelerometer; the 6 g one saturates and is not "
                "calibrated as precisely.",
                "NaN are readings lost by radio; unlabelled stretches are transient (activity 0).",
            ),
        },
    )
    convert_logs(source, target, logs, progress=progress, replace=replace)


def _code(line: str) -> str | None:
    """Return the second column, reading no more of the line than that."""
    fields = line.split(None, 2)
    return fields[1] if len(fields) > 2 else None


def _add(writer: DataSetWriter, path: Path, subject: str, split: Split) -> None:
    table = read_numbers(path, N_COLUMNS)
    time_s = np.round(table[:, 0] - table[0, 0], 6)
    end = float(time_s[-1]) + 1 / RATE_HZ
    heart = ~np.isnan(table[:, 2])
    signals = {name: (time_s, table[:, columns]) for name, columns in COLUMNS.items()}
    if heart.any():
        signals["heart_rate"] = (time_s[heart], table[heart, 2:3])
    writer.add_session(
        f"pamap2-{subject}-{path.parent.name.lower()}",
        subject_id=subject,
        split=split,
        signals=signals,
        labels=label_runs(table[:, 1], time_s, end, ACTIVITIES),
        duration_s=end,
    )
