"""PTB-XL: 10-second 12-lead ECGs with diagnostic statements, 100 or 500 Hz.

Written from the set's page and its example script; the original files were not at hand. Tests make
records and tables of the published form.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tool_use_om.data.converters.shared.csv_columns import files_like
from tool_use_om.data.converters.shared.layout import Layout
from tool_use_om.data.converters.shared.wfdb_records import Record, read_header, read_signals
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Split
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

CLASSES = {
    "NORM": "normal",
    "MI": "myocardial infarction",
    "STTC": "ST/T change",
    "CD": "conduction disturbance",
    "HYP": "hypertrophy",
}
FOLDS: dict[str, Split] = {
    **dict.fromkeys("12345678", "train"),
    "9": "calibration",
    "10": "test",
}
COLUMN = {100: "filename_lr", 500: "filename_hr"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of ptbxl_database.csv: `path` has no suffix, `codes` are SCP-ECG statements."""

    ecg_id: int
    patient: str
    path: Path
    split: Split
    codes: tuple[str, ...]
    start_utc: datetime | None


def convert(
    source: Path,
    target: Path,
    *,
    rate_hz: int = 100,
    progress: Progress | None = None,
    replace: bool = False,
) -> None:
    """Convert PTB-XL (folder or zip), its records at `rate_hz` 100 (default) or 500.

    Label sets: "superclass" (all diagnostic statements of a record, as in the set's example script)
    and "statement" (every SCP-ECG code). strat_fold 1 to 8 train, 9 calibrates, 10 tests: folds
    respect patients.

    Raises
    ------
    DataError : ptbxl_database.csv or scp_statements.csv missing or of another form, a record
        missing or of other leads, the wfdb package is not installed

    Source: Wagner et al. (2020), PTB-XL; physionet.org/content/ptb-xl.
    """
    if rate_hz not in COLUMN:
        raise DataError(f"`rate_hz` must be 100 or 500, got {rate_hz}.")
    with opened_source(source) as folder:
        (table, *_) = files_like(folder, "ptbxl_database.csv", hint="Give PTB-XL's folder or zip.")
        (statements, *_) = files_like(
            folder, "scp_statements.csv", hint="It lies beside the table."
        )
        classes = _classes(statements)
        rows = list(_rows(table, COLUMN[rate_hz]))
        if not rows:
            raise DataError(f"{table} has no rows.")
        first = read_header(rows[0].path)
        layout = Layout([first.sources])
        writer = DataSetWriter(
            target,
            name=target.name,
            title="PTB-XL: 12-lead ECGs with diagnostic statements",
            synthetic=False,
            licence="CC BY 4.0",
            source="physionet.org/content/ptb-xl",
            modalities=layout.modalities,
            split_rule="strat_fold 1 to 8 train, 9 calibrate, 10 test, as published; by patient",
            notes=(
                *layout.notes,
                "start_utc is the record's date as published: shifted at random for privacy.",
            ),
            replace=replace,
        )
        with writer:
            for row in track(
                rows, progress, phase="convert ptb-xl", unit="records", total=len(rows)
            ):
                record = read_header(row.path)
                if record.sources != first.sources:
                    raise DataError(f"{row.path} has other leads than {rows[0].path.name}.")
                _add(writer, layout, row, record, classes)


def _add(
    writer: DataSetWriter, layout: Layout, row: Row, record: Record, classes: dict[str, str]
) -> None:
    found = dict.fromkeys(classes[c] for c in row.codes if c in classes)
    labels: list[Interval] = [(0.0, record.duration_s, name, "superclass") for name in found]
    labels += [(0.0, record.duration_s, code, "statement") for code in row.codes]
    writer.add_session(
        f"ptbxl-{row.ecg_id:05d}",
        subject_id=row.patient,
        split=row.split,
        signals=layout.place(read_signals(record)),
        labels=labels,
        start_utc=row.start_utc,
        duration_s=record.duration_s,
    )


def _classes(path: Path) -> dict[str, str]:
    """Return diagnostic statement → superclass."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        code = (reader.fieldnames or [""])[0]
        try:
            return {
                row[code]: CLASSES[row["diagnostic_class"]]
                for row in reader
                if row["diagnostic"] in {"1", "1.0"}
            }
        except KeyError as error:
            raise DataError(
                f"{path}: expected columns diagnostic and diagnostic_class with one of "
                f"{', '.join(CLASSES)}; {error} does not fit."
            ) from error


def _rows(table: Path, column: str) -> Iterator[Row]:
    with table.open(encoding="utf-8", errors="replace", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            try:
                codes = ast.literal_eval(row["scp_codes"])
                yield Row(
                    ecg_id=int(float(row["ecg_id"])),
                    patient=f"patient-{int(float(row['patient_id'])):05d}",
                    path=table.parent / row[column],
                    split=FOLDS[row["strat_fold"].removesuffix(".0")],
                    codes=tuple(str(code) for code in codes),
                    start_utc=_start(row["recording_date"]),
                )
            except (KeyError, ValueError, TypeError, SyntaxError, AttributeError) as error:
                raise DataError(
                    f"{table}, row {number}: expected ecg_id, patient_id, recording_date, "
                    f"scp_codes, strat_fold 1 to 10 and {column} ({error!r})."
                ) from error


def _start(text: str) -> datetime | None:
    return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC) if text.strip() else None
