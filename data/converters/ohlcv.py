"""OHLCV: market days as CSV (Yahoo Finance and alike), columns in any order, real dates.

Yahoo's SPY.csv, 1993 to 2026, was at hand. Columns "Dividends" and "Stock Splits" are written from
yfinance's documentation and tested on a small file of that form.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tool_use_om.data.converters.shared.csv_columns import (
    files_like,
    median_step,
    moment,
    read_columns,
    unix_seconds,
)
from tool_use_om.data.converters.table.columns import slug
from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.splits import split_in_order
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

DAY_S = 86_400.0
CURRENCIES = ("USD", "EUR")
CHANNELS = ("open", "high", "low", "close", "adj_close", "volume")
# header letters, lower case → what the column is
_SPELLINGS = {
    "datetime": "date",
    "timestamp": "date",
    "adjclose": "adj_close",
    "adjustedclose": "adj_close",
    "closeadj": "adj_close",
    "vol": "volume",
    "dividend": "dividends",
    "stocksplits": "splits",
}
EX_DIVIDEND = 1e-4  # the share of the price by which Adj Close departs from Close on such a day


@dataclass(frozen=True, kw_only=True)
class Days:
    """One file: Unix seconds (n,), channels (n, C) in `CHANNELS` order, the days' events."""

    symbol: str
    seconds: np.ndarray
    values: np.ndarray
    events: list[tuple[int, str]]


def convert(
    source: Path,
    target: Path,
    *,
    currency: str = "USD",
    progress: Progress | None = None,
    replace: bool = False,
) -> None:
    """Convert one CSV, or a folder or zip of them: one session a symbol and calendar year.

    Prices are taken as `currency` (USD or EUR): the files do not say. Days the market was closed
    have no sample. Label set "event": ex-dividend and split days.

    Raises
    ------
    DataError : no CSV with open, high, low, close and volume, a date twice, an empty cell

    Source: Yahoo Finance's download form. Not covered: adjusting prices; several currencies at
    once; days are dated in UTC where the file names no zone.
    """
    if currency not in CURRENCIES:
        raise unknown("currency", currency, CURRENCIES)
    if source.is_file() and source.suffix.casefold() == ".csv":
        _convert([source], target, currency, progress, replace=replace)
        return
    with opened_source(source) as folder:
        paths = files_like(folder, "*.csv", hint="Give a CSV of market days.")
        _convert(paths, target, currency, progress, replace=replace)


def _convert(
    paths: list[Path], target: Path, currency: str, progress: Progress | None, *, replace: bool
) -> None:
    steps, years = _survey(paths)
    splits = split_in_order(sorted(years))
    channels = [Channel(name=c, unit="count" if c == "volume" else currency) for c in CHANNELS]
    writer = DataSetWriter(
        target,
        name=target.name,
        title=f"Market days: {', '.join(sorted(p.stem for p in paths)[:5])}",
        synthetic=False,
        licence="not stated; quotes of exchanges are usually not free to redistribute",
        source=", ".join(p.name for p in paths[:5]),
        modalities=[Modality(name="market", rate_hz=1 / min(steps), channels=tuple(channels))],
        split_rule="by calendar year in order of time, about 60/20/20, alike for all symbols",
        notes=(
            f"Prices are taken as {currency}: the files do not name a currency.",
            "close, open, high and low are as the file has them (Yahoo: adjusted for splits); "
            "adj_close is also adjusted for dividends paid later, so its levels know the future.",
            "event: days of dividends and splits as the file lists them; without such columns, "
            "ex-dividend days are those on which adj_close / close changes by more than 0.01 %.",
            "Weekends and holidays have no sample.",
        ),
        subject_disjoint=False,
        replace=replace,
    )
    with writer:
        for path in track(paths, progress, phase="convert ohlcv", unit="files", total=len(paths)):
            _add(writer, _read(path), splits)


def _survey(paths: list[Path]) -> tuple[set[float], set[str]]:
    steps: set[float] = set()
    years: set[str] = set()
    for path in paths:
        seconds = _read(path).seconds
        steps.add(median_step(seconds) or DAY_S)
        years |= set(_years(seconds))
    return steps, years


def _years(seconds: np.ndarray) -> np.ndarray:
    years: np.ndarray = pd.to_datetime(seconds, unit="s").year.to_numpy().astype(str)
    return years


def _read(path: Path) -> Days:
    frame, roles = _columns(path)
    seconds = unix_seconds(path, frame["date"])
    order = np.argsort(seconds, kind="stable")
    seconds = seconds[order]
    if (np.diff(seconds) == 0).any():
        day = moment(seconds[int(np.flatnonzero(np.diff(seconds) == 0)[0])])
        raise DataError(f"{path} has {day:%Y-%m-%d} twice. One file holds one symbol.")
    blank = np.full(len(frame), np.nan)
    columns = {
        name: frame[name].to_numpy(np.float64)[order] if name in roles else blank
        for name in (*CHANNELS, "dividends", "splits")
    }
    return Days(
        symbol=slug(path.stem) or "market",
        seconds=seconds,
        values=np.column_stack([columns[c] for c in CHANNELS]),
        events=_events(columns),
    )


def _columns(path: Path) -> tuple[pd.DataFrame, set[str]]:
    try:
        header = [str(c) for c in pd.read_csv(path, nrows=0).columns]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as CSV: {error}.") from error
    letters = {c: "".join(filter(str.isalpha, c)).casefold() for c in header}
    roles = {"date", *CHANNELS, "dividends", "splits"}
    named = {_SPELLINGS.get(v, v): c.strip() for c, v in letters.items()}
    known = {role: column for role, column in named.items() if role in roles}
    lacking = [c for c in ("date", "open", "high", "low", "close", "volume") if c not in known]
    if lacking:
        raise DataError(f"{path} has no column {lacking[0]!r}; its header reads: {header}.")
    numbers = {role: column for role, column in known.items() if role != "date"}
    frame = read_columns(path, known["date"], list(numbers.values()))
    return frame.rename(columns={c: role for role, c in known.items()}), set(known)


def _events(columns: dict[str, np.ndarray]) -> list[tuple[int, str]]:
    """Return (row, event): as the file says, else where Adj Close departs from Close."""
    splits = [(int(i), "split") for i in np.flatnonzero(np.nan_to_num(columns["splits"]) != 0)]
    paid = np.nan_to_num(columns["dividends"]) != 0
    if np.isnan(columns["dividends"]).all():
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = columns["adj_close"] / columns["close"]
            paid = np.abs(np.diff(ratio, prepend=ratio[:1]) / ratio) > EX_DIVIDEND
    return [(int(i), "ex-dividend") for i in np.flatnonzero(paid)] + splits


def _add(writer: DataSetWriter, days: Days, splits: dict[str, Split]) -> None:
    years = _years(days.seconds)
    for year in sorted(set(years)):
        rows = np.flatnonzero(years == year)
        time_s = days.seconds[rows] - days.seconds[rows[0]]
        end = float(time_s[-1]) + DAY_S
        labels: list[Interval] = [
            (
                t := float(days.seconds[i] - days.seconds[rows[0]]),
                min(t + DAY_S, end),
                event,
                "event",
            )
            for i, event in days.events
            if years[i] == year
        ]
        writer.add_session(
            f"{days.symbol}-{year}",
            subject_id=days.symbol,
            split=splits[str(year)],
            signals={"market": (time_s, days.values[rows])},
            labels=labels,
            start_utc=moment(days.seconds[rows[0]]),
            duration_s=end,
        )
