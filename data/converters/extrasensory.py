"""ExtraSensory: phones and watches in the wild, features of 20 s about once a minute.

Checked against the original files of 3 of the 60 users.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from tool_use_om.data.converters.shared.recordings import (
    SUBJECT_SPLIT_RULE,
    find_files,
    naming,
    split_recordings,
)
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

RATE_HZ = 1 / 60
WINDOW_S = 20.0  # what a row was computed from, starting at its time
JOIN_S = 90.0  # rows up to this far apart that say the same share one label
MAIN = ("LYING_DOWN", "SITTING", "OR_standing", "FIX_walking", "FIX_running", "BICYCLING")
_FILE = re.compile(
    r"(?P<user>[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})\.features_labels\.csv\.gz"
)


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert a folder or zip of UUID.features_labels.csv.gz files: 60 users, 225 channels.

    A file is a session; a row is the 20 s that start at its time. Channels are the published
    features, not raw signals. Label set "activity" has the six that exclude each other; each of
    the other 45 labels has a set of its own, because several hold at a time.

    Raises
    ------
    DataError : no file, another header than the first file's, a cut row, text in place of numbers

    Source: Vaizman, Ellis, Lanckriet (2017), extrasensory.ucsd.edu, primary data.
    """
    with opened_source(source) as folder:
        hint = "Give the folder of them, or the zip that holds it."
        files = find_files(folder, _FILE, like="UUID.features_labels.csv.gz", hint=hint)
        header = _header(files[0][0])
        counts: dict[str, Counter[str]] = {}
        for path, match in files:
            with naming(path):
                table = _read(path, header)
                counts[match["user"]] = Counter({n: int(table[f"label:{n}"].sum()) for n in MAIN})
        splits = split_recordings(counts)
        writer = DataSetWriter(
            target,
            name=target.name,
            title="ExtraSensory: phone and watch in the wild, features and context",
            synthetic=False,
            licence="publicly available; publications must cite the paper (README of the set)",
            source="ExtraSensory, primary data: features and cleaned labels by user",
            modalities=_modalities(header),
            split_rule=SUBJECT_SPLIT_RULE,
            notes=(
                "Channels are features of 20 s windows, about one a minute (for some users one in "
                "five minutes), with gaps of hours; whole groups are missing when a sensor is off.",
                "Labels are the answers 'yes'; the source's 'no' and no answer are both no label.",
                "The source gives the features' units in its paper only: stored as a.u.",
            ),
            replace=replace,
        )
        with writer:
            for path, match in track(
                files, progress, phase="convert extrasensory", unit="sessions", total=len(files)
            ):
                user = match["user"]
                with naming(path):
                    _add(writer, _read(path, header), user, splits[user])


def _header(path: Path) -> list[str]:
    try:
        with gzip.open(path, "rt", encoding="ascii", errors="replace") as file:
            names = file.readline().strip().split(",")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked: {error}. Download it again.") from error
    missing = {"timestamp", *(f"label:{name}" for name in MAIN)} - set(names)
    if missing or not _features(names):
        raise DataError(f"{path}: its header lacks {sorted(missing)[:3] or 'features'}.")
    return names


def _features(header: list[str]) -> dict[str, list[str]]:
    """Return modality → its columns: what is before the first colon → the columns' names."""
    names = [n for n in header if ":" in n and not n.startswith("label:")]
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.partition(":")[0], []).append(name)
    return groups


def _modalities(header: list[str]) -> tuple[Modality, ...]:
    return tuple(
        Modality(
            name=group,
            rate_hz=RATE_HZ,
            channels=tuple(
                Channel(
                    name=re.sub(r"[^A-Za-z0-9_]+", "_", name.partition(":")[2]),
                    unit="1" if group == "discrete" else "a.u.",
                )
                for name in names
            ),
        )
        for group, names in _features(header).items()
    )


def _read(path: Path, header: list[str]) -> pd.DataFrame:
    try:
        with gzip.open(path, "rt", encoding="ascii", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if line.count(",") != len(header) - 1:
                    raise DataError(f"line {number}: expected {len(header)} columns.")
        table = pd.read_csv(path)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot be unpacked: {error}. Download it again.") from error
    if list(table.columns) != header or not len(table):
        raise DataError("its header differs from the first file's, or it has no row.")
    text = [c for c in table.columns if table[c].dtype.kind not in "if"]
    if text:
        raise DataError(f"column {text[0]} holds text in place of numbers.")
    return table


def _add(writer: DataSetWriter, table: pd.DataFrame, user: str, split: Split) -> None:
    start = float(table["timestamp"].iloc[0])
    time_s = table["timestamp"].to_numpy(dtype=np.float64) - start
    writer.add_session(
        f"extrasensory-{user}",
        subject_id=user,
        split=split,
        signals={
            group: (time_s, table[names].to_numpy(dtype=np.float64))
            for group, names in _features(list(table.columns)).items()
        },
        labels=_labels(table, time_s),
        start_utc=datetime.fromtimestamp(start, UTC),
        duration_s=float(time_s[-1]) + WINDOW_S,
    )


def _labels(table: pd.DataFrame, time_s: np.ndarray) -> list[Interval]:
    yes = {
        str(c).removeprefix("label:"): (table[c] == 1).to_numpy(dtype=bool)
        for c in table.columns
        if str(c).startswith("label:")
    }
    main = _said(len(table), {name: yes.pop(name) for name in MAIN})
    intervals = _runs(main, time_s, "activity")
    for name, where in yes.items():
        intervals += _runs(_said(len(table), {name: where}), time_s, readable(name))
    return intervals


def _said(n: int, yes: dict[str, np.ndarray]) -> np.ndarray:
    """Return each row's label (n,), None where no one of `yes` holds."""
    said = np.full(n, None, dtype=object)
    for name, where in yes.items():
        said[where] = readable(name)
    return said


def readable(name: str) -> str:
    """Return a label as people write it: "FIX_walking" → "walking"."""
    plain = re.sub(r"^(FIX|LOC|OR)_", "", name)
    return re.sub(r"[ _]+", " ", plain).strip().lower()


def _runs(said: np.ndarray, time_s: np.ndarray, label_set: str) -> list[Interval]:
    """Return one interval for neighbouring rows that say the same; a row without answer none."""
    changed = (said[1:] != said[:-1]) | (np.diff(time_s) > JOIN_S)
    first = np.concatenate([[0], np.flatnonzero(changed) + 1])
    last = np.concatenate([first[1:] - 1, [len(said) - 1]])
    limit = np.append(time_s[1:], np.inf)
    return [
        (float(time_s[a]), float(min(time_s[b] + WINDOW_S, limit[b])), str(said[a]), label_set)
        for a, b in zip(first, last, strict=True)
        if said[a] is not None
    ]
