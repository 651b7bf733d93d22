"""SisFall: falls and daily activities, sensors at the waist, 200 Hz.

Checked against original files of 3 of the 38 subjects and the set's Readme.txt.
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
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

RATE_HZ = 200.0
# modality, unit, range, bits: value = bits read * 2 * range / 2 ** bits
SENSORS = (
    ("accelerometer", "g", 16.0, 13),
    ("gyroscope", "deg/s", 2000.0, 16),
    ("accelerometer_mma8451q", "g", 8.0, 14),
)
MODALITIES = tuple(
    Modality(name=name, rate_hz=RATE_HZ, channels=tuple(Channel(name=a, unit=unit) for a in "xyz"))
    for name, unit, _, _ in SENSORS
)
ACTIVITIES = {
    "D01": "walking slowly",
    "D02": "walking quickly",
    "D03": "jogging slowly",
    "D04": "jogging quickly",
    "D05": "walking upstairs and downstairs slowly",
    "D06": "walking upstairs and downstairs quickly",
    "D07": "slowly sit in a half height chair and up slowly",
    "D08": "quickly sit in a half height chair and up quickly",
    "D09": "slowly sit in a low height chair and up slowly",
    "D10": "quickly sit in a low height chair and up quickly",
    "D11": "sitting, trying to get up, collapse into a chair",
    "D12": "sitting, lying slowly, sit again",
    "D13": "sitting, lying quickly, sit again",
    "D14": "on the back, change to lateral position and back",
    "D15": "standing, slowly bending at knees, getting up",
    "D16": "standing, slowly bending without knees, getting up",
    "D17": "get into a car, remain seated, get out",
    "D18": "stumble while walking",
    "D19": "gently jump without falling",
    "F01": "fall forward while walking, slip",
    "F02": "fall backward while walking, slip",
    "F03": "lateral fall while walking, slip",
    "F04": "fall forward while walking, trip",
    "F05": "fall forward while jogging, trip",
    "F06": "vertical fall while walking, fainting",
    "F07": "fall while walking, hands on a table, fainting",
    "F08": "fall forward when trying to get up",
    "F09": "lateral fall when trying to get up",
    "F10": "fall forward when trying to sit down",
    "F11": "fall backward when trying to sit down",
    "F12": "lateral fall when trying to sit down",
    "F13": "fall forward while sitting, fainting or asleep",
    "F14": "fall backward while sitting, fainting or asleep",
    "F15": "lateral fall while sitting, fainting or asleep",
}
KINDS = {"D": "daily living", "F": "fall"}
_FILE = re.compile(r"(?P<code>[DF]\d\d)_(?P<subject>S[AE]\d\d)_R(?P<trial>\d\d)\.txt")


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert SisFall_dataset (folder or zip): 9 channels, 200 Hz, 19 activities and 15 falls.

    A file is a session; its code gives the label in set "activity" (the Readme's wording, some
    shortened) and "fall" or "daily living" in set "kind".

    Raises
    ------
    DataError : no recording, an activity code the Readme does not have, a row without 9 numbers

    Source: Sucerquia, López, Vargas-Bonilla (2017); Readme.txt, version 1.0, for codes, rate and
    conversion from bits.
    """
    with opened_source(source) as folder:
        files = find_files(
            folder,
            _FILE,
            like="D01_SA01_R01.txt",
            hint="Give the folder SisFall_dataset or the zip that holds it.",
        )
        splits = _splits(files)
        writer = DataSetWriter(
            target,
            name=target.name,
            title="SisFall: falls and activities of daily living, waist",
            synthetic=False,
            licence="not stated: the set's Readme names its authors only",
            source="SisFall version 1.0, SISTEMIC, Universidad de Antioquia, 2016",
            modalities=MODALITIES,
            split_rule=SUBJECT_SPLIT_RULE,
            notes=(
                "accelerometer is the ADXL345 (16 g), the other one a second sensor (8 g).",
                "A fall's session holds what went before it too; the set has no time of impact.",
                "Subjects SE.. are 60 to 75 years old; of them only SE06 simulated falls.",
            ),
            replace=replace,
        )
        with writer:
            for path, match in track(
                files, progress, phase="convert sisfall", unit="sessions", total=len(files)
            ):
                _add(writer, path, match, splits)


def _splits(files: list[tuple[Path, re.Match[str]]]) -> dict[str, Split]:
    counts: dict[str, Counter[str]] = {}
    for path, match in files:
        if match["code"] not in ACTIVITIES:
            raise DataError(f"{path}: {match['code']} is no activity code: D01 to D19, F01 to F15.")
        counts.setdefault(match["subject"], Counter())[match["code"]] += 1
    return split_recordings(counts)


def _add(writer: DataSetWriter, path: Path, match: re.Match[str], splits: dict[str, Split]) -> None:
    bits = read_numbers(path, 9, delimiter=",")
    duration = len(bits) / RATE_HZ
    time_s = np.arange(len(bits)) / RATE_HZ
    code = match["code"]
    writer.add_session(
        f"sisfall-{code}-{match['subject']}-R{match['trial']}",
        subject_id=match["subject"],
        split=splits[match["subject"]],
        signals={
            name: (time_s, bits[:, 3 * i : 3 * i + 3] * (2 * limit / 2**n_bits))
            for i, (name, _, limit, n_bits) in enumerate(SENSORS)
        },
        labels=[
            (0.0, duration, ACTIVITIES[code], "activity"),
            (0.0, duration, KINDS[code[0]], "kind"),
        ],
        duration_s=duration,
    )
