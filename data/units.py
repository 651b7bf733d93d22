"""The closed table of units a channel may have, and the spellings accepted on import."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tool_use_om.data.errors import NotFoundError, unknown

UNITS: dict[str, str] = {
    "1": "a number without a unit",
    "a.u.": "arbitrary: the source does not say",
    "%": "percent",
    "m": "metres",
    "m/s": "metres per second",
    "m/s^2": "metres per second squared",
    "g": "standard gravity (9.80665 m/s^2)",
    "mg": "thousandths of standard gravity",
    "deg": "degrees of angle",
    "deg/s": "degrees per second",
    "rad": "radians",
    "rad/s": "radians per second",
    "uT": "microtesla",
    "bpm": "beats per minute",
    "Hz": "per second",
    "s": "seconds",
    "ms": "milliseconds",
    "V": "volts",
    "mV": "millivolts",
    "uV": "microvolts",
    "A": "amperes",
    "W": "watts",
    "kW": "kilowatts",
    "kWh": "kilowatt hours",
    "degC": "degrees Celsius",
    "K": "kelvins",
    "Pa": "pascals",
    "mmHg": "millimetres of mercury",
    "hPa": "hectopascals",
    "N": "newtons",
    "uS": "microsiemens",
    "lx": "lux",
    "dB": "decibels",
    "dBm": "decibels over a milliwatt",
    "B": "bytes",
    "KB": "kilobytes",
    "MB": "megabytes",
    "GB": "gigabytes",
    "KB/s": "kilobytes per second",
    "MB/s": "megabytes per second",
    "MHz": "million per second",
    "count": "how many",
    "mA": "milliamperes",
    "mm": "millimetres",
    "cm": "centimetres",
    "km": "kilometres",
    "mm/s": "millimetres per second",
    "km/h": "kilometres per hour",
    "kg": "kilograms",
    "l": "litres",
    "l/min": "litres per minute",
    "m^3/h": "cubic metres per hour",
    "Nm": "newton metres",
    "rpm": "turns per minute",
    "kHz": "thousand per second",
    "min": "minutes",
    "h": "hours",
    "Wh": "watt hours",
    "MW": "megawatts",
    "bar": "bars",
    "mbar": "millibars",
    "kPa": "kilopascals",
    "degF": "degrees Fahrenheit",
    "ppm": "parts per million",
    "USD": "US dollars",
    "EUR": "euros",
}

_SPELLINGS: dict[str, str] = {
    "": "a.u.",
    "au": "a.u.",
    "unknown": "a.u.",
    "none": "1",
    "unitless": "1",
    "percent": "%",
    "pct": "%",
    "m/s2": "m/s^2",
    "m/s²": "m/s^2",
    "ms^-2": "m/s^2",
    "m/s**2": "m/s^2",
    "°/s": "deg/s",
    "dps": "deg/s",
    "°": "deg",
    "°c": "degC",
    "c": "degC",
    "celsius": "degC",
    "°f": "degF",
    "fahrenheit": "degF",
    "lux": "lx",
    "u/min": "rpm",
    "kmh": "km/h",
    "kph": "km/h",
    "m3/h": "m^3/h",
    "m³/h": "m^3/h",
    "liter": "l",
    "litre": "l",
    "µt": "uT",
    "μt": "uT",
    "µv": "uV",
    "μv": "uV",
    "µs": "uS",
    "μs": "uS",
    "beats/min": "bpm",
    "volts": "V",
    "$": "USD",
    "dollars": "USD",
    "euro": "EUR",
    "€": "EUR",
    "counts": "count",
}


def check_unit(unit: str) -> str:
    """Return the table's spelling of `unit`.

    Exact spellings win, then known other spellings, then the one entry that differs only in case.

    Raises
    ------
    NotFoundError : a unit that is not in the table; "a.u." stands for "the source does not say"
    """
    text = unit.strip()
    if text in UNITS:
        return text
    if text.casefold() in _SPELLINGS:
        return _SPELLINGS[text.casefold()]
    same = [u for u in UNITS if u.casefold() == text.casefold()]
    if len(same) == 1:
        return same[0]
    raise unknown("unit", unit, UNITS)


_BRACKETS = re.compile(r"[\[(]\s*([^\])]{1,20}?)\s*[\])]\s*$")
_SUFFIX_UNITS: dict[str, str] = {
    "kw": "kW", "kwh": "kWh", "wh": "Wh", "mv": "mV", "uv": "uV", "ma": "mA",
    "hz": "Hz", "khz": "kHz", "hpa": "hPa", "kpa": "kPa", "pa": "Pa", "bar": "bar", "mbar": "mbar",
    "mmhg": "mmHg", "degc": "degC", "celsius": "degC", "degf": "degF", "rpm": "rpm", "bpm": "bpm",
    "lux": "lx", "db": "dB", "dbm": "dBm", "mm": "mm", "cm": "cm", "km": "km", "kg": "kg",
    "deg": "deg", "rad": "rad", "ppm": "ppm", "ms2": "m/s^2", "dps": "deg/s", "pct": "%",
    "percent": "%", "usd": "USD", "eur": "EUR", "mm_s": "mm/s", "m_s": "m/s", "m_s2": "m/s^2",
    "km_h": "km/h", "kmh": "km/h", "kph": "km/h", "deg_s": "deg/s", "rad_s": "rad/s",
    "l_min": "l/min", "m3_h": "m^3/h", "w": "W",
}  # fmt: skip
_CAPITALS = {"V": "V", "A": "A", "W": "W", "N": "N", "C": "degC", "K": "K", "F": "degF"}


def unit_in_name(name: str) -> str | None:
    """Return the unit that a column's own name ends with, None where it says none.

    "Wirkleistung_kW", "vibration_mm_s", "Temp (°C)"; a single small letter is no unit, and a
    single capital one only after "_".
    """
    bracket = _BRACKETS.search(name)
    if bracket:
        try:
            return check_unit(bracket.group(1))
        except NotFoundError:
            return None
    words = name.split()
    if len(words) > 1 and len(words[-1]) > 1 and words[-1] in UNITS:
        return words[-1]
    found = _suffix_unit(name)
    if found is None and ("°C" in name or "degC" in name):
        return "degC"
    return "%" if found is None and name.rstrip().endswith("%") else found


def _suffix_unit(name: str) -> str | None:
    parts = [p for p in re.split(r"[_\s.-]+", name.strip()) if p]
    for size in (2, 1):
        end = "_".join(parts[-size:])
        if len(parts) <= size:
            continue
        if size == 1 and len(end) == 1:
            return _CAPITALS.get(end) if "_" in name else None
        if end.casefold() in _SUFFIX_UNITS:
            return _SUFFIX_UNITS[end.casefold()]
    return None


# written form (folded) → (family, factor to the family's base unit)
_TABLE: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ("s", 1.0)),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), ("s", 1e-3)),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), ("s", 60.0)),
    **dict.fromkeys(("h", "hour", "hours"), ("s", 3600.0)),
    **dict.fromkeys(("day", "days"), ("s", 86400.0)),
    **dict.fromkeys(("hz", "hertz", "1/s"), ("hz", 1.0)),
    "khz": ("hz", 1e3),
    **dict.fromkeys(("/h", "1/h", "per hour"), ("hz", 1 / 3600)),
    **dict.fromkeys(("/day", "1/day", "per day"), ("hz", 1 / 86400)),
    **dict.fromkeys(("bpm", "/min", "1/min", "steps/min", "beats/min"), ("hz", 1 / 60)),
    **dict.fromkeys(("%", "percent", "per cent", "pct", "pp"), ("fraction", 0.01)),
    **dict.fromkeys(("frac", "fraction"), ("fraction", 1.0)),
    **dict.fromkeys(("a.u", "a.u.", "au", "arbitrary units"), ("a.u.", 1.0)),
    **dict.fromkeys(("deg/s", "°/s", "dps"), ("deg/s", 1.0)),
    **dict.fromkeys(("degc", "°c"), ("degC", 1.0)),
    **dict.fromkeys(("g", "m", "rad/s", "deg", "rad", "v", "w", "usd"), ("", 1.0)),
    "mv": ("v", 1e-3),
    **dict.fromkeys(("uv", "µv", "μv"), ("v", 1e-6)),
    **dict.fromkeys(("kg", "mm", "cm", "km", "kw", "kwh", "km/h", "db", "m/s"), ("", 1.0)),
    "m/s^2": ("m/s^2", 1.0),
    "kb": ("byte", 1e3),
    "mb": ("byte", 1e6),
    "gb": ("byte", 1e9),
}


_PHRASES = {
    "steps per minute": "bpm",
    "beats per minute": "bpm",
    "per minute": "bpm",
    "steps a minute": "bpm",
    "percentage points": "%",
    "per cent": "%",
    "arbitrary units": "a.u.",
}


_SUFFIXES = {"_s": "s", "_ms": "ms", "_hz": "Hz", "_frac": "frac", "_pct": "%", "_mb": "MB"}


_NOT_UNITS = {"", "1", "-", "none", "unitless", "count"}


_POWER = re.compile(r"\([^()\s]{1,12}\)\s?(?:\^\d|[²³])")


_WORD = re.compile(r"[A-Za-zµμ°%/][A-Za-z0-9µμ°%/^²·.]*")


NUMBERED_GAP = r"[\s\u00a0\u202f]?[-\u2010\u2011]?"


@dataclass(frozen=True)
class Unit:
    """A unit's family and the factor that brings a number to the family's base unit."""

    family: str
    factor: float = 1.0


def read_unit(text: str | None) -> Unit | None:
    """Return a result's unit, None for a plain number.

    Units that are not in the table stand for themselves.
    """
    folded = _fold(text or "")
    if folded in _NOT_UNITS:
        return None
    family, factor = _TABLE.get(folded, (folded, 1.0))
    return Unit(family or folded, factor)


def unit_named(text: str, known: frozenset[str]) -> Unit | None:
    """Return the unit that `text` is the name of, None where it is another word.

    Parameters
    ----------
    known : unit families that occur in the results
    """
    unit = read_unit(text)
    return unit if unit and (_fold(text) in _TABLE or unit.family in known) else None


def unit_of_key(key: str) -> str | None:
    """Return the unit a result's key ends with, None where it says none."""
    return next((unit for end, unit in _SUFFIXES.items() if key.endswith(end)), None)


def unit_after(text: str, known: frozenset[str]) -> Unit | None:
    """Return the unit `text` begins with, as it follows a number in prose.

    Parameters
    ----------
    known : unit families that occur in the results, so that a literal unit of theirs is recognised;
        any other word after a number ("40 sessions") is a noun, not a unit
    """
    gap = re.match(NUMBERED_GAP, text)
    rest = text[gap.end() if gap else 0 :]
    for phrase, written in _PHRASES.items():
        if rest.casefold().startswith(phrase):
            return read_unit(written)
    word = _POWER.match(rest) or _WORD.match(rest)
    for candidate in _shorter(word.group()) if word else ():
        if unit := unit_named(candidate, known):
            return unit
    return None


def _shorter(word: str) -> list[str]:
    """Return the word, and it without the punctuation that ends a clause."""
    return [word, word.rstrip("."), word.partition("/")[0].rstrip(".")]


def _fold(text: str) -> str:
    folded = text.strip().casefold().replace("²", "^2").replace("³", "^3").replace("·", "*")
    return folded.replace("(", "").replace(")", "").replace(" ", "").replace("**", "^")


# from how many of a unit on a time is told in it; one hour and one day are told as such, too
_LONG = ((86_400.0, "days", 2.0), (3600.0, "h", 2.0), (60.0, "min", 10.0))
_RARE = ((60.0, "/min"), (3600.0, "/h"), (86_400.0, "/day"))
_SELDOM_HZ = 0.1  # less often than that is told by the minute, hour or day
_WHOLE = {3600.0: (1.0, "h"), 86_400.0: (1.0, "day")}


def for_people(value: float, unit: str) -> tuple[float, str]:
    """Return a value in the unit people would tell it in: 86 400 s is 1 day, 0.00028 Hz is 1/h.

    Parameters
    ----------
    value, unit : as a result has them; units other than s and Hz stay
    """
    size = abs(value)
    if unit.casefold() == "s":
        if size in _WHOLE:
            return math.copysign(_WHOLE[size][0], value), _WHOLE[size][1]
        for length, name, times in _LONG:
            if size >= times * length:
                return value / length, name
    elif unit.casefold() == "hz" and 0 < size < _SELDOM_HZ:
        for length, name in _RARE:
            if size * length >= 1 - 1e-6:
                return round(value * length, 5), name
    return value, unit


def duration_text(seconds: float) -> str:
    """Return a length of time as people say it: "6 h", "1 day", "90 s"."""
    value, unit = for_people(seconds, "s")
    return f"{value:.3g} {unit}"
