"""A command measured from outside: seconds, peak memory, when it first said something."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from tool_use_om.data.errors import DataError

_BYTES_PER_MAXRSS = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a command cost.

    Parameters
    ----------
    seconds : float, wall time from start to end
    cpu_s : float, processor time of all its threads, user and system
    peak_mb : float, largest resident memory of the process, MiB
    first_s : seconds to its first line on stdout that holds each of the texts asked for
    """

    seconds: float
    cpu_s: float
    peak_mb: float
    first_s: Mapping[str, float]


def measure(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, first: Sequence[str] = ()
) -> Measured:
    """Run a command to its end and measure it.

    Raises
    ------
    DataError : it failed; the message has its last words
    """
    given = {**os.environ, **(env or {}), "PYTHONUNBUFFERED": "1"}
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=given,
    )
    seen: dict[str, float] = {}
    said: list[str] = []
    with process.stdout or nullcontext(()) as lines:
        for line in lines:
            said.append(line)
            for text in first:
                if text in line:
                    seen.setdefault(text, time.perf_counter() - started)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = "".join(said)[-600:]
        raise DataError(f"`{' '.join(command)}` failed ({process.returncode}): {tail}")
    peak = usage.ru_maxrss * _BYTES_PER_MAXRSS / 2**20
    cpu_s = usage.ru_utime + usage.ru_stime
    return Measured(seconds=seconds, cpu_s=cpu_s, peak_mb=peak, first_s=seen)
