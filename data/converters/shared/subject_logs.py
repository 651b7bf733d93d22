"""Sets of one log file a recording, named by its subject, with an activity code in each line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tool_use_om.data.converters.shared.recordings import (
    SUBJECT_SPLIT_RULE,
    find_files,
    naming,
    split_recordings,
)
from tool_use_om.data.format.schema import Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

NO_ACTIVITY = "0"


@dataclass(frozen=True, kw_only=True)
class Logs:
    """What one such set has of its own.

    Parameters
    ----------
    pattern : of a log file's name, with a group "subject"; `like` is such a name, `hint` says what
        to give when none is there
    code_of : returns a line's activity code as written, None for a line without one
    add : writes one recording
    facts : what the manifest says of the set
    """

    pattern: re.Pattern[str]
    like: str
    hint: str
    code_of: Callable[[str], str | None]
    add: Callable[[DataSetWriter, Path, str, Split], None]
    facts: Mapping[str, Any]


def convert_logs(
    source: Path, target: Path, logs: Logs, *, progress: Progress | None, replace: bool
) -> None:
    """Convert every log below a folder or zip: a file is a session, split by subject.

    The codes are read first, line by line, so that the split can spread the activities.

    Raises
    ------
    DataError : no log, or what `logs.add` refuses
    """
    with opened_source(source) as folder:
        files = find_files(folder, logs.pattern, like=logs.like, hint=logs.hint)
        counts: dict[str, Counter[str]] = {}
        for path, match in files:
            counts.setdefault(match["subject"], Counter()).update(_activities(path, logs))
        splits = split_recordings(counts)
        writer = DataSetWriter(
            target,
            name=target.name,
            synthetic=False,
            split_rule=SUBJECT_SPLIT_RULE,
            replace=replace,
            **logs.facts,
        )
        phase = f"convert {target.name}"
        with writer:
            for path, match in track(
                files, progress, phase=phase, unit="sessions", total=len(files)
            ):
                subject = match["subject"]
                with naming(path):
                    logs.add(writer, path, subject, splits[subject])


def _activities(path: Path, logs: Logs) -> Counter[str]:
    """Count a recording's lines by activity code, the code for no activity left out."""
    with path.open(encoding="ascii", errors="replace") as file:
        codes = Counter(code for line in file if (code := logs.code_of(line)) is not None)
    del codes[NO_ACTIVITY]
    return codes
