"""MHEALTH: chest, ankle and arm sensors with a two-lead ECG, 12 activities.

Written from the set's README as published; the original files were not at hand. Tests make files
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

RATE_HZ = 50.0
N_COLUMNS = 24
ACTIVITIES: dict[int, str | None] = {
    0: None,
    1: "standing still",
    2: "sitting and relaxing",
    3: "lying down",
    4: "walking",
    5: "climbing stairs",
    6: "waist bends forward",
    7: "frontal elevation of arms",
    8: "knees bending",
    9: "cycling",
    10: "jogging",
    11: "running",
    12: "jump front and back",
}
# modality, first column counted from 0, channels, unit ("local" magnetic field: not stated)
SENSORS = (
    ("chest_accelerometer", 0, ("x", "y", "z"), "m/s^2"),
    ("ecg", 3, ("lead1", "lead2"), "mV"),
    ("ankle_accelerometer", 5, ("x", "y", "z"), "m/s^2"),
    ("ankle_gyroscope", 8, ("x", "y", "z"), "deg/s"),
    ("ankle_magnetometer", 11, ("x", "y", "z"), "a.u."),
    ("arm_accelerometer", 14, ("x", "y", "z"), "m/s^2"),
    ("arm_gyroscope", 17, ("x", "y", "z"), "deg/s"),
    ("arm_magnetometer", 20, ("x", "y", "z"), "a.u."),
)
MODALITIES = tuple(
    Modality(name=m, rate_hz=RATE_HZ, channels=tuple(Channel(name=c, unit=unit) for c in names))
    for m, _, names, unit in SENSORS
)
_FILE = re.compile(r"mHealth_subject(?P<subject>\d+)\.log")


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert MHEALTHDATASET (folder or zip): 10 subjects, 23 channels, 50 Hz, 12 activities.

    A file is a session. Label 0 (null class) is left without a label.

    Raises
    ------
    DataError : no recording, a row without 24 numbers, an unknown activity

    Source: Banos, Garcia, Holgado-Terriza et al. (2014), UCI 319; README.txt of the set.
    """
    logs = Logs(
        pattern=_FILE,
        like="mHealth_subject1.log",
        hint="Give the folder MHEALTHDATASET or the zip that holds it.",
        code_of=_code,
        add=_add,
        facts={
            "title": "MHEALTH: body motion and ECG, chest, ankle, arm",
            "licence": "UCI page: CC BY 4.0",
            "source": "UCI 319, MHEALTH Dataset",
            "modalities": MODALITIES,
            "notes": (
                "The README gives the magnetic field's unit as 'local': stored as a.u.",
                "Unlabelled stretches are the null class (label 0).",
            ),
        },
    )
    convert_logs(source, target, logs, progress=progress, replace=replace)


def _code(line: str) -> str | None:
    return line.rsplit(None, 1)[-1] if line.strip() else None


def _add(writer: DataSetWriter, path: Path, subject: str, split: Split) -> None:
    table = read_numbers(path, N_COLUMNS)
    time_s = np.arange(len(table)) / RATE_HZ
    duration = len(table) / RATE_HZ
    writer.add_session(
        f"mhealth-{int(subject):02d}",
        subject_id=subject,
        split=split,
        signals={
            name: (time_s, table[:, first : first + len(channels)])
            for name, first, channels, _ in SENSORS
        },
        labels=label_runs(table[:, 23], time_s, duration, ACTIVITIES),
        duration_s=duration,
    )
