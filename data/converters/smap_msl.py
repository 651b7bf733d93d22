"""SMAP and MSL: spacecraft telemetry with labelled anomalies (Telemanom, NASA JPL).

Original files of three channels (P-1, C-1, T-9) were at hand.
"""

from __future__ import annotations

import ast
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.csv_columns import files_like
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

RATE_HZ = 1 / 60  # by convention: the rate is not published, papers speak of about one a minute
DIMENSIONS = {"SMAP": 25, "MSL": 55}
CALIBRATION = 0.2  # of the end of train/


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One telemetry channel: its spacecraft and its anomalies [first, last] with their class."""

    name: str
    spacecraft: str
    anomalies: tuple[tuple[int, int, str], ...]


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert telemanom's data (folder or zip): three sessions a telemetry channel.

    train/<channel>.npy gives `<channel>-train` (its first 80 %) and `<channel>-calibration` (the
    rest), test/<channel>.npy gives `<channel>-test` with the label set "anomaly".

    Raises
    ------
    DataError : no labeled_anomalies.csv, an array missing, pickled, damaged or of another width, or
        an anomaly outside its array

    Source: Hundman et al. (2018). Seconds rest on the convention of one sample a minute.
    """
    with opened_source(source) as folder:
        (table, *_) = files_like(
            folder, "labeled_anomalies.csv", hint="It lies beside train and test."
        )
        streams = _streams(table)
        present = {s.spacecraft for s in streams}
        writer = DataSetWriter(
            target,
            name=target.name,
            title="SMAP and MSL: spacecraft telemetry with labelled anomalies",
            synthetic=False,
            licence="not stated for the data; code BSD 3-Clause",
            source="Telemanom, NASA Jet Propulsion Laboratory",
            modalities=[_modality(c) for c in DIMENSIONS if c in present],
            split_rule=(
                "the source's train and test in time; the last 20 % of train calibrate. The same "
                "telemetry channels are in all splits."
            ),
            notes=(
                "The rate is not published: one sample a minute by convention, so seconds are too.",
                "telemetry is scaled by the source, to about -1 to 1 (test data go beyond); cmd "
                "channels are one-hot commands.",
            ),
            subject_disjoint=False,
            replace=replace,
        )
        with writer:
            for stream in track(
                streams, progress, phase="convert smap-msl", unit="channels", total=len(streams)
            ):
                _add(writer, folder, stream)


def _modality(spacecraft: str) -> Modality:
    commands = [f"cmd{i:02d}" for i in range(1, DIMENSIONS[spacecraft])]
    return Modality(
        name=spacecraft.lower(),
        rate_hz=RATE_HZ,
        channels=tuple(Channel(name=name, unit="1") for name in ("telemetry", *commands)),
    )


def _streams(table: Path) -> list[Stream]:
    found: dict[str, Stream] = {}
    with table.open(encoding="utf-8", errors="replace", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            stream = _stream(table, number, row)
            before = found.get(stream.name)  # the published table lists P-2 twice
            both = (before.anomalies if before else ()) + stream.anomalies
            found[stream.name] = Stream(
                name=stream.name, spacecraft=stream.spacecraft, anomalies=tuple(sorted(set(both)))
            )
    if not found:
        raise DataError(f"{table} lists no channel.")
    return [found[name] for name in sorted(found)]


def _stream(table: Path, number: int, row: dict[str, str | None]) -> Stream:
    try:
        spans = ast.literal_eval(row["anomaly_sequences"] or "")
        kinds = [k.strip() for k in (row["class"] or "").strip("[] ").split(",")]
        anomalies = tuple(
            (int(first), int(last), kind) for (first, last), kind in zip(spans, kinds, strict=True)
        )
        name, spacecraft = row["chan_id"] or "", (row["spacecraft"] or "").strip()
    except (KeyError, ValueError, TypeError, SyntaxError) as error:
        raise DataError(
            f"{table}, row {number}: expected chan_id, spacecraft, anomaly_sequences as "
            f"[[first, last], …] and one class for each ({error})."
        ) from error
    if spacecraft not in DIMENSIONS or not name:
        raise DataError(f"{table}, row {number}: spacecraft must be SMAP or MSL.")
    return Stream(name=name.strip(), spacecraft=spacecraft, anomalies=anomalies)


def _array(folder: Path, part: str, stream: Stream) -> tuple[Path, np.ndarray]:
    (path, *_) = files_like(
        folder, f"{part}/{stream.name}.npy", hint="labeled_anomalies.csv lists that channel."
    )
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is no readable array: {error}.") from error
    width = DIMENSIONS[stream.spacecraft]
    if values.ndim != 2 or values.shape[1] != width or not len(values):
        raise DataError(f"{path}: expected (time, {width}) numbers, got {values.shape}.")
    return path, values


def _add(writer: DataSetWriter, folder: Path, stream: Stream) -> None:
    _, train = _array(folder, "train", stream)
    path, test = _array(folder, "test", stream)
    cut = len(train) - round(CALIBRATION * len(train))
    parts: list[tuple[Split, np.ndarray]] = [("train", train[:cut]), ("test", test)]
    if cut < len(train):
        parts.append(("calibration", train[cut:]))
    for split, values in parts:
        labels = _labels(path, stream, len(test)) if split == "test" else []
        writer.add_session(
            f"{stream.name}-{split}",
            subject_id=stream.name,
            split=split,
            signals={stream.spacecraft.lower(): (np.arange(len(values)) / RATE_HZ, values)},
            labels=labels,
        )


def _labels(path: Path, stream: Stream, n: int) -> list[Interval]:
    wrong = [a for a in stream.anomalies if not 0 <= a[0] <= a[1] < n]
    if wrong:
        raise DataError(
            f"{path} has {n} samples, but an anomaly is listed from {wrong[0][0]} to {wrong[0][1]}."
        )
    return [
        (first / RATE_HZ, (last + 1) / RATE_HZ, f"{kind} anomaly", "anomaly")
        for first, last, kind in stream.anomalies
    ]
