"""HMP: ADL recognition with a wrist-worn accelerometer (UCI 283), from its original text files."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.splits import default_sizes, split_subjects
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

RATE_HZ = 32.0
SIZES = (9, 3, 4)  # of the full set's 16 volunteers: train, calibration, test
SEED = 0
MODALITY = Modality(
    name="accelerometer",
    rate_hz=RATE_HZ,
    channels=tuple(Channel(name=a, unit="g") for a in "xyz"),
)
_FILE = re.compile(
    r"Accelerometer-(?P<start>\d{4}(?:-\d\d){5})-(?P<activity>[a-z_]+)-(?P<subject>[fm]\d+)\.txt"
)
_LICENCE = (
    "Authors' terms: use and modify for one's own research; any commercial application or "
    "redistribution has to be arranged with the authors. Do not redistribute."
)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One original file and what its name and folder say."""

    path: Path
    session_id: str
    label: str
    subject: str
    start_utc: datetime


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert HMP_Dataset (folder or zip): 839 recordings, 3 channels, 32 Hz, 14 activities.

    The `*_MODEL` folders are left out: they repeat recordings, whole or trimmed.

    Raises
    ------
    DataError : no recording found, or a file that is not three integers 0 to 63 a line

    Source: Bruno, Mastrogiovanni, Sgorbissa, Vernazza, Zaccaria (2012); MANUAL.txt of the set for
    the rate and the coding (0 to 63 stands for -1.5 g to +1.5 g).
    """
    with opened_source(source) as folder:
        recordings = find_recordings(folder)
        splits = _splits(recordings)
        writer = DataSetWriter(
            target,
            name=target.name,
            title="HMP: activities of daily living, wrist accelerometer",
            synthetic=False,
            licence=_LICENCE,
            source="UCI 283, Dataset for ADL Recognition with Wrist-worn Accelerometer",
            modalities=(MODALITY,),
            split_rule=(
                "by subject, 9 train, 3 calibration, 4 test in the full set; of 4000 seeded "
                "orders of the volunteers (seed 0) the one with the most activities in every split "
                "and in training, then with sessions shared like volunteers"
            ),
            notes=(
                "start_utc is the file name's time; the set does not say in which time zone.",
                "Some activities have fewer volunteers than splits, so not every split has them.",
            ),
            replace=replace,
        )
        with writer:
            for recording in track(
                recordings, progress, phase="convert hmp", unit="sessions", total=len(recordings)
            ):
                _add(writer, recording, splits[recording.subject])


def find_recordings(folder: Path) -> list[Recording]:
    """Return the recordings below `folder`, sorted by session id; no `*_MODEL` folder."""
    files = [
        p
        for p in folder.rglob("Accelerometer-*.txt")
        if not p.parent.name.upper().endswith("_MODEL")
    ]
    if not files:
        raise DataError(
            f"{folder} holds no 'Accelerometer-….txt' below its activity folders. "
            "Give the folder HMP_Dataset or the zip that holds it."
        )
    return sorted((_recording(p) for p in files), key=lambda r: r.session_id)


def _recording(path: Path) -> Recording:
    match = _FILE.fullmatch(path.name)
    if match is None:
        raise DataError(
            f"{path} must be named Accelerometer-YYYY-MM-DD-hh-mm-ss-<activity>-<subject>.txt."
        )
    try:
        start = datetime.strptime(match["start"], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise DataError(f"{path}: {match['start']} is no date and time.") from error
    return Recording(
        path=path,
        session_id=f"hmp-{match['start']}-{match['activity']}-{match['subject']}",
        label=path.parent.name.lower(),
        subject=match["subject"],
        start_utc=start,
    )


def _splits(recordings: list[Recording]) -> dict[str, Split]:
    counts: dict[str, Counter[str]] = {}
    for recording in recordings:
        counts.setdefault(recording.subject, Counter())[recording.label] += 1
    n = len(counts)
    if n < 3:
        raise DataError(f"HMP needs at least 3 volunteers to split by subject, found {n}.")
    return split_subjects(counts, SIZES if n == sum(SIZES) else default_sizes(n), seed=SEED)


def _add(writer: DataSetWriter, recording: Recording, split: Split) -> None:
    codes = _read_codes(recording.path)
    duration = len(codes) / RATE_HZ
    writer.add_session(
        recording.session_id,
        subject_id=recording.subject,
        split=split,
        signals={"accelerometer": (np.arange(len(codes)) / RATE_HZ, -1.5 + codes / 63 * 3)},
        labels=[(0.0, duration, recording.label, "activity")],
        start_utc=recording.start_utc,
        duration_s=duration,
    )


def _read_codes(path: Path) -> np.ndarray:
    rows = [
        line.split() for line in path.read_text(encoding="ascii", errors="replace").splitlines()
    ]
    rows = [row for row in rows if row]
    if not rows:
        raise DataError(f"{path} is empty.")
    for number, row in enumerate(rows, start=1):
        if len(row) != 3 or not all(v.isdecimal() and int(v) <= 63 for v in row):
            raise DataError(
                f"{path}, line {number}: expected 3 integers, 0 to 63, got {' '.join(row)[:60]!r}."
            )
    return np.array(rows, dtype=np.float64)
