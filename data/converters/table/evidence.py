"""What numbers say of themselves: values that stand for "missing", counters, row numbers, units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
_CODE = re.compile(
    r"-?9{2,}(?:\.9+)?|-?999\.\d+|-?(?:127|128|255|888+|777+|32767|32768|65535|2147483647|"
    r"2147483648)|-1|-?1e\+?3\d"
)
_MOST_SENTINELS = 3  # different values of a column
_ROW_NAMES = re.compile(r"(?i)^(?:no|nr|n°|#|index|idx|row|zeile|ligne|id|unnamed.?\d*|lfd.*|)\W*$")
_NEAR = 0.02  # of its span, so near to its least a counter starts again
_MOST = 0.9  # share of its falls that end there
_SELDOM = 0.1  # share of its steps in which it does
_FEWEST_ELECTRODES = 3
_AT_REST = 0.06  # relative, by which the median of an accelerometer may be off 1 g
_LEAST = 12  # values from which numbers say anything of a counter


@dataclass(frozen=True)
class Sentinel:
    """A value far outside all others.

    Parameters
    ----------
    value : as the column has it
    n : how often
    low, high : the other values
    sure : it is written as programs write "missing", comes again, or is all that is negative
    """

    value: float
    n: int
    low: float
    high: float
    sure: bool


def sentinels(values: Array) -> list[Sentinel]:
    """Return the values of a column that may stand for "missing".

    Such a value is its column's least or greatest, and farther from the others than all of them are
    from each other. It is sure where it is a number that programs write for "missing" (-99, 9999,
    -32768 …) or negative where no other is, and comes more than once.

    Parameters
    ----------
    values : (n,) NaN = missing
    """
    found: list[Sentinel] = []
    known = values[np.isfinite(values)]
    while len(known) >= _LEAST and len(found) < _MOST_SENTINELS:
        one = next(
            (s for v in (known.min(), known.max()) if (s := _sentinel(known, float(v)))), None
        )
        if one is None:
            break
        found.append(one)
        known = known[known != one.value]
    return found


def _sentinel(known: Array, value: float) -> Sentinel | None:
    """Return the least or greatest value of a column as a sentinel, None if it may be a value."""
    coded = bool(_CODE.fullmatch(f"{value:.10g}"))
    if not coded and value >= 0:
        return None
    rest = known[known != value]
    n = len(known) - len(rest)
    if len(rest) < max(_LEAST, n):
        return None
    low, high = float(rest.min()), float(rest.max())
    alone = value < 0 <= low and n > 1
    far = max(low - value, value - high) > high - low
    return Sentinel(value, n, low, high, sure=n > 1) if far and (coded or alone) else None


def taken_as_missing(
    columns: Mapping[str, tuple[str, Array]], given: Sequence[str]
) -> tuple[dict[str, tuple[float, ...]], list[str]]:
    """Return the values of each column that are taken as missing, and what to say of them.

    Parameters
    ----------
    columns : column → its channel's name and its values (n,)
    given : the values that were named; ("none",) = take none
    """
    masked: dict[str, tuple[float, ...]] = {}
    notes: list[str] = []
    named = tuple(float(v) for v in given if v != "none")
    for column, (name, values) in columns.items():
        asked = tuple(v for v in named if (values == v).any())
        if asked:
            masked[column] = asked
            n = int(np.isin(values, asked).sum())
            notes.append(f"{n} of {name} taken as missing, as --missing says.")
        if given:
            continue
        for found in sentinels(values):
            others = f"far from all others ({found.low:g} to {found.high:g})"
            times = f"{found.n} times" if found.n > 1 else "once"
            if found.sure:
                masked[column] = (*masked.get(column, ()), found.value)
                notes.append(
                    f"{name} is {found.value:g} {times}, {others}: taken as missing "
                    "(--missing none keeps it)."
                )
            else:
                notes.append(
                    f"{name} is {found.value:g} {times}, {others}: kept; if it means missing, say "
                    f"--missing={found.value:g}."
                )
    return masked, notes


def counts_up(runs: Sequence[Array]) -> str | None:
    """Return how a column counts: "rises" without end, "restarts" from near zero; else None.

    Parameters
    ----------
    runs : the column's values by session, in order of time; NaN = missing
    """
    known = [own for run in runs if len(own := run[np.isfinite(run)]) > 1]
    n = sum(len(run) - 1 for run in known)
    if n < _LEAST:
        return None
    step = np.concatenate([np.diff(run) for run in known])
    to = np.concatenate([run[1:] for run in known])
    first = np.array([run[0] for run in known])
    falls = step < 0
    if (step > 0).sum() < _LEAST or falls.mean() >= _SELDOM:
        return None
    if not falls.any() and (first[1:] >= [run[-1] for run in known[:-1]]).all():
        return "rises"
    low, high = float(min(to.min(), first.min())), float(to.max())
    near = low + _NEAR * (high - low)
    fresh = (to[falls] <= near).mean() >= _MOST if falls.any() else True
    fresh = fresh and (len(known) == 1 or bool((first <= near).all()))
    few = float((step > 0).mean()) > 2 * float(falls.mean())
    return "restarts" if few and low >= 0 and fresh else None


def counter_notes(channels: Iterable[tuple[str, Sequence[Array]]]) -> list[str]:
    """Return what to say of channels (name and runs) that only rise, or start again from zero."""
    found = {name: kind for name, runs in channels if (kind := counts_up(runs)) is not None}
    rises = [name for name, kind in found.items() if kind == "rises"]
    again = [name for name, kind in found.items() if kind == "restarts"]
    notes = []
    if rises:
        notes.append(f"{_some(rises)} only rise{'s' * (len(rises) == 1)}: a meter or counter?")
    if again:
        verb = "rises and starts" if len(again) == 1 else "rise and start"
        notes.append(f"{_some(again)} {verb} again from zero: a counter?")
    return notes


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def numbers_rows(name: str, values: Array) -> bool:
    """Whether a column only numbers the rows: called so, and whole numbers in even steps."""
    if not _ROW_NAMES.match(name.strip()) or len(values) < 3 or not np.isfinite(values).all():
        return False
    steps = np.diff(values)
    usual = float(np.median(steps))
    return (
        abs(usual) == 1
        and bool((values == np.round(values)).all())
        and bool((np.sign(steps) == np.sign(usual)).all())
    )


_USUAL: tuple[tuple[str, str, float, float], ...] = (
    (r"hr|bpm|heart ?rate|pulse?|puls|herzfrequenz|fc|frequence cardiaque", "bpm", 25, 250),
    (r"steps?|step ?count|schritte|pas", "count", 0, 1e7),
    (r"cadence|spm", "bpm", 130, 230),
    (r"spo ?2|sao2|oxygen saturation|o2 ?sat|blood oxygen", "%", 50, 100),
    (r"(?:rel(?:ative)? )?humidity|rh|hum|(?:luft)?feuchte|humidite", "%", 2, 100),
    (r"soc|battery(?: level)?|batterie|state of charge|ladezustand", "%", 2, 100),
    (r"lat|latitude", "deg", -90, 90),
    (r"lon|lng|long|longitude", "deg", -180, 180),
    (r"(?:distance|dist|altitude|elevation|ele|height|depth|strecke|hohe|hoehe) m", "m", -1e5, 1e8),
    (r"(?:rr|ibi|nn)(?: interval)?", "ms", 250, 2500),
    (r"(?:body|skin|core) temp(?:erature)?", "degC", 25, 43),
    (r"volume|vol|shares", "count", 1e3, 1e15),
)
_EEG = re.compile(
    r"(?i)(?:eeg ?)?(?:fp[12z]|af[3478z]|f[1-8z]|fc[1-6z]|c[1-6z]|cp[1-6z]|p[1-8z]|t[3-8]|"
    r"po[3478z]|o[12z]|a[12]|m[12])"
)
_AXES = re.compile(r"(?i)(?:acc(?:el(?:eration|erometer)?)?|a)?[_ ]?[xyz]")


def usual_units(columns: Mapping[str, Array]) -> dict[str, str]:
    """Return the units that well-known names have where the numbers fit; others are left out.

    Heart rates and the like go by the name and the range; electrodes by the names of several of
    them; three axes of an accelerometer at rest by the length of their mean.

    Parameters
    ----------
    columns : names of columns without a unit and their values (n,)
    """
    found: dict[str, str] = {}
    for name, values in columns.items():
        words = " ".join(re.findall(r"[^\W_]+", name.casefold()))
        known = values[np.isfinite(values)]
        for form, unit, low, high in _USUAL:
            if known.size and re.fullmatch(form, words):
                middle = np.quantile(known, [0.05, 0.5, 0.95])
                if low <= middle[0] and middle[2] <= high:
                    found[name] = unit
    electrodes = [n for n in columns if _EEG.fullmatch(n)]
    if len(electrodes) >= _FEWEST_ELECTRODES and all(
        1 < float(np.nanstd(columns[n])) < 1000 for n in electrodes
    ):
        found |= dict.fromkeys(electrodes, "uV")
    axes = [n for n in columns if _AXES.fullmatch(n)]
    if len(axes) == 3 and len({n[-1].casefold() for n in axes}) == 3:
        rest = float(np.linalg.norm([np.nanmedian(columns[n]) for n in axes]))
        for unit, size in (("m/s^2", 9.80665), ("g", 1.0), ("mg", 1000.0)):
            if abs(rest / size - 1) < _AT_REST:
                found |= dict.fromkeys(axes, unit)
    return found
