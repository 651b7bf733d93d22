"""PhysioNet records in WFDB form: MIT-BIH, CPSC2018, PTB and alike.

At hand were record 100 of MIT-BIH, s0010_re of PTB, v102s, two multi-segment records and four of
CPSC2018 (MATLAB v4 files).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tool_use_om.data.converters.shared.layout import Layout
from tool_use_om.data.converters.shared.recordings import naming, split_recordings
from tool_use_om.data.converters.shared.wfdb_records import (
    Record,
    find_records,
    read_annotations,
    read_signals,
)
from tool_use_om.data.converters.table.columns import slug
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

# SNOMED CT codes of the nine diagnoses of CPSC2018
DIAGNOSES = {
    "426783006": "sinus rhythm",
    "164889003": "atrial fibrillation",
    "270492004": "first degree atrioventricular block",
    "164909002": "left bundle branch block",
    "59118001": "right bundle branch block",
    "284470004": "premature atrial contraction",
    "164884008": "ventricular ectopics",
    "429622005": "ST depression",
    "164931005": "ST elevation",
}
_PATIENT_FOLDER = re.compile(r"patient\d+")  # PTB: one folder a patient
# MIMIC's matched records: patient, then when the stay began, "n" = the numerics beside the waves
_MIMIC = re.compile(r"(?P<patient>[ps]\d{5,6})-\d{4}(?:-\d\d){4}n?")
SAME_SUBJECT = {"202": "201"}  # MIT-BIH: two records of one person


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert a folder or zip of WFDB records: one session a record, one modality a kind and rate.

    Label sets: "beat", "rhythm" and "event" from .atr files; "diagnosis" from the header comments
    "Dx:" (SNOMED CT codes) and "Reason for admission:".

    Raises
    ------
    DataError : no record, a missing or damaged file, the wfdb package is not installed

    Source: Moody, Mark (2001); Liu et al. (2018); Bousseljot et al. (1995); physionet.org.
    Not covered: annotation files other than .atr.
    """
    with opened_source(source) as folder:
        records = find_records(folder)
        layout = Layout([r.sources for r in records])
        names = _names(records)
        subjects = {r.path: _subject(r, names[r.path]) for r in records}
        splits = split_recordings(_counts(records, subjects))
        writer = DataSetWriter(
            target,
            name=target.name,
            title=f"WFDB records: {', '.join(r.path.name for r in records[:4])}",
            synthetic=False,
            licence="not stated in the files; see the set's page on physionet.org",
            source=", ".join(r.path.name for r in records[:8]),
            modalities=layout.modalities,
            split_rule=(
                "by subject, about 60/20/20 (seed 0), diagnoses shared out; every record counts as "
                "a subject but PTB's patient folders, MIT-BIH's 201 and 202, MIMIC's patients"
            ),
            notes=(
                *layout.notes,
                "beat labels reach halfway to the neighbouring beats, at most 1 s from their mark.",
                "start_utc is the record's local time, if it has one.",
            ),
            replace=replace,
        )
        with writer:
            for record in track(
                records, progress, phase="convert wfdb", unit="records", total=len(records)
            ):
                with naming(record.path):
                    writer.add_session(
                        names[record.path],
                        subject_id=subjects[record.path],
                        split=splits[subjects[record.path]],
                        signals=layout.place(read_signals(record)),
                        labels=[*read_annotations(record), *_labels(record)],
                        start_utc=record.start_utc,
                        duration_s=record.duration_s,
                    )


def _names(records: list[Record]) -> dict[Path, str]:
    """Return record → session id: its name, with the folder's where names repeat."""
    counts = Counter(slug(r.path.name) for r in records)
    return {
        r.path: slug(r.path.name)
        if counts[slug(r.path.name)] == 1
        else slug(f"{r.path.parent.name}-{r.path.name}")
        for r in records
    }


def _subject(record: Record, name: str) -> str:
    folder = record.path.parent.name
    if _PATIENT_FOLDER.fullmatch(folder):
        return folder
    stay = _MIMIC.fullmatch(record.path.name)
    return stay["patient"] if stay else SAME_SUBJECT.get(name, name)


def _counts(records: list[Record], subjects: dict[Path, str]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for record in records:
        found = list(_diagnoses(record)) or ["none"]
        counts.setdefault(subjects[record.path], Counter()).update(found)
    return counts


def _diagnoses(record: Record) -> Iterator[str]:
    for comment in record.comments:
        key, _, text = comment.partition(":")
        if key.strip().casefold() == "dx":
            codes = [c.strip() for c in text.split(",") if c.strip()]
            yield from (DIAGNOSES.get(c, f"snomed {c}") for c in dict.fromkeys(codes))
        elif key.strip().casefold() == "reason for admission" and text.strip() not in {"", "n/a"}:
            yield text.strip().lower()


def _labels(record: Record) -> list[Interval]:
    return [(0.0, record.duration_s, text, "diagnosis") for text in _diagnoses(record)]
