"""UCI HAR: phone at the waist, windows of 128 samples stitched back into what they were cut from.

Written from the set's README and file list, without the files; tests make files of that form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby, zip_longest
from pathlib import Path

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.splits import split_subjects
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

RATE_HZ = 50.0
LENGTH, HOP = 128, 64  # samples a window, samples between windows that overlap
_NAMES = ("walking", "walking upstairs", "walking downstairs", "sitting", "standing", "laying")
LABELS = {str(code): name for code, name in enumerate(_NAMES, start=1)}
SIGNALS = tuple(f"{s}_{a}" for s in ("total_acc", "body_gyro") for a in "xyz")
MODALITIES = tuple(
    Modality(name=name, rate_hz=RATE_HZ, channels=tuple(Channel(name=a, unit=unit) for a in "xyz"))
    for name, unit in (("accelerometer", "g"), ("gyroscope", "rad/s"))
)


@dataclass(frozen=True, kw_only=True)
class Window:
    """One published window: who, which activity, values (128, 6) in the order of `SIGNALS`."""

    subject: str
    label: str
    values: np.ndarray


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert UCI HAR Dataset (folder or zip): 30 subjects, 6 channels, 50 Hz, 6 activities.

    A window is joined to the one before it in the file when both are of one subject and its first
    half equals the other's second half. Where the activity changes inside such an overlap, the
    label changes in its middle.

    Raises
    ------
    DataError : a missing file, files of different length, a row that is not 128 numbers

    Source: Anguita, Ghio, Oneto, Parra, Reyes-Ortiz (2013), UCI 240; README.txt of the set.
    Not taken: body_acc and the 561 features, which were computed from these signals.
    """
    with opened_source(source) as folder:
        root = _root(folder)
        rows = {part: _subjects_and_labels(root, part) for part in ("train", "test")}
        splits = _calibration(rows["train"])
        writer = DataSetWriter(
            target,
            name=target.name,
            title="UCI HAR: activities with a smartphone at the waist",
            synthetic=False,
            licence="UCI page: CC BY 4.0. The set's README: as is, commercial use prohibited.",
            source="UCI 240, Human Activity Recognition Using Smartphones",
            modalities=MODALITIES,
            split_rule=(
                "the published one, by subject: test is test; one in five of the training "
                "subjects calibrates, chosen among 4000 seeded orders (seed 0) to have most "
                "activities in both"
            ),
            notes=(
                "Sessions are stitched from windows of 2.56 s that overlap by half; a break "
                "between windows starts a new session.",
                "The source filtered the signals (median, 20 Hz low-pass) before cutting them.",
            ),
            replace=replace,
        )
        with writer:
            for part in ("train", "test"):
                facts = {"phase": f"convert uci-har {part}", "unit": "windows"}
                found = _windows(root, part, rows[part])
                windows = track(found, progress, total=len(rows[part]), **facts)
                _add_all(writer, part, windows, splits)


def _root(folder: Path) -> Path:
    found = sorted(folder.rglob("train/subject_train.txt"))
    if not found:
        raise DataError(
            f"{folder} holds no train/subject_train.txt. Give the folder 'UCI HAR Dataset' or "
            "the zip that holds it."
        )
    return found[0].parent.parent


def _path(root: Path, part: str, name: str) -> Path:
    inner = "Inertial Signals/" if name in SIGNALS else ""
    path = root / part / f"{inner}{name}_{part}.txt"
    if not path.is_file():
        raise DataError(f"{path} is missing. Is the download complete?")
    return path


def _subjects_and_labels(root: Path, part: str) -> list[tuple[str, str]]:
    columns = [
        _path(root, part, name).read_text(encoding="ascii", errors="replace").split()
        for name in ("subject", "y")
    ]
    for number, (subject, code) in enumerate(zip_longest(*columns), start=1):
        if not (subject or "").isdecimal() or code not in LABELS:
            raise DataError(
                f"{root / part}: row {number} of subject_{part}.txt and y_{part}.txt must be a "
                f"subject and an activity from 1 to 6, got {subject!r} and {code!r}."
            )
    return [(s, LABELS[c]) for s, c in zip(*columns, strict=True)]


def _calibration(rows: list[tuple[str, str]]) -> dict[str, Split]:
    counts: dict[str, Counter[str]] = {}
    for subject, label in rows:
        counts.setdefault(subject, Counter())[label] += 1
    held = round(0.2 * len(counts))
    return split_subjects(counts, (len(counts) - held, held, 0), seed=0)


def _windows(root: Path, part: str, rows: list[tuple[str, str]]) -> Iterator[Window]:
    paths = [_path(root, part, name) for name in SIGNALS]
    with ExitStack() as stack:
        files = [stack.enter_context(p.open(encoding="ascii", errors="replace")) for p in paths]
        for number, (row, lines) in enumerate(zip_longest(rows, zip_longest(*files)), start=1):
            if row is None:
                raise DataError(f"{paths[0].parent}: more windows than rows in y_{part}.txt.")
            values = [_numbers(p, number, s) for p, s in zip_longest(paths, lines or ())]
            yield Window(subject=row[0], label=row[1], values=np.stack(values, axis=1))


def _numbers(path: Path, number: int, line: str | None) -> np.ndarray:
    try:
        values = np.array((line or "").split(), dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{path}, line {number}: {error}.") from error
    if values.size != LENGTH:
        raise DataError(f"{path}, line {number}: expected {LENGTH} numbers, got {values.size}.")
    return values


def _add_all(
    writer: DataSetWriter, part: str, windows: Iterator[Window], splits: dict[str, Split]
) -> None:
    numbers: Counter[str] = Counter()
    for chain in _chains(windows):
        subject = chain[0].subject
        session = f"har-{part}-s{int(subject):02d}-{numbers[subject]:03d}"
        numbers[subject] += 1
        values = np.concatenate([chain[0].values, *(w.values[HOP:] for w in chain[1:])])
        time_s = np.arange(len(values)) / RATE_HZ
        writer.add_session(
            session,
            subject_id=subject,
            split=splits[subject] if part == "train" else "test",
            signals={
                "accelerometer": (time_s, values[:, :3]),
                "gyroscope": (time_s, values[:, 3:]),
            },
            labels=_labels(chain, len(values)),
        )


def _chains(windows: Iterator[Window]) -> Iterator[list[Window]]:
    chain: list[Window] = []
    for window in windows:
        if chain and not _continues(chain[-1], window):
            yield chain
            chain = []
        chain.append(window)
    if chain:
        yield chain


def _continues(before: Window, after: Window) -> bool:
    same = before.subject == after.subject
    return same and np.allclose(before.values[HOP:], after.values[:HOP], rtol=0, atol=1e-6)


def _labels(chain: list[Window], n: int) -> list[Interval]:
    intervals: list[Interval] = []
    done = 0
    for label, run in groupby(chain, key=lambda w: w.label):
        start = HOP * done + HOP // 2 if done else 0
        done += len(list(run))
        end = n if done == len(chain) else HOP * done + HOP // 2
        intervals.append((start / RATE_HZ, end / RATE_HZ, label, "activity"))
    return intervals
