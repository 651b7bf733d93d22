"""The closed table of units a channel may have, and the spellings accepted on import."""

from __future__ import annotations

from tool_use_om.data.errors import unknown

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
