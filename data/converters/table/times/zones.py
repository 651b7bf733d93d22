"""Local times as UTC: the changes of a zone's clock counted right, or a zone told by offsets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tool_use_om.data.converters.table.times.column import ClockOptions, TimeColumn
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.calendar import offset_zone, zone_of

# zones whose changes of the clock offsets are compared with, one for each rule in wide use
_ZONES = (
    "Europe/Berlin", "Europe/London", "Europe/Athens", "America/New_York", "America/Chicago",
    "America/Denver", "America/Los_Angeles", "America/Halifax", "America/Anchorage",
    "Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland",
)  # fmt: skip


def zone_by_offsets(seconds: np.ndarray, offsets: np.ndarray) -> tuple[str | None, str]:
    """Return the zone that the offsets of the times speak for, and the words for it.

    One offset is a clock of its own; several are a zone whose clock changes when they do.
    """
    found = np.unique(offsets)
    if found.tolist() == [0]:
        return None, ""
    if len(found) == 1:
        zone = offset_zone(int(found[0]))
        return zone, f", told by it: {zone}"
    change = np.flatnonzero(np.diff(offsets))
    rows = np.unique(np.concatenate([[0, len(offsets) - 1], change, change + 1]))
    times = pd.DatetimeIndex(
        np.round(seconds[rows]).astype(np.int64).astype("datetime64[s]"), tz="UTC"
    )
    for zone in _ZONES:
        local = times.tz_convert(zone).tz_localize(None)
        ahead = (local - times.tz_localize(None)).total_seconds()
        if (ahead == offsets[rows]).all():
            return zone, f", told by the clock of {zone}, which changes as they do"
    named = ", ".join(offset_zone(int(o)) for o in found[:4])
    return None, f" ({named}: no one clock, so told in UTC; --tz names one)"


def in_zone(local: np.ndarray, form: str, options: ClockOptions) -> TimeColumn:
    """Return local seconds as UTC; clock changes of the zone are counted right.

    Raises
    ------
    DataError : a time that a change to summer time left out
    """
    if options.zone is None:
        said = f"{form} without a zone, read as UTC (--tz names another)"
        return TimeColumn(seconds=local, absolute=True, form=said)
    zone_of(options.zone)
    falling = bool((np.diff(local) < 0).mean() > 0.5) if len(local) > 1 else False
    ordered = local[::-1] if falling else local
    ticks = np.round(ordered * 1e9).astype(np.int64).astype("datetime64[ns]")
    times = pd.DatetimeIndex(ticks)
    zone = options.zone
    clear = times.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    lost = times.tz_localize(zone, ambiguous=True, nonexistent="NaT").isna()
    if lost.any():
        row = int(np.flatnonzero(lost)[0])
        raise DataError(
            f"{times[row]} does not exist in {zone}: the clock went forward there. If the logger "
            "does not change its clock, import it without --tz."
        )
    summer = _summer(np.asarray(clear.isna()), times)
    found = times.tz_localize(zone, ambiguous=summer)
    seconds = np.asarray(found.as_unit("ns").asi8 / 1e9)
    told = f"{form} in {zone}"
    return TimeColumn(seconds=seconds[::-1] if falling else seconds, absolute=True, form=told)


def _summer(doubtful: np.ndarray, times: pd.DatetimeIndex) -> np.ndarray:
    """Return which times of a doubled hour are the first of the two, from the order of rows."""
    first = np.ones(len(times), dtype=bool)
    ticks = times.asi8
    second = False
    for row in np.flatnonzero(doubtful):
        if row and doubtful[row - 1] and ticks[row] <= ticks[row - 1]:
            second = True
        elif not row or not doubtful[row - 1]:
            second = False
        first[row] = not second
    return first
