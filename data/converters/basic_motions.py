"""BasicMotions: real wrist recordings that come inside the aeon package; no download."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import UNKNOWN_SUBJECT, Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.progress import Progress, track

RATE_HZ = 10.0
TRAIN_PER_CLASS = 6  # of the archive's 10 TRAIN recordings a class; the other 4 calibrate
MODALITIES = tuple(
    Modality(
        name=name, rate_hz=RATE_HZ, channels=tuple(Channel(name=a, unit="a.u.") for a in "xyz")
    )
    for name in ("accelerometer", "gyroscope")
)


def convert(target: Path, *, progress: Progress | None = None) -> None:
    """Write the 80 recordings (6 channels, 10 Hz, 10 s, 4 activities) as a data set.

    Raises
    ------
    DataError : aeon is not installed

    Source: UEA multivariate archive, BasicMotions, by way of aeon.datasets.load_basic_motions.
    Not covered: subjects (the archive does not say who is who) and physical units (nor those).
    """
    writer = DataSetWriter(
        target,
        name="basic-motions",
        title="BasicMotions: smart watch accelerometer and gyroscope, four activities",
        synthetic=False,
        licence="not stated by the archive; shipped inside the aeon package (BSD 3-Clause)",
        source="UEA multivariate archive (timeseriesclassification.com), through aeon's loader",
        modalities=MODALITIES,
        split_rule=(
            "test = the archive's TEST; of the archive's TRAIN the first "
            f"{TRAIN_PER_CLASS} of each class = train and the rest = calibration. Not by subject: "
            "the archive does not publish who is who."
        ),
        notes=(
            "Four students wore the watch; which recording is whose is not published, so people "
            "may be shared between splits and scores do not show transfer to a new person.",
            "The archive documents no units: a.u. for all channels.",
        ),
    )
    with writer:
        cases = [(part, *case) for part in ("train", "test") for case in _load(part)]
        for part, i, values, label, split in track(
            cases, progress, phase="convert basic-motions", unit="sessions", total=len(cases)
        ):
            time_s = np.arange(values.shape[1]) / RATE_HZ
            writer.add_session(
                f"bm-{part}-{i:03d}",
                subject_id=UNKNOWN_SUBJECT,
                split=split,
                signals={
                    "accelerometer": (time_s, values[:3].T),
                    "gyroscope": (time_s, values[3:].T),
                },
                labels=[(0.0, values.shape[1] / RATE_HZ, label, "activity")],
            )


def _load(part: str) -> list[tuple[int, np.ndarray, str, Split]]:
    """Return (index, values (6, 100), label, split) of one part of the archive, in its order."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # aeon's own import-time warnings say nothing of the data
            from aeon.datasets import load_basic_motions

            X, y = load_basic_motions(split=part)
    except ImportError as error:
        raise DataError(
            "The basic-motions sample comes inside the aeon package, which is not installed. "
            "Run: pip install 'tool-use-om[raw]'"
        ) from error
    seen: dict[str, int] = {}
    cases: list[tuple[int, np.ndarray, str, Split]] = []
    for i, (values, raw) in enumerate(zip(X, y, strict=True)):
        label = str(raw).lower()
        seen[label] = seen.get(label, 0) + 1
        early: Split = "train" if seen[label] <= TRAIN_PER_CLASS else "calibration"
        cases.append((i, values, label, "test" if part == "test" else early))
    return cases
