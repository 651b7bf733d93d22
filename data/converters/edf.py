"""EDF and EDF+ recordings with their hypnograms and annotations (Sleep-EDF and alike).

At hand were DREAMS' excerpt3.edf (which breaks the standard) and wfdb's test_generator_2.edf
(EDF+C); the pairing of Sleep-EDF's PSG and hypnogram files is written from its description and
tested on small files of that form.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tool_use_om.data.converters.shared.edf_file import EdfFile
from tool_use_om.data.converters.shared.layout import Layout
from tool_use_om.data.converters.shared.recordings import find_files, split_recordings
from tool_use_om.data.converters.table.columns import slug
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import UNKNOWN_SUBJECT, Split
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.splits import split_in_order
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

_EDF = re.compile(r"(?P<name>.+)\.edf", re.IGNORECASE)
_SLEEP_EDF = re.compile(r"(S[CT][47]\d\d)\d[EFGJ].*")  # database, subject; then night, code
PAIRED = 6  # characters a hypnogram's file name shares with its recording's
STAGES = {
    "sleep stage w": "wake",
    "sleep stage n1": "stage 1",
    "sleep stage n2": "stage 2",
    "sleep stage n3": "stage 3",
    "sleep stage r": "rem",
    "movement time": "movement",
    "sleep stage ?": None,
} | {f"sleep stage {i}": f"stage {i}" for i in range(1, 5)}


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert a folder or zip of .edf files: one session a recording, one modality a kind and rate.

    Annotations "Sleep stage …" become the label set "stage", others "annotation"; a file with
    annotations only belongs to the recording whose name begins with the same 6 characters.

    Raises
    ------
    DataError : no recording, a damaged file, a calibration that cannot be true, annotations that
        belong to no recording

    Source: Kemp et al. (2000) for Sleep-EDF's names; `edf_file` for the format.
    """
    with opened_source(source) as folder:
        hint = "Give the folder or zip of .edf files."
        found = find_files(folder, _EDF, like="SC4001E0-PSG.edf", hint=hint)
        files = [EdfFile(path) for path, _ in found]
        recordings = sorted(
            (f for f in files if f.columns), key=lambda f: (str(f.start_utc), f.path.name)
        )
        if not recordings:
            raise DataError(f"{folder} holds annotations but no recording.")
        scored = _pair(recordings, [f for f in files if not f.columns])
        layout = Layout([[f.source(c) for c in f.columns] for f in recordings])
        splits, rule = _splits(recordings)
        writer = DataSetWriter(
            target,
            name=target.name,
            title=f"EDF recordings: {', '.join(f.path.stem for f in recordings[:4])}",
            synthetic=False,
            licence="not stated in the files",
            source=", ".join(f.path.name for f in recordings[:8]),
            modalities=layout.modalities,
            split_rule=rule,
            notes=(
                *layout.notes,
                *(f"{f.path.name}: {f.rule}" for f in recordings if f.rule),
                "start_utc is the file's local time; EDF does not say in which time zone.",
            ),
            replace=replace,
        )
        with writer:
            for file in track(
                recordings, progress, phase="convert edf", unit="files", total=len(recordings)
            ):
                writer.add_session(
                    slug(file.path.stem),
                    subject_id=_subject(file),
                    split=splits[file.path],
                    signals=layout.place([(file.source(c), *file.read(c)) for c in file.columns]),
                    labels=_labels(file, scored.get(file.path, [])),
                    start_utc=file.start_utc,
                    duration_s=file.duration_s,
                )


def _pair(recordings: list[EdfFile], hypnograms: list[EdfFile]) -> dict[Path, list[EdfFile]]:
    pairs: dict[Path, list[EdfFile]] = {}
    for hypnogram in hypnograms:
        key = hypnogram.path.name[:PAIRED]
        owners = [f for f in recordings if f.path.name[:PAIRED] == key]
        if len(owners) != 1:
            raise DataError(
                f"{hypnogram.path} holds annotations only, and {len(owners)} recordings begin with "
                f"{key!r}; it must be one."
            )
        pairs.setdefault(owners[0].path, []).append(hypnogram)
    return pairs


def _subject(file: EdfFile) -> str:
    """Return the subject from Sleep-EDF's file name, else EDF+'s patient code, else "unknown"."""
    match = _SLEEP_EDF.fullmatch(file.path.stem)
    if match:
        return match[1]
    code, *rest = file.patient.split() or ["X"]
    return code if code.upper() != "X" and len(rest) >= 3 and file.plus else UNKNOWN_SUBJECT


def _splits(recordings: list[EdfFile]) -> tuple[dict[Path, Split], str]:
    subjects = {f.path: _subject(f) for f in recordings}
    if UNKNOWN_SUBJECT in subjects.values():
        order = split_in_order([str(p) for p in subjects])
        return {p: order[str(p)] for p in subjects}, (
            "recordings in order of their start, about 60/20/20: not all files say who it is"
        )
    counts = {s: Counter(recordings=n) for s, n in Counter(subjects.values()).items()}
    chosen = split_recordings(counts)
    return {p: chosen[s] for p, s in subjects.items()}, "by subject, about 60/20/20 (seed 0)"


def _labels(file: EdfFile, scored: list[EdfFile]) -> list[Interval]:
    """Return all annotations in seconds from the recording's start, cut to where it lasts."""
    shortest = min(file.record_s / c.length for c in file.columns)
    labels: list[Interval] = []
    for origin in (file, *scored):
        late = 0.0
        if origin.start_utc and file.start_utc:
            late = (origin.start_utc - file.start_utc).total_seconds()
        for note in origin.annotations:
            start = note.onset_s + late
            end = min(start + max(note.duration_s, shortest), file.duration_s)
            label_set = "stage" if note.text.casefold() in STAGES else "annotation"
            label = STAGES.get(note.text.casefold(), note.text)
            if label and end > max(0.0, start):
                labels.append((max(0.0, start), end, label, label_set))
    return labels
