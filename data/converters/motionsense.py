"""MotionSense: a phone in the trouser pocket, six activities, 24 people.

Written from the set's README as published; the original files were not at hand. Tests make files
of that form.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.recordings import (
    SUBJECT_SPLIT_RULE,
    find_files,
    read_numbers,
    split_recordings,
)
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

RATE_HZ = 50.0
ACTIVITIES = {
    "dws": "downstairs",
    "ups": "upstairs",
    "sit": "sitting",
    "std": "standing",
    "wlk": "walking",
    "jog": "jogging",
}
# modality, the source's name, channels, unit
SENSORS = (
    ("attitude", "attitude", ("roll", "pitch", "yaw"), "rad"),
    ("gravity", "gravity", ("x", "y", "z"), "g"),
    ("gyroscope", "rotationRate", ("x", "y", "z"), "rad/s"),
    ("user_acceleration", "userAcceleration", ("x", "y", "z"), "g"),
)
HEADER = ("", *(f"{original}.{c}" for _, original, names, _ in SENSORS for c in names))
MODALITIES = tuple(
    Modality(name=m, rate_hz=RATE_HZ, channels=tuple(Channel(name=c, unit=unit) for c in names))
    for m, _, names, unit in SENSORS
)
_FILE = re.compile(r"sub_(?P<subject>\d+)\.csv")
_FOLDER = re.compile(r"(?P<code>[a-z]{3})_(?P<trial>\d+)")


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert A_DeviceMotion_data (folder or zip): 24 subjects, 12 channels, 50 Hz, 6 activities.

    A file <activity>_<trial>/sub_<subject>.csv is a session with one label. B_Accelerometer_data
    and C_Gyroscope_data hold the same trials' raw sensors and are not read.

    Raises
    ------
    DataError : no recording, another header, a row without 13 numbers

    Source: Malekzadeh, Clegg, Cavallaro, Haddadi (2019); README.md of the set; units as in
    Apple's CMDeviceMotion, which recorded it.
    """
    with opened_source(source) as folder:
        files = _recordings(folder)
        counts: dict[str, Counter[str]] = {}
        for _, code, _, subject in files:
            counts.setdefault(subject, Counter())[code] += 1
        splits = split_recordings(counts)
        writer = DataSetWriter(
            target,
            name=target.name,
            title="MotionSense: activities with a phone in the trouser pocket",
            synthetic=False,
            licence="MIT (the LICENSE file of the repository that publishes it)",
            source="MotionSense, A_DeviceMotion_data, github.com/mmalekzadeh/motion-sense",
            modalities=MODALITIES,
            split_rule=SUBJECT_SPLIT_RULE,
            notes=(
                "user_acceleration is without gravity: their sum is what an accelerometer reads.",
                "Trials 1 to 9 take 2 to 3 minutes, 11 to 16 half a minute to one.",
            ),
            replace=replace,
        )
        with writer:
            for path, code, trial, subject in track(
                files, progress, phase="convert motionsense", unit="sessions", total=len(files)
            ):
                table = read_numbers(path, len(HEADER), delimiter=",", header=HEADER)[:, 1:]
                time_s, duration = np.arange(len(table)) / RATE_HZ, len(table) / RATE_HZ
                writer.add_session(
                    f"motionsense-{code}-{trial:02d}-s{int(subject):02d}",
                    subject_id=subject,
                    split=splits[subject],
                    signals={
                        name: (time_s, table[:, 3 * i : 3 * i + 3])
                        for i, (name, *_) in enumerate(SENSORS)
                    },
                    labels=[(0.0, duration, ACTIVITIES[code], "activity")],
                    duration_s=duration,
                )


def _recordings(folder: Path) -> list[tuple[Path, str, int, str]]:
    """Return (file, activity code, trial, subject) for each recording of the DeviceMotion part."""
    hint = "Give the folder A_DeviceMotion_data or its zip."
    found: list[tuple[Path, str, int, str]] = []
    for path, match in find_files(folder, _FILE, like="sub_1.csv", hint=hint):
        if path.parent.parent.name.startswith(("B_", "C_")):
            continue
        place = _FOLDER.fullmatch(path.parent.name)
        if place is None or place["code"] not in ACTIVITIES:
            raise DataError(
                f"{path}: its folder must be named activity_trial, one of "
                f"{', '.join(ACTIVITIES)}, such as wlk_7."
            )
        found.append((path, place["code"], int(place["trial"]), match["subject"]))
    if not found:
        raise DataError(f"{folder} holds no DeviceMotion recording. {hint}")
    return found
