"""A threshold event as a type: what is to be reached, which way, and within which time."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd

from tool_use_om.data.errors import DataError
from tool_use_om.data.units import check_unit, read_unit

Number = TypeVar("Number", float, np.ndarray[Any, Any], "pd.Series[Any]")
Direction = Literal["above", "below"]
_FORM = re.compile(
    r"(?P<on>[\w.\-]+)\s*(?P<sign>>=|<=|≥|≤|>|<)\s*(?P<value>[-+]?\d+(?:\.\d+)?)\s*(?P<unit>.*?)"
    r"\s+(?:in|within)\s+(?P<count>\d+(?:\.\d+)?)\s*(?P<of>[A-Za-z]+)",
    re.ASCII,
)
_EXAMPLE = 'Write it like "high > 1 % in 1 day" or "cpu_usage_pct > 80 % in 30 minutes".'
_OWN_CLOSE = ("open", "high", "low")


@dataclass(frozen=True, kw_only=True)
class ThresholdEvent:
    """Some sample of the next `horizon_s` seconds is at or beyond a level.

    Parameters
    ----------
    on : the channel, by its name or its id
    threshold : in `unit`; percent of the last value where `relative`
    unit : of the threshold, as the table of units has it
    direction : "above" = at or above the level, "below" = at or below it
    relative : the level is (1 + threshold / 100) × the reference's last value; else the threshold
    horizon_s : seconds; on a market, a day is a trading day
    """

    on: str
    threshold: float
    unit: str
    direction: Direction
    relative: bool
    horizon_s: float

    @classmethod
    def parse(cls, text: str, units: dict[str, str]) -> ThresholdEvent:
        """Read "high > 1 % in 1 day".

        A percentage is relative to the last value, except on a channel that is itself in percent.

        Parameters
        ----------
        units : channel id → unit; a channel may be named without its modality

        Raises
        ------
        DataError : another form, a channel that there is not, a unit the channel's does not
            convert into, a horizon that is no time
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise DataError(f"`event` must name a level and a time, got {text!r}. {_EXAMPLE}")
        channel = channel_of(found["on"], units)
        own = units[channel]
        unit = check_unit(found["unit"]) if found["unit"] else own
        relative = unit == "%" and _family(own) != "fraction"
        value = float(found["value"])
        if not relative:
            value *= _factor(unit, own, channel)
            unit = own
        return cls(
            on=channel,
            threshold=value,
            unit=unit,
            direction="above" if found["sign"] in {">", ">=", "≥"} else "below",
            relative=relative,
            horizon_s=_seconds(float(found["count"]), found["of"]),
        )

    @property
    def reference(self) -> str:
        """The channel whose last value a relative level is measured from: a market's close."""
        modality, _, name = self.on.rpartition(".")
        if name in _OWN_CLOSE:
            return f"{modality}.close" if modality else "close"
        return self.on

    def level(self, reference: Number) -> Number | float:
        """Return the level to be reached after a last value, in the channel's unit."""
        return reference * (1.0 + self.threshold / 100.0) if self.relative else self.threshold

    def said(self) -> str:
        """Return the event in words."""
        sign = "at least" if self.direction == "above" else "at most"
        unit = "" if self.unit in {"1", ""} else f" {self.unit}"
        of = f" from the last {self.reference.rpartition('.')[2]}" if self.relative else ""
        value = f"{self.threshold:+g}" if self.relative else f"{self.threshold:g}"
        name = self.on.rpartition(".")[2]
        return f"{name} {sign} {value}{unit}{of} within {time_in_words(self.horizon_s)}"


def channel_of(name: str, units: dict[str, str]) -> str:
    """Return the id of a channel that is named by its id or its last part alone.

    Raises
    ------
    DataError : no such channel, or several
    """
    hits = [c for c in units if c == name] or [c for c in units if c.rpartition(".")[2] == name]
    if len(hits) == 1:
        return hits[0]
    listed = ", ".join(hits or units)
    why = "names several channels" if hits else "is no channel of this data set"
    raise DataError(f"{name!r} {why}. Name one of: {listed}.")


def _family(unit: str) -> str:
    known = read_unit(unit)
    return "" if known is None else known.family


def _factor(unit: str, own: str, channel: str) -> float:
    """Return what a number in `unit` is multiplied with to be in `own`."""
    if unit == own:
        return 1.0
    given, wanted = read_unit(unit), read_unit(own)
    if given is None or wanted is None or given.family != wanted.family:
        raise DataError(
            f"The threshold is in {unit}, but {channel} is measured in {own}. "
            f"Give the threshold in {own}, or in % to mean a change from the last value."
        )
    return given.factor / wanted.factor


def _seconds(count: float, of: str) -> float:
    unit = read_unit(check_unit(of))
    seconds = count * (unit.factor if unit is not None and unit.family == "time" else math.nan)
    if not seconds > 0:
        raise DataError(f"The horizon must be a time above 0, got {count:g} {of}. {_EXAMPLE}")
    return seconds


def time_in_words(seconds: float) -> str:
    """Return a time in the largest unit that keeps it whole."""
    for name, size in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= size and math.isclose(seconds / size, round(seconds / size)):
            count = round(seconds / size)
            return f"{count} {name}" + ("s" if count != 1 else "")
    return f"{seconds:g} s"
