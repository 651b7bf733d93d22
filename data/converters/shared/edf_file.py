"""Read EDF and EDF+ files, tolerantly: what published sleep recordings really contain.

Source: Kemp et al. (1992), Kemp and Olivan (2003), edfplus.info. Tolerated: text that is not ASCII,
a record count of -1 or one that does not fit the file's length, records of any duration, and one
known breach in the digital limits (see `edf_scale`). Not covered: BDF (24 bit).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.layout import Source
from tool_use_om.data.errors import DataError

_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)  # bytes a signal in each field of the header
_ANNOTATIONS = "EDF Annotations"
_TAL = re.compile(r"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?\x14([^\x00]*)\x14\x00")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One signal's place in the records, and value = offset + gain * stored integer."""

    label: str
    unit: str
    first: int
    length: int
    gain: float
    offset: float


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """`onset_s` from the file's start, `duration_s` 0 where none is given."""

    onset_s: float
    duration_s: float
    text: str


class EdfFile:
    """One file: header read at once, samples when asked for.

    Raises
    ------
    DataError : no EDF header, no whole record, a calibration that cannot be true
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                head = file.read(256)
                n = int(head[252:256])
                fields = _fields(file.read(256 * n), n)
            self.patient, self.recording = _text(head[8:88]), _text(head[88:168])
            self.plus = head[192:196] == b"EDF+"
            self.discontinuous = head[192:197] == b"EDF+D"
            self.record_s = float(head[244:252])
            lengths = [int(v) for v in fields[8]]
            calibration = calibrate(path, [_limits(fields, i) for i in range(n)])
        except (OSError, ValueError, IndexError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{path} has no readable EDF header ({error}).") from error
        self.start_utc = _start(head)
        self.rule = calibration.rule
        starts = np.concatenate([[0], np.cumsum(lengths)]).tolist()
        every = [
            Column(
                label=_text(fields[0][i]),
                unit=_text(fields[2][i]),
                first=starts[i],
                length=lengths[i],
                gain=calibration.scales[i][0],
                offset=calibration.scales[i][1],
            )
            for i in range(n)
        ]
        self.columns = [c for c in every if c.label != _ANNOTATIONS and c.length and self.record_s]
        self._notes = [c for c in every if c.label == _ANNOTATIONS]
        self._skip, self._width = 256 * (n + 1), starts[-1]
        self.n_records = self._count(int(head[236:244]))

    def _count(self, stated: int) -> int:
        room = (self.path.stat().st_size - self._skip) // max(2, 2 * self._width)
        if room < 1 or self._width == 0:
            raise DataError(f"{self.path} ends before its first whole record. Is it complete?")
        if stated > room:
            raise DataError(
                f"{self.path} should hold {stated} records but ends after {room}. Is it complete?"
            )
        return stated if stated > 0 else room

    @cached_property
    def _records(self) -> np.ndarray:
        shape = (self.n_records, self._width)
        return np.memmap(self.path, dtype="<i2", mode="r", offset=self._skip, shape=shape)

    @property
    def duration_s(self) -> float:
        """Seconds from the start to the end of the last record."""
        return float(self._onsets[-1] + self.record_s)

    def source(self, column: Column) -> Source:
        """Return a signal's name, unit and rate."""
        rate = float(f"{column.length / self.record_s:.9g}")
        return Source(label=column.label, unit=column.unit, rate_hz=rate)

    def read(self, column: Column) -> tuple[np.ndarray, np.ndarray]:
        """Return time (n,) float64 seconds from the start and values (n,) float32 in its unit."""
        stop = column.first + column.length
        raw = np.asarray(self._records[:, column.first : stop], np.float32)
        within = np.arange(column.length) * (self.record_s / column.length)
        time_s = np.round((self._onsets[:, None] + within).ravel(), 9)
        return time_s, (raw * column.gain + column.offset).astype(np.float32).ravel()

    @cached_property
    def _onsets(self) -> np.ndarray:
        """Seconds of each record's start (n_records,), from its own note where time has gaps."""
        if not self.discontinuous:
            return np.arange(self.n_records) * self.record_s
        notes = (self._note(i) for i in range(self.n_records))
        stamps = [re.match(r"([+-]\d+(?:\.\d*)?)\x14", note) for note in notes]
        if not self._notes or any(s is None for s in stamps):
            raise DataError(f"{self.path} is EDF+D, but a record has no time of its own.")
        return np.array([float(s[1]) for s in stamps if s])

    @property
    def annotations(self) -> list[Annotation]:
        """The texts of all annotation signals, in the file's order."""
        found: list[Annotation] = []
        for i in range(self.n_records if self._notes else 0):
            for onset, duration, texts in _TAL.findall(self._note(i)):
                found += [
                    Annotation(
                        onset_s=float(onset), duration_s=float(duration or 0), text=text.strip()
                    )
                    for text in texts.split("\x14")
                    if text.strip()
                ]
        return found

    def _note(self, record: int) -> str:
        parts = [self._records[record, c.first : c.first + c.length] for c in self._notes]
        return "".join(p.tobytes().decode("utf-8", errors="replace") for p in parts)


def _fields(block: bytes, n: int) -> list[list[bytes]]:
    """Return the ten header fields, each for n signals."""
    if len(block) < 256 * n or n < 1:
        raise ValueError(f"{n} signals need {256 * n} bytes of header, got {len(block)}")
    fields: list[list[bytes]] = []
    at = 0
    for width in _WIDTHS:
        fields.append([block[at + i * width : at + (i + 1) * width] for i in range(n)])
        at += n * width
    return fields


def _limits(fields: list[list[bytes]], i: int) -> Limits:
    numbers = [float(_text(fields[k][i]).replace(",", ".")) for k in (3, 4, 5, 6)]
    return Limits(
        label=_text(fields[0][i]),
        physical=(numbers[0], numbers[1]),
        stored=(numbers[2], numbers[3]),
    )


def _start(head: bytes) -> datetime | None:
    """Return the start; years from 85 on are 19xx; None if unreadable."""
    try:
        day, month, year = (int(v) for v in head[168:176].split(b"."))
        hour, minute, second = (int(v) for v in head[176:184].split(b"."))
        return datetime(
            year + (1900 if year >= 85 else 2000), month, day, hour, minute, second, tzinfo=UTC
        )
    except ValueError:
        return None


def _text(field: bytes) -> str:
    return field.decode("latin-1").strip(" \x00")


INT16 = 32768


POWERS = (1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """One signal's physical and digital (stored) minimum and maximum, as the header states them."""

    label: str
    physical: tuple[float, float]
    stored: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """(gain, offset) a signal, value = offset + gain * integer; `rule`: what was not as usual."""

    scales: tuple[tuple[float, float], ...]
    rule: str = ""


def calibrate(path: Path, limits: Sequence[Limits]) -> Calibration:
    """Return the scales of a file's signals.

    Some files (DREAMS' excerpt3.edf) state digital limits that 16 bits cannot hold: they are the
    physical limits times 100, the latter rounded to whole numbers. The usual formula holds for them
    too (it gives the set's own text export of excerpt3 to 0.0001 uV), but samples louder than 16
    bits can hold are clipped.

    Raises
    ------
    DataError : any other limits beyond 16 bits; equal limits
    """
    scales = tuple(_scale(path, s) for s in limits)
    if all(s.stored[0] >= -INT16 and s.stored[1] < INT16 for s in limits):
        return Calibration(scales=scales)
    if any(all(_apart(s, power) < 1 for s in limits) for power in POWERS):
        return Calibration(
            scales=scales,
            rule="its digital limits do not fit 16 bits, so louder samples are clipped.",
        )
    raise DataError(
        f"{path}: digital limits beyond 16 bits that are no multiple of the physical ones; its "
        "calibration cannot be true. Export it again as EDF."
    )


def _apart(limits: Limits, power: float) -> float:
    pairs = zip(limits.stored, limits.physical, strict=True)
    return max(abs(stored / power - physical) for stored, physical in pairs)


def _scale(path: Path, limits: Limits) -> tuple[float, float]:
    low, high = limits.stored
    bottom, top = limits.physical
    if high == low:
        raise DataError(f"{path}: signal {limits.label!r} has equal digital limits, so no scale.")
    gain = (top - bottom) / (high - low)
    return gain, bottom - gain * low
