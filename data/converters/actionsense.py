"""ActionSense: kitchen activities with EMG, IMUs, gaze and body tracking, one HDF5 file each.

Written from the authors' published example code for their HDF5 files; the original files were
not at hand. Tests make files of that form.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tool_use_om.data.converters.shared.recordings import (
    SUBJECT_SPLIT_RULE,
    find_files,
    naming,
    split_recordings,
)
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track
from tool_use_om.data.values import Untyped

BAD_RATINGS = ("Bad", "Maybe")
_FILE = re.compile(
    r"(?P<start>\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)_streamLog_actionNet-wearables_(?P<subject>S\d\d)"
    r"\.hdf5"
)


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert a folder or zip of …_streamLog_actionNet-wearables_S0n.hdf5 files.

    A file is a session. Labels are its Start/Stop pairs, those rated Bad or Maybe left out, as in
    the authors' example. A sample whose time is 0 or not after all before it in its stream is
    left out, and counted in the notes.

    Raises
    ------
    DataError : no recording, h5py not installed, a file that is no HDF5 or lacks what it names

    Source: DelPreto, Liu, Luo, Foshey, Li, Torralba, Matusik, Rus (2022). Not taken: tactile
    gloves (32 × 32 each), finger joints, positions, orientations, video and audio.
    """
    with opened_source(source) as folder:
        files = find_files(
            folder,
            _FILE,
            like="…_streamLog_actionNet-wearables_S00.hdf5",
            hint="Give the folder of the downloaded .hdf5 files.",
        )
        counts: dict[str, Counter[str]] = {}
        dropped = 0
        for path, match in files:
            with _opened(path) as file:
                labels = (label for _, _, label in _activities(file))
                counts.setdefault(match["subject"], Counter()).update(labels)
                dropped += sum(int((~_good(time)).sum()) for _, time, _ in _streams(file))
        splits = split_recordings(counts)
        writer = DataSetWriter(
            target,
            name=target.name,
            title="ActionSense: kitchen activities, EMG, IMU, gaze, body joints",
            synthetic=False,
            licence="see action-sense.csail.mit.edu",
            source="ActionSense, MIT CSAIL, wearable data",
            modalities=tuple(stream.modality for stream in STREAMS),
            split_rule=SUBJECT_SPLIT_RULE,
            notes=(
                f"{dropped} samples without a time of their own were left out.",
                "EMG is the armband's own unit; gaze is a fraction of the video frame.",
                "Joint angles: the 22 body joints, Euler angles in the order x, z, y.",
            ),
            replace=replace,
        )
        with writer:
            for path, match in track(
                files, progress, phase="convert actionsense", unit="sessions", total=len(files)
            ):
                with naming(path):
                    _add(writer, path, match, splits[match["subject"]])


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Yield the open HDF5 file; what is missing or damaged in it becomes a DataError."""
    try:
        import h5py  # type: ignore[import-untyped] # it has no stubs
    except ImportError as error:
        raise DataError(
            "ActionSense needs h5py, which is not installed: pip install 'tool-use-om[formats]'."
        ) from error
    try:
        with h5py.File(path, "r") as file, naming(path):
            yield file
    except (OSError, KeyError, IndexError) as error:
        raise DataError(f"{path} cannot be read as ActionSense's HDF5: {error}.") from error


def _streams(file: Untyped) -> Iterator[tuple[Modality, np.ndarray, Any]]:
    """Yield (modality, time (n,) seconds since 1970, data still on disk) for those there are."""
    for stream in STREAMS:
        if stream.path not in file:
            continue
        time, data = np.ravel(file[stream.path]["time_s"][:]), file[stream.path]["data"]
        n_channels = len(stream.modality.channels)
        if len(time) != len(data) or np.prod(data.shape[1:]) < n_channels:
            raise DataError(
                f"{stream.path} must have a time for each of its rows and at least {n_channels} "
                f"columns, got {len(time)} times for {data.shape}."
            )
        if _good(time).any():
            yield stream.modality, time, data


def _good(time: np.ndarray) -> np.ndarray:
    """Return which times are real and later than all before them (n,) bool."""
    real = np.isfinite(time) & (time > 0)
    latest = np.maximum.accumulate(np.where(real, time, -np.inf))
    good: np.ndarray = real & (time > np.concatenate([[-np.inf], latest[:-1]]))
    return good


def _activities(file: Untyped) -> list[tuple[float, float, str]]:
    """Return (start, end, label), seconds since 1970; a Start without its Stop is left out."""
    if "experiment-activities/activities" not in file:
        return []
    group = file["experiment-activities/activities"]
    found: list[tuple[float, float, str]] = []
    begun: dict[str, float] = {}
    for row, time in zip(group["data"][:], np.ravel(group["time_s"][:]), strict=False):
        label, edge, rating = (bytes(cell).decode(errors="replace").strip() for cell in row[:3])
        if not label or rating in BAD_RATINGS:
            continue
        if edge == "Start":
            begun[label] = float(time)
        elif edge == "Stop" and label in begun:
            found.append((begun.pop(label), float(time), label))
    return found


def _add(writer: DataSetWriter, path: Path, match: re.Match[str], split: Split) -> None:
    with _opened(path) as file:
        streams = [
            (modality, time[good], _columns(data, good, len(modality.channels)))
            for modality, time, data in _streams(file)
            for good in [_good(time)]
        ]
        activities = _activities(file)
    if not streams:
        raise DataError("it has none of the streams that are converted. Leave the file out.")
    start = min(float(time[0]) for _, time, _ in streams)
    end = max(float(time[-1]) + 1 / modality.rate_hz for modality, time, _ in streams)
    writer.add_session(
        f"actionsense-{match['start']}-{match['subject']}",
        subject_id=match["subject"],
        split=split,
        signals={m.name: (np.round(time - start, 6), values) for m, time, values in streams},
        labels=[
            (max(a, start) - start, min(b, end) - start, label, "activity")
            for a, b, label in activities
            if min(b, end) > max(a, start)
        ],
        start_utc=datetime.fromtimestamp(start, UTC),
        duration_s=end - start,
    )


def _columns(data: Untyped, good: np.ndarray, n_channels: int) -> np.ndarray:
    """Return the good rows' first columns (n, n_channels) float32, further axes unrolled."""
    rows: np.ndarray = data[:].reshape(len(good), -1)
    return rows[good, :n_channels].astype(np.float32)


XYZ = ("x", "y", "z")


EMG = tuple(f"emg{i}" for i in range(1, 9))


_SPINE = ("L5S1", "L4L3", "L1T12", "T9T8", "T1C7", "C1Head")


_ARM = ("T4Shoulder", "Shoulder", "Elbow", "Wrist")


_LEG = ("Hip", "Knee", "Ankle", "BallFoot")


# the 22 body joints in the order of the tracking suit's own software (Xsens MVN)
JOINTS = (*_SPINE, *(f"{s}{j}" for part in (_ARM, _LEG) for s in ("Right", "Left") for j in part))


ANGLES = tuple(f"{joint}_{axis}" for joint in JOINTS for axis in XYZ)


@dataclass(frozen=True)
class Stream:
    """Where a modality is in the file: device/stream/{data, time_s}."""

    path: str
    modality: Modality


def _stream(path: str, name: str, rate_hz: float, names: tuple[str, ...], unit: str) -> Stream:
    channels = tuple(Channel(name=n, unit=unit) for n in names)
    return Stream(path, Modality(name=name, rate_hz=rate_hz, channels=channels))


STREAMS = (
    _stream("myo-left/emg", "emg_left", 200.0, EMG, "a.u."),
    _stream("myo-left/acceleration_g", "accelerometer_left", 50.0, XYZ, "g"),
    _stream("myo-left/angular_velocity_deg_s", "gyroscope_left", 50.0, XYZ, "deg/s"),
    _stream("myo-right/emg", "emg_right", 200.0, EMG, "a.u."),
    _stream("myo-right/acceleration_g", "accelerometer_right", 50.0, XYZ, "g"),
    _stream("myo-right/angular_velocity_deg_s", "gyroscope_right", 50.0, XYZ, "deg/s"),
    _stream("eye-tracking-gaze/position", "gaze", 120.0, ("x", "y"), "1"),
    _stream("xsens-joints/rotation_xzy_deg", "joint_angles", 60.0, ANGLES, "deg"),
)
