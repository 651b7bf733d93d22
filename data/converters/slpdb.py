"""MIT-BIH Polysomnographic Database, as text: RR intervals (ann2rr) and sleep stages (rdann).

Exports of six records were at hand. The waveforms in WFDB form are read by the converter "wfdb".
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.csv_columns import files_like
from tool_use_om.data.converters.shared.recordings import naming, split_recordings
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

EPOCH_S = 30.0
NOMINAL_HZ = 1.0  # beats come when they come; about one a second
MODALITY = Modality(name="rr", rate_hz=NOMINAL_HZ, channels=(Channel(name="interval", unit="s"),))
STAGES = {
    "W": "wake",
    "1": "stage 1",
    "2": "stage 2",
    "3": "stage 3",
    "4": "stage 4",
    "R": "rem",
    "MT": "movement",
}
EVENTS = {
    "H": "hypopnoea",
    "HA": "hypopnoea with arousal",
    "OA": "obstructive apnoea",
    "X": "obstructive apnoea with arousal",
    "CA": "central apnoea",
    "CAA": "central apnoea with arousal",
    "L": "leg movement",
    "LA": "leg movement with arousal",
    "A": "arousal",
}
_HEADER = re.compile(
    r"slp\S+ \d+ (?P<rate>\d+)\S* (?P<n>\d+)(?: (?P<time>[\d:]+) (?P<date>[\d/]+))?"
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a record's header says."""

    path: Path
    rate_hz: float
    duration_s: float
    start_utc: datetime | None

    @property
    def subject(self) -> str:
        """The person: slp01a and slp01b, slp02a and slp02b are one each."""
        return self.path.stem[:5]


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert a folder or zip of <record>.hea, .an and .rr: one session a record.

    An RR interval's time is the beat that ends it. Label sets: "stage" (30-s epochs) and "event"
    (what was scored in an epoch, each code once; where in the epoch is not in the file; codes that
    are not documented keep their spelling).

    Raises
    ------
    DataError : a file missing, a line of another form, a stage that is not known

    Source: Ichimaru, Moody (1999); physionet.org/content/slpdb for the codes.
    """
    with opened_source(source) as folder:
        paths = files_like(folder, "slp*.hea", hint="Give slpdb's headers with .an and .rr.")
        records = [_record(path) for path in paths]
        splits = split_recordings(_counts(records))
        writer = DataSetWriter(
            target,
            name=target.name,
            title="MIT-BIH Polysomnographic Database: RR intervals and sleep stages",
            synthetic=False,
            licence="not stated in the files; Open Data Commons Attribution 1.0 on physionet.org",
            source="physionet.org/content/slpdb, exported as text",
            modalities=(MODALITY,),
            split_rule="by subject, about 60/20/20 (seed 0); a and b of one number are one person",
            notes=(
                "RR intervals come at their beats, not at an even rate: 1 Hz is nominal.",
                "start_utc is the record's local time.",
            ),
            replace=replace,
        )
        with writer:
            for record in track(
                records, progress, phase="convert slpdb", unit="records", total=len(records)
            ):
                signals, labels = {"rr": _intervals(record)}, _labels(record)
                with naming(record.path):
                    writer.add_session(
                        record.path.stem,
                        subject_id=record.subject,
                        split=splits[record.subject],
                        signals=signals,
                        labels=labels,
                        start_utc=record.start_utc,
                        duration_s=record.duration_s,
                    )


def _record(path: Path) -> Record:
    with path.open(encoding="ascii", errors="replace") as file:
        match = _HEADER.match(file.readline())
    if match is None:
        raise DataError(f"{path}: the first line must be name, signals, rate, samples and start.")
    rate = float(match["rate"])
    start = _start(match["date"], match["time"])
    return Record(path=path, rate_hz=rate, duration_s=float(match["n"]) / rate, start_utc=start)


def _start(date: str | None, time: str | None) -> datetime | None:
    """Return a header's start; one header gives its year with two digits."""
    for form in ("%d/%m/%Y %H:%M:%S", "%d/%m/%y %H:%M:%S"):
        try:
            return datetime.strptime(f"{date} {time}", form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _counts(records: list[Record]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for record in records:
        counts.setdefault(record.subject, Counter())["records"] += 1
    return counts


def _lines(record: Record, suffix: str) -> tuple[Path, list[str]]:
    path = record.path.with_suffix(suffix)
    if not path.is_file():
        raise DataError(f"{path} is missing. Is the export complete?")
    return path, path.read_text(encoding="ascii", errors="replace").splitlines()


def _seconds(text: str) -> float:
    """Return h:mm:ss.mmm or m:ss.mmm in seconds."""
    total = 0.0
    for part in text.strip().split(":"):
        total = 60 * total + float(part)
    return total


def _intervals(record: Record) -> tuple[np.ndarray, np.ndarray]:
    path, lines = _lines(record, ".rr")
    rows: list[tuple[float, float]] = []
    for number, line in enumerate((text for text in lines if text.strip()), start=1):
        try:
            _, _, interval, _, end = line.split()
            rows.append((_seconds(end), float(interval)))
        except ValueError as error:
            raise DataError(
                f"{path}, line {number}: expected start, code, RR, code, end."
            ) from error
    table = np.array(rows).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _labels(record: Record) -> list[Interval]:
    path, lines = _lines(record, ".an")
    labels: list[Interval] = []
    for number, line in enumerate(lines[1:], start=2):
        fields, _, aux = line.partition("\t")
        stage, *events = aux.split() or [""]
        if len(fields.split()) != 6 or stage not in STAGES:
            raise DataError(f"{path}, line {number}: expected a stage, got {aux[:40]!r}.")
        start = int(fields.split()[1]) / record.rate_hz
        end = min((start // EPOCH_S + 1) * EPOCH_S, record.duration_s)
        labels.append((start, end, STAGES[stage], "stage"))
        labels += [
            (start, end, name, "event")
            for name in dict.fromkeys(EVENTS.get(e, f"code {e}") for e in events)
        ]
    return labels
