"""Labelled windows of an event: contexts in time, what came after, and the split they are in.

A window is known by the row of its last sample. Its label looks at the samples behind that row and
at nothing else; its features look at the row and before. A window belongs to the split in which its
last sample lies, and to none if the horizon reaches into the next split.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.events.event import ThresholdEvent, time_in_words
from tool_use_om.heads.events.features import compute, features_for
from tool_use_om.heads.events.series import Series, read_series

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet

Array = np.ndarray
Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
FEWEST_EVENTS = 20


@dataclass(frozen=True, kw_only=True)
class Cuts:
    """Where validation and test begin in time.

    Parameters
    ----------
    validation, test : dates "2023-01-01" (UTC) for sets with dates, or shares of each series' time
    """

    validation: str | float = 0.6
    test: str | float = 0.8

    def parts(self, series: Series) -> Array:
        """Return the (n,) split of each sample: 0 train, 1 validation, 2 test.

        Raises
        ------
        DataError : dates for a set without, or not in order
        """
        first, second = (_moment(cut, series) for cut in (self.validation, self.test))
        if not first < second:
            raise DataError(
                f"Validation must begin before test, got {self.validation} and {self.test}. "
                'Give two dates or two shares in order, such as "2023-01-01" and "2025-01-01".'
            )
        found: Array = np.searchsorted([first, second], series.time_s, side="right")
        return found

    def said(self) -> str:
        """Return the rule in words."""
        if isinstance(self.validation, str):
            return f"train before {self.validation}, validation before {self.test}, test from then"
        first, second = 100 * float(self.validation), 100 * float(self.test)
        return f"by time: {first:g} % train, {second - first:g} % validation, the rest test"


def _moment(cut: str | float, series: Series) -> float:
    if not isinstance(cut, str):
        row = min(math.floor(cut * len(series.time_s)), len(series.time_s) - 1)
        return float(series.time_s[row])
    if not series.dated:
        raise DataError(f"{series.name} has no dates to split at {cut}. Give shares of time.")
    return datetime.fromisoformat(cut).replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True, kw_only=True)
class EventWindows:
    """n windows of `context` samples, cut from the same rows when they are asked for.

    Parameters
    ----------
    event : what they are asked about
    samples : (N, F) float32 features of all samples, in training deviations from training means
    path : (N,) the channel that is asked about, in its unit
    reference : (N,) the channel a relative level is measured from
    ends : (n,) the row of each window's last sample
    time_s : (n,) when that was, seconds
    owner : (n,) the place of each window's series
    context, steps : samples in a window; samples of the horizon
    features : F names
    """

    event: ThresholdEvent
    samples: Array
    path: Array
    reference: Array
    ends: Array
    time_s: Array
    owner: Array
    context: int
    steps: int
    step_s: float
    features: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ends)

    def rows(self) -> Array:
        """Return (n, context) row numbers, the last sample's last."""
        found: Array = self.ends[:, None] + np.arange(1 - self.context, 1)
        return found

    def values(self) -> Array:
        """Return (n, context, F) float32 features."""
        found: Array = self.samples[self.rows()]
        return found

    def last(self) -> Array:
        """Return (n, F) float32 features of each window's last sample."""
        found: Array = self.samples[self.ends]
        return found

    def levels(self) -> Array:
        """Return the (n,) levels to be reached, in the channel's unit."""
        found: Array = np.broadcast_to(
            self.event.level(self.reference[self.ends]),
            self.ends.shape,
        )
        return found

    def select(self, chosen: Array) -> EventWindows:
        """Return some of the windows."""
        kept = {n: getattr(self, n)[chosen] for n in ("ends", "time_s", "owner")}
        return replace(self, **kept)


@dataclass(frozen=True, kw_only=True)
class Split:
    """The windows of one split and whether the event came, (n,) 0 or 1."""

    windows: EventWindows
    y: Array

    def thinned(self, most: int) -> Split:
        """Return at most so many windows, evenly spaced in time."""
        rows = np.unique(
            np.linspace(0, len(self.y) - 1, min(len(self.y), most)).round().astype(int)
        )
        return Split(windows=self.windows.select(rows), y=self.y[rows])

    @property
    def episodes(self) -> int:
        """How many times the event came: windows in a row that share it count once."""
        ends = np.flatnonzero(self.y)
        if not len(ends):
            return 0
        return 1 + int((np.diff(self.windows.ends[ends]) > 1).sum())


@dataclass(frozen=True, kw_only=True)
class EventData:
    """An event on a data set: the windows of the three splits."""

    event: ThresholdEvent
    train: Split
    validation: Split
    test: Split
    cuts: Cuts
    formulas: tuple[tuple[str, str, str], ...]

    def part(self, name: Part) -> Split:
        """Return a split by its name."""
        found: Split = getattr(self, name)
        return found


def event_data(
    dataset: DataSet,
    event: ThresholdEvent | str,
    *,
    context: int = 80,
    cuts: Cuts | None = None,
    subjects: Sequence[str] = (),
) -> EventData:
    """Cut the labelled windows of an event out of a data set.

    Parameters
    ----------
    event : a ThresholdEvent or its text, "high > 1 % in 1 day"
    context : samples of a window
    cuts : where validation and test begin; default: 60, 20 and 20 % of the time

    Raises
    ------
    DataError : an event that cannot be read; a horizon shorter than a step or beyond the data; a
        split in which the event never comes, always comes, or comes in fewer than 20 windows
    """
    if isinstance(event, str):
        event = ThresholdEvent.parse(event, units_of(dataset))
    cuts = cuts or Cuts()
    series = read_series(dataset, event.on, subjects)
    steps = _steps(event, series, context)
    features = features_for(series[0], event)
    samples = np.concatenate([compute(s, event, features) for s in series])
    ends, y, split, owner = _labelled(
        series, event, cuts=cuts, context=context, steps=steps, samples=samples
    )
    for place, name in enumerate(PARTS):
        check_events(y[split == place], name, event)
    windows = EventWindows(
        event=event,
        samples=_scaled(samples, samples[ends[split == 0]]),
        path=np.concatenate([s.column(event.on) for s in series]),
        reference=np.concatenate([s.column(event.reference) for s in series]),
        ends=ends,
        time_s=np.concatenate([s.time_s for s in series])[ends],
        owner=owner,
        context=context,
        steps=steps,
        step_s=series[0].step_s,
        features=tuple(f.name for f in features),
    )
    parts = {
        name: Split(windows=windows.select(np.flatnonzero(split == i)), y=y[split == i])
        for i, name in enumerate(PARTS)
    }
    return EventData(
        event=event,
        cuts=cuts,
        formulas=tuple((f.name, f.formula, f.source) for f in features),
        **parts,
    )


def units_of(dataset: DataSet) -> dict[str, str]:
    """Return channel id → unit."""
    return {f"{m.name}.{c.name}": c.unit for m in dataset.manifest.modalities for c in m.channels}


def check_events(y: Array, name: str, event: ThresholdEvent) -> None:
    """Refuse a split from which nothing can be learnt or judged.

    Raises
    ------
    DataError : no window; the event never comes, always comes, or either is too rare
    """
    n, came = len(y), int(y.sum())
    if not n:
        raise DataError(
            f"The {name} split has no window of this context and horizon. "
            "Shorten the context, or begin validation and test at other times."
        )
    if min(came, n - came) >= FEWEST_EVENTS:
        return
    way, other = ("lower", "higher") if event.direction == "above" else ("higher", "lower")
    if came < n - came:
        times = "never comes" if not came else f"comes in {came} of {n} windows only"
        cure = f"Choose a {way} threshold, a longer horizon, or a longer {name} split."
    else:
        times = "always comes" if came == n else f"stays away in {n - came} of {n} windows only"
        cure = f"Choose a {other} threshold, a shorter horizon, or a longer {name} split."
    raise DataError(
        f'"{event.said()}" {times} in the {name} split; at least {FEWEST_EVENTS} windows with and '
        f"{FEWEST_EVENTS} without are needed. {cure}"
    )


def _steps(event: ThresholdEvent, series: Sequence[Series], context: int) -> int:
    """Return the horizon in samples."""
    step = series[0].step_s
    steps = round(event.horizon_s / step)
    if steps < 1:
        raise DataError(
            f"The horizon of {event.horizon_s:g} s is shorter than the time between samples, "
            f"{step:g} s. Ask for at least {step:g} s."
        )
    longest = max(int(np.bincount(s.piece).max()) for s in series)
    if context + steps > longest:
        raise DataError(
            f"The horizon of {time_in_words(event.horizon_s)} ({steps} samples) behind a context "
            f"of {context} samples goes beyond the data: the longest stretch without a gap has "
            f"{longest}. Ask for at most {time_in_words(max(longest - context, 1) * step)}, "
            "or a shorter context."
        )
    return steps


def _labelled(
    series: Sequence[Series],
    event: ThresholdEvent,
    *,
    cuts: Cuts,
    context: int,
    steps: int,
    samples: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return each window's last row, label, split and series; in order of time within a series."""
    found = []
    offset = 0
    for place, one in enumerate(series):
        n = len(one.time_s)
        came = came_within(one.column(event.on), one.column(event.reference), event, steps)
        part = cuts.parts(one)
        rows = np.arange(context - 1, n - steps)
        usable = (one.piece[rows - context + 1] == one.piece[rows + steps]) & np.isfinite(
            came[rows]
        )
        usable &= part[rows] == part[rows + steps]  # no horizon reaches into the next split
        whole = np.cumsum(np.isfinite(samples[offset : offset + n]).all(axis=1))
        before = np.concatenate([[0], whole])
        usable &= before[rows + 1] - before[rows - context + 1] == context
        rows = rows[usable]
        found.append((rows + offset, came[rows], part[rows], np.full(len(rows), place)))
        offset += n
    ends, y, split, owner = (np.concatenate(column) for column in zip(*found, strict=True))
    return ends, y.astype(np.int64), split, owner


def came_within(path: Array, reference: Array, event: ThresholdEvent, steps: int) -> Array:
    """Return (n,) 1 where one of the next samples reaches the level, 0 where none, NaN unknown.

    Parameters
    ----------
    path, reference : (n,) the channel asked about; what a relative level is measured from
    """
    ahead = np.full((len(path), steps), np.nan)
    for k in range(1, steps + 1):
        ahead[:-k, k - 1] = path[k:]
    level = np.broadcast_to(event.level(reference), path.shape)
    best = ahead.max(axis=1) if event.direction == "above" else ahead.min(axis=1)
    hit = best >= level if event.direction == "above" else best <= level
    found: Array = np.where(np.isfinite(best) & np.isfinite(level), hit, np.nan)
    return found


def _scaled(samples: Array, learnt: Array) -> Array:
    """Return features as deviations from training means; nothing is further out than ten."""
    mean, spread = np.nanmean(learnt, axis=0), np.nanstd(learnt, axis=0)
    spread = np.where(spread > 1e-12, spread, 1.0)
    scaled: Array = np.clip((samples - mean) / spread, -10, 10).astype(np.float32)
    return scaled
