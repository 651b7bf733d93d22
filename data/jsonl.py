"""Files of one JSON object a line: appended whole, read past a torn last line."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)


def append_line(path: Path, line: str) -> None:
    """Append one whole line under a lock; a line torn by an earlier kill stays a line apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        data = memoryview((b"\n" if torn else b"") + line.encode() + b"\n")
        while data:
            data = data[file.write(data) or 0 :]
        os.fsync(file.fileno())


def read_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield (line number, JSON value) of a JSONL file; warn about torn lines and skip them."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                yield number, json.loads(raw)
            except ValueError:
                _log.warning("%s line %d is torn and was skipped", path.name, number)
