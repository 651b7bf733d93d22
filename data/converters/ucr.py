"""UCR and UEA archives: one problem, its TRAIN and TEST files as .ts, .tsv, .arff or .txt.

Original files of thirteen problems were at hand, in all forms but multivariate .arff, which is
written from the archive's description and tested on a small file of that form.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.csv_columns import median_step, moment
from tool_use_om.data.converters.shared.recordings import naming
from tool_use_om.data.converters.shared.ucr_files import READERS, Case, count_cases, read_cases
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import UNKNOWN_SUBJECT, Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

_FILE = re.compile(r"(?P<problem>.+)_(?P<part>TRAIN|TEST)(?P<kind>\.\w+)")
_ONE_DIMENSION = re.compile(r"Dimension\d+$")  # .arff files that repeat one dimension of a problem
CALIBRATE_EACH = 3  # of the archive's TRAIN, the third case of a class, the sixth, …
CONVENTION_HZ = 1.0


def convert(
    source: Path,
    target: Path,
    *,
    rate_hz: float | None = None,
    progress: Progress | None = None,
    replace: bool = False,
) -> None:
    """Convert one problem (folder or zip): a session a case, class labels or a number to predict.

    The archive gives no rate: `rate_hz` says it, else 1 Hz by convention; files with time stamps
    keep theirs. Lengths may differ. A number to predict becomes the truth "target" of its case.

    Raises
    ------
    DataError : no or several problems, a file of another form; the message names file and line

    Source: Dau et al. (2019), Bagnall et al. (2018), Tan et al. (2021).
    Not covered: dimensions of one case at different times.
    """
    if rate_hz is not None and not 0 < rate_hz < math.inf:
        raise DataError(f"`rate_hz` must be above 0 and finite, got {rate_hz:g}.")
    with opened_source(source) as folder:
        problem, files = _files(folder)
        first = next(read_cases(files["TRAIN"]), None)
        if first is None:
            raise DataError(f"{files['TRAIN']} has no case.")
        rate, rule = _rate(first, rate_hz)
        writer = DataSetWriter(
            target,
            name=target.name,
            title=f"UCR/UEA archive: {problem}",
            synthetic=False,
            licence="not stated by the archive, which asks for citation",
            source=f"timeseriesclassification.com, {problem}",
            modalities=[
                Modality(name="series", rate_hz=rate, channels=_channels(first.values.shape[1]))
            ],
            split_rule=(
                "test = the archive's TEST; of the archive's TRAIN each third case of a class = "
                "calibration, the others = train. Not by subject: the archive names none."
            ),
            notes=(
                rule,
                "The archive documents no units: a.u.",
                *(() if "TEST" in files else ("No TEST file was there: no session tests.",)),
            ),
            replace=replace,
        )
        with writer:
            for part, path in files.items():
                cases = track(
                    read_cases(path),
                    progress,
                    phase=f"convert ucr {part}",
                    unit="cases",
                    total=count_cases(path),
                )
                _add_all(writer, path, part, cases, rate)


def _files(folder: Path) -> tuple[str, dict[str, Path]]:
    """Return the problem and "TRAIN" (and "TEST") → file; of several forms the first of READERS."""
    found: dict[str, dict[tuple[str, str], Path]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        match = _FILE.fullmatch(path.name)
        if match and match["kind"].casefold() in READERS:
            key = match["part"], match["kind"].casefold()
            found.setdefault(match["problem"], {}).setdefault(key, path)
    found = {k: v for k, v in found.items() if _ONE_DIMENSION.sub("", k) == k or len(found) == 1}
    if len(found) != 1:
        names = ", ".join(sorted(found)[:8]) or "none"
        raise DataError(
            f"{folder} must hold the files of one problem, <Problem>_TRAIN and <Problem>_TEST "
            f"({', '.join(READERS)}); found: {names}. Give the folder of one."
        )
    ((problem, paths),) = found.items()
    kind = next((k for k in READERS if ("TRAIN", k) in paths), None)
    if kind is None:
        raise DataError(f"{folder} holds no {problem}_TRAIN file.")
    return problem, {p: paths[p, kind] for p in ("TRAIN", "TEST") if (p, kind) in paths}


def _rate(first: Case, given_hz: float | None) -> tuple[float, str]:
    if first.stamps_s is not None:
        step = median_step(first.stamps_s)
        if step is not None:
            return 1 / step, "Seconds are the files' own time stamps."
    if given_hz is not None:
        return given_hz, f"The archive gives no rate: {given_hz:g} Hz as the importer said."
    return CONVENTION_HZ, (
        "The archive gives no rate: one sample a second by convention, so seconds count samples."
    )


def _channels(n: int) -> tuple[Channel, ...]:
    names = ["value"] if n == 1 else [f"dim{i}" for i in range(1, n + 1)]
    return tuple(Channel(name=name, unit="a.u.") for name in names)


def _add_all(
    writer: DataSetWriter, path: Path, part: str, cases: Iterator[Case], rate_hz: float
) -> None:
    seen: Counter[str] = Counter()
    number = -1
    for number, case in enumerate(cases):
        seen[case.label or ""] += 1
        early: Split = "calibration" if seen[case.label or ""] % CALIBRATE_EACH == 0 else "train"
        stamps = np.arange(len(case.values)) / rate_hz if case.stamps_s is None else case.stamps_s
        time_s = stamps - stamps[0] if stamps.size else stamps
        end = float(time_s[-1]) + 1 / rate_hz if stamps.size else 0.0
        with naming(path):
            writer.add_session(
                f"{part.lower()}-{number:04d}",
                subject_id=UNKNOWN_SUBJECT,
                split="test" if part == "TEST" else early,
                signals={"series": (time_s, case.values)},
                labels=[] if case.label is None else [(0.0, end, case.label, "class")],
                truth=[] if case.target is None else [(0.0, end, "target", case.target, "a.u.")],
                start_utc=moment(stamps[0]) if case.dated else None,
                duration_s=end or None,
            )
    if number < 0:
        raise DataError(f"{path} has no case.")
