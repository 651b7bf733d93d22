"""Read WFDB records and their beat annotations through the wfdb package (extra `formats`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.layout import Source
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.values import Untyped

BEATS = "NLRBAaJSVrFejnE/fQ?"  # annotation codes that stand for one heart beat
DENSEST = 64  # samples a byte of a signal file, at most; FLAC reaches some twenty
REACH_S = 1.0  # a beat's label never reaches farther from its mark
# what wfdb lets through from damaged files, a header that names itself as a segment included
_DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
FAILURES: tuple[type[Exception], ...] = (*_DAMAGE, EOFError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record's header: its signals, length, start and comments; `path` has no suffix."""

    path: Path
    sources: tuple[Source, ...]
    duration_s: float
    start_utc: datetime | None
    comments: tuple[str, ...]
    several_rates: bool


def _wfdb() -> Untyped:
    try:
        import wfdb  # type: ignore[import-untyped,unused-ignore]  # ships no types
    except ImportError as error:
        raise DataError(
            "WFDB records are read by the wfdb package, which is not installed. "
            "Run: pip install 'tool-use-om[formats]'"
        ) from error
    return wfdb


def find_records(folder: Path) -> list[Record]:
    """Return the records below `folder`, without the segments that longer records consist of.

    Raises
    ------
    DataError : no .hea file, or one that cannot be read; the wfdb package is not installed
    """
    paths = sorted(p.with_suffix("") for p in folder.rglob("*.hea") if not p.name.startswith("."))
    if not paths:
        raise DataError(f"{folder} holds no .hea file. Give a folder or zip of WFDB records.")
    headers = {path: _header(path) for path in paths}
    inner = {
        path.parent / name
        for path, header in headers.items()
        for name in getattr(header, "seg_name", None) or ()
    }
    return [read_header(p, h) for p, h in headers.items() if p not in inner and _filled(h)]


def _header(path: Path) -> Untyped:
    wfdb = _wfdb()
    try:
        header = wfdb.rdheader(str(path))
        if hasattr(header, "seg_name"):
            header = wfdb.rdheader(str(path), rd_segments=True)
    except FAILURES as error:
        raise DataError(f"{path}.hea cannot be read: {error}. Is the record complete?") from error
    return header


def _filled(header: Untyped) -> bool:
    """Return False for headers without signals of their own: layouts, notes, empty records."""
    return bool(header.n_sig) and header.sig_len != 0


def read_header(path: Path, header: Untyped = None) -> Record:
    """Return what a record's header says; `path` without suffix."""
    header = _header(path) if header is None else header
    if not (header.sig_len and header.fs):
        raise DataError(f"{path}.hea states no number of samples or no rate.")
    _check_size(path, header)
    try:
        sources = _sources(path, header)
    except FAILURES as error:
        raise DataError(f"{path}.hea cannot be read: {error}. Is the record complete?") from error
    start = header.base_datetime
    return Record(
        path=path,
        sources=sources,
        duration_s=float(header.sig_len / header.fs),
        start_utc=start.replace(tzinfo=UTC) if start else None,
        comments=tuple(c.strip() for c in header.comments or ()),
        several_rates=any(s.rate_hz > header.fs for s in sources),
    )


def _check_size(path: Path, header: Untyped) -> None:
    """Refuse a header that promises far more samples than its files can hold.

    Raises
    ------
    DataError : over `DENSEST` samples a byte, as only a damaged header says
    """
    names = {str(n) for n in getattr(header, "file_name", None) or ()}
    files = [path.parent / name for name in names]
    held = sum(f.stat().st_size for f in files if f.is_file())
    frames = getattr(header, "samps_per_frame", None) or [1] * header.n_sig
    promised = int(header.sig_len) * sum(int(k) for k in frames)
    if held and promised > DENSEST * held:
        raise DataError(
            f"{path}.hea promises {promised} samples, but its signal files hold {held} bytes. The "
            "header is damaged: fetch the record again."
        )


def _uncalibrated(path: Path) -> list[bool]:
    """Return of each signal whether its header states no gain: its numbers have no unit then."""
    text = path.with_name(path.name + ".hea").read_text(encoding="utf-8", errors="replace")
    lines = [x for x in text.splitlines() if x.strip() and not x.startswith("#")][1:]
    gains = [[*x.split(), "", "", ""][2].partition("(")[0].partition("/")[0] for x in lines]
    return [gain in {"", "0", "0.0"} for gain in gains]


def _sources(path: Path, header: Untyped) -> tuple[Source, ...]:
    multiple = hasattr(header, "seg_name")
    names = header.get_sig_name() if multiple else header.sig_name
    frames = [1] * header.n_sig if multiple else list(header.samps_per_frame)
    parts = [s for s in header.segments if s] if multiple else [header]
    unit_of = {n: u for s in parts for n, u in zip(s.sig_name or (), s.units or (), strict=True)}
    raw = [False] * len(names) if multiple else _uncalibrated(path)
    raw += [False] * (len(names) - len(raw))
    return tuple(
        Source(
            label=str(n),
            unit="" if uncalibrated else str(unit_of.get(n) or ""),
            rate_hz=float(header.fs * k),
        )
        for n, k, uncalibrated in zip(names, frames, raw, strict=False)
    )


def read_signals(record: Record) -> list[tuple[Source, np.ndarray, np.ndarray]]:
    """Return (source, time_s (n,), values (n,) in its unit, NaN = missing) of each signal.

    Raises
    ------
    DataError : a signal file missing, damaged or shorter than the header says
    """
    wfdb = _wfdb()
    try:
        if record.several_rates:
            read = wfdb.rdrecord(str(record.path), smooth_frames=False)
            columns = list(read.e_p_signal)
        else:
            columns = list(wfdb.rdrecord(str(record.path)).p_signal.T)
    except FAILURES as error:
        raise DataError(f"{record.path} cannot be read: {error}. Is it complete?") from error
    times = {
        s.rate_hz: np.arange(round(record.duration_s * s.rate_hz)) / s.rate_hz
        for s in record.sources
    }
    for source, values in zip(record.sources, columns, strict=True):
        if len(values) != len(times[source.rate_hz]):
            raise DataError(
                f"{record.path}: {source.label} has {len(values)} samples, expected "
                f"{len(times[source.rate_hz])}. Is it complete?"
            )
    pairs = zip(record.sources, columns, strict=True)
    return [(source, times[source.rate_hz], values) for source, values in pairs]


def read_annotations(record: Record) -> list[Interval]:
    """Return the labels of <record>.atr, none without that file.

    "beat": from halfway to the beat before to halfway to the next, at most `REACH_S` from the mark;
    "rhythm": from its mark to the next rhythm's; "event": everything else, one sample long.

    Raises
    ------
    DataError : an annotation file that cannot be read
    """
    path = record.path.with_name(record.path.name + ".atr")
    if not path.is_file():
        return []
    wfdb = _wfdb()
    try:
        notes = wfdb.rdann(str(record.path), "atr")
        rate = float(notes.fs or record.sources[0].rate_hz)
        time_s = np.asarray(notes.sample) / rate
        rows = list(zip(time_s.tolist(), notes.symbol, notes.aux_note, strict=True))
    except FAILURES as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if not all(isinstance(symbol, str) for _, symbol, _ in rows):
        raise DataError(f"{path} holds annotation codes that WFDB does not have. Is it damaged?")
    inside = [(t, s, aux.strip("\x00 ")) for t, s, aux in rows if 0 <= t < record.duration_s]
    return [
        *_beats([(t, s) for t, s, _ in inside if s in BEATS], record.duration_s),
        *_rhythms([(t, aux) for t, s, aux in inside if s == "+" and aux], record.duration_s),
        *(
            (t, min(t + 1 / rate, record.duration_s), _meaning(s, aux), "event")
            for t, s, aux in inside
            if s not in BEATS and s != "+"
        ),
    ]


def _beats(marks: Sequence[tuple[float, str]], end_s: float) -> list[Interval]:
    time_s = np.array([t for t, _ in marks])
    middle = (time_s[:-1] + time_s[1:]) / 2
    starts = np.maximum(np.concatenate([[0.0], middle]), time_s - REACH_S)
    stops = np.minimum(np.concatenate([middle, [end_s]]), time_s + REACH_S)
    return [
        (float(a), float(b), _meaning(symbol), "beat")
        for a, b, (_, symbol) in zip(starts, stops, marks, strict=True)
        if a < b
    ]


def _rhythms(marks: Sequence[tuple[float, str]], end_s: float) -> list[Interval]:
    stops = [*(t for t, _ in marks[1:]), end_s]
    return [
        (t, stop, aux.lstrip("("), "rhythm")
        for (t, aux), stop in zip(marks, stops, strict=True)
        if t < stop and aux.lstrip("(")
    ]


def _meaning(symbol: str, aux: str = "") -> str:
    """Return wfdb's description of an annotation code, with the annotation's own text."""
    from wfdb.io.annotation import (  # type: ignore[import-untyped,unused-ignore]  # ships no types
        ann_labels,
    )

    texts = [str(known.description).lower() for known in ann_labels if known.symbol == symbol]
    text = texts[0] if texts else f"code {symbol}"
    return f"{text}: {aux}" if aux else text
