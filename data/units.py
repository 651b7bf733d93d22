"""The closed table of units: what a channel may have, how each is written, what converts into what.

One line adds a unit: on import, in a column's name, in a question, in a result and in an answer it
is then known by all its spellings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from tool_use_om.data.errors import NotFoundError, unknown
from tool_use_om.data.format.calendar import MONTH_S


@dataclass(frozen=True)
class UnitRow:
    """One unit.

    Parameters
    ----------
    name : as channels and results have it
    says : what it is, in words
    family : units of one family convert into each other; "" = into no other
    factor : what one of it is in the family's base unit
    also : other spellings, separated by ``|``
    ends : further endings of a column's name that mean it ("speed_kph"), besides the unit's own
    channel : a channel may have it
    column : the name of a column may end with it ("flow_l_min"); not "x_min", which is a minimum
    """

    name: str
    says: str
    family: str = ""
    factor: float = 1.0
    also: str = ""
    ends: str = ""
    channel: bool = True
    column: bool = True

    @property
    def written(self) -> tuple[str, ...]:
        """All spellings, the name first."""
        return (self.name, *filter(None, self.also.split("|")))


_ROWS: tuple[UnitRow, ...] = (
    UnitRow("1", "a number without a unit", also="none|unitless|-", column=False),
    UnitRow("a.u.", "arbitrary: the source does not say",
            also="au|a.u|a. u.|unknown|arbitrary units", column=False),
    UnitRow("count", "how many", also="counts", column=False),
    UnitRow("%", "percent", "fraction", 0.01, "percent|pct|per cent|pp|percentage points",
            ends="pct|percent"),
    UnitRow("frac", "a share of one", "fraction", 1.0, "fraction", channel=False, column=False),
    UnitRow("ppm", "parts per million", "fraction", 1e-6),
    UnitRow("s", "seconds", "time", 1.0, "sec|secs|second|seconds", column=False),
    UnitRow("ms", "milliseconds", "time", 1e-3, "msec|msecs|millisecond|milliseconds",
            column=False),
    UnitRow("min", "minutes", "time", 60.0, "mins|minute|minutes", column=False),
    UnitRow("h", "hours", "time", 3600.0, "hr|hrs|hour|hours", column=False),
    UnitRow("d", "days", "time", 86400.0, "day|days", column=False),
    UnitRow("week", "weeks", "time", 604800.0, "weeks|wk", channel=False, column=False),
    UnitRow("fortnight", "two weeks", "time", 1209600.0, channel=False, column=False),
    UnitRow("month", "nominal months", "time", MONTH_S, "months", channel=False, column=False),
    UnitRow("year", "nominal years", "time", 12 * MONTH_S, "years|yr|yrs",
            channel=False, column=False),
    UnitRow("Hz", "per second", "rate", 1.0, "hertz|1/s"),
    UnitRow("kHz", "thousand per second", "rate", 1e3),
    UnitRow("MHz", "million per second", "rate", 1e6),
    UnitRow("bpm", "beats per minute", "rate", 1 / 60,
            "beats/min|beats per minute|steps/min|steps per minute|steps a minute|per minute|/min"),
    UnitRow("1/min", "per minute", "rate", 1 / 60),
    UnitRow("1/h", "per hour", "rate", 1 / 3600, "per hour|/h"),
    UnitRow("1/day", "per day", "rate", 1 / 86400, "per day|/day"),
    UnitRow("rpm", "turns per minute", "rate", 1 / 60,
            "u/min|rev/min|revolutions per minute|turns per minute"),
    UnitRow("m", "metres", "length", 1.0, "metre|metres|meter|meters", column=False),
    UnitRow("mm", "millimetres", "length", 1e-3, "millimetre|millimetres|millimeter|millimeters"),
    UnitRow("cm", "centimetres", "length", 1e-2, "centimetre|centimetres|centimeter|centimeters"),
    UnitRow("km", "kilometres", "length", 1e3, "kilometre|kilometres|kilometer|kilometers"),
    UnitRow("inch", "inches", "length", 0.0254, "inches", column=False),
    UnitRow("ft", "feet", "length", 0.3048, "foot|feet"),
    UnitRow("mi", "miles", "length", 1609.344, "mile|miles"),
    UnitRow("m/s", "metres per second", "speed", 1.0, "metres per second|meters per second"),
    UnitRow("mm/s", "millimetres per second", "speed", 1e-3, "millimetres per second"),
    UnitRow("km/h", "kilometres per hour", "speed", 1 / 3.6, "kmh|kph|kilometres per hour",
            ends="kmh|kph"),
    UnitRow("mph", "miles per hour", "speed", 0.44704, "miles per hour|mi/h"),
    UnitRow("m/s^2", "metres per second squared", "acceleration", 1.0, "ms2|ms-2", ends="ms2"),
    UnitRow("g", "standard gravity (9.80665 m/s^2)", "acceleration", 9.80665, column=False),
    UnitRow("mg", "thousandths of standard gravity", "acceleration", 9.80665e-3, column=False),
    UnitRow("deg", "degrees of angle", "angle", 1.0, "°"),
    UnitRow("rad", "radians", "angle", 57.29577951308232, "radians"),
    UnitRow("deg/s", "degrees per second", "turning", 1.0, "°/s|dps|degrees per second",
            ends="dps"),
    UnitRow("rad/s", "radians per second", "turning", 57.29577951308232, "radians per second"),
    UnitRow("V", "volts", "voltage", 1.0, "volt|volts"),
    UnitRow("kV", "kilovolts", "voltage", 1e3, "kilovolts"),
    UnitRow("mV", "millivolts", "voltage", 1e-3, "millivolts"),
    UnitRow("uV", "microvolts", "voltage", 1e-6, "µv|microvolts"),
    UnitRow("A", "amperes", "current", 1.0, "ampere|amperes|amps"),
    UnitRow("mA", "milliamperes", "current", 1e-3, "milliamps"),
    UnitRow("W", "watts", "power", 1.0, "watt|watts"),
    UnitRow("kW", "kilowatts", "power", 1e3, "kilowatt|kilowatts"),
    UnitRow("MW", "megawatts", "power", 1e6, "megawatt|megawatts", column=False),
    UnitRow("Wh", "watt hours", "energy", 1.0, "watt hours"),
    UnitRow("kWh", "kilowatt hours", "energy", 1e3, "kilowatt hours"),
    UnitRow("MWh", "megawatt hours", "energy", 1e6, "megawatt hours"),
    UnitRow("J", "joules", "energy", 1 / 3600, "joule|joules"),
    UnitRow("uS", "microsiemens", "conductance", 1.0, "µs|microsiemens"),
    UnitRow("uT", "microtesla", "field", 1.0, "µt|microtesla"),
    UnitRow("degC", "degrees Celsius", "degC", 1.0,
            "°c|C|celsius|deg c|degrees c|degree celsius|degrees celsius|degree|degrees",
            ends="celsius"),
    UnitRow("degF", "degrees Fahrenheit", "degF", 1.0, "°f|F|fahrenheit|degrees fahrenheit"),
    UnitRow("K", "kelvins", "kelvin", 1.0, "kelvin|kelvins"),
    UnitRow("Pa", "pascals", "pressure", 1.0, "pascal|pascals"),
    UnitRow("hPa", "hectopascals", "pressure", 100.0, "hectopascals"),
    UnitRow("kPa", "kilopascals", "pressure", 1e3, "kilopascals"),
    UnitRow("bar", "bars", "pressure", 1e5),
    UnitRow("mbar", "millibars", "pressure", 100.0, "millibars"),
    UnitRow("psi", "pounds per square inch", "pressure", 6894.757293168),
    UnitRow("inHg", "inches of mercury", "pressure", 3386.389, "inches of mercury"),
    UnitRow("mmHg", "millimetres of mercury", "pressure", 133.322387415),
    UnitRow("N", "newtons", "force", 1.0, "newton|newtons"),
    UnitRow("kN", "kilonewtons", "force", 1e3, "kilonewtons"),
    UnitRow("Nm", "newton metres", "torque", 1.0, "newton metres", column=False),
    UnitRow("kg", "kilograms", "mass", 1.0, "kilogram|kilograms|kilos"),
    UnitRow("lb", "pounds", "mass", 0.45359237, "lbs|pound|pounds", ends="lbs|pounds"),
    UnitRow("t", "tonnes", "mass", 1e3, "tonne|tonnes", column=False),
    UnitRow("l", "litres", "volume", 1e-3, "litre|litres|liter|liters", column=False),
    UnitRow("ml", "millilitres", "volume", 1e-6, "millilitres|milliliters"),
    UnitRow("m^3", "cubic metres", "volume", 1.0, "cubic metres|cubic meters"),
    UnitRow("l/min", "litres per minute", "flow", 1 / 60000, "litres per minute"),
    UnitRow("m^3/h", "cubic metres per hour", "flow", 1 / 3600, "cubic metres per hour"),
    UnitRow("mg/dL", "milligrams per decilitre", also="milligrams per decilitre"),
    UnitRow("mmol/L", "millimoles per litre", also="millimoles per litre"),
    UnitRow("ug/m^3", "micrograms per cubic metre", also="µg/m3"),
    UnitRow("lx", "lux", also="lux", ends="lux"),
    UnitRow("dB", "decibels", also="decibel|decibels"),
    UnitRow("dBm", "decibels over a milliwatt"),
    UnitRow("B", "bytes", "bytes", 1.0, "byte|bytes", column=False),
    UnitRow("KB", "kilobytes", "bytes", 1e3, "kilobytes"),
    UnitRow("MB", "megabytes", "bytes", 1e6, "megabytes"),
    UnitRow("GB", "gigabytes", "bytes", 1e9, "gigabytes"),
    UnitRow("KB/s", "kilobytes per second", "bytes a second", 1e3),
    UnitRow("MB/s", "megabytes per second", "bytes a second", 1e6),
    UnitRow("USD", "US dollars", also="$|dollar|dollars"),
    UnitRow("EUR", "euros", also="€|euro|euros"),
    UnitRow("GBP", "pounds sterling", also="£|pounds sterling"),
)  # fmt: skip

_CURRENCIES = "USD EUR GBP"
# a quantity's everyday words → its units, and what a channel's name has for it
_QUANTITIES: tuple[tuple[str, str, str], ...] = (
    ("electricity|energy|electricity consumption|electricity usage|energy consumption|energy usage|"
     "consumption|usage", "kWh Wh MWh kW W MW", "electricity energy consumption usage"),
    ("temperature|temp|warm", "degC K degF", "temp temperature"),
    ("price|cost|quote", _CURRENCIES, "price close cost quote"),
    ("sales|turnover", _CURRENCIES, "sales turnover"),
    ("pressure", "bar Pa hPa kPa mbar psi", "press pressure"),
    ("humidity", "", "hum humidity"),
    ("heart rate|pulse", "bpm", "hr pulse"),
    ("glucose|sugar|blood sugar|blood glucose", "mg/dL mmol/L", "glucose sugar"),
    ("water", "l m^3", "water"),
    ("speed|velocity", "m/s km/h", "speed velocity"),
    ("vibration", "m/s^2 g mm/s", "vibration vib"),
    ("acceleration|accelerometer", "m/s^2 g", "acc acceleration accelerometer"),
    ("volume", "", "vol volume"),
)  # fmt: skip


def measured_as(quantity: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the units of an everyday quantity, and the words that names of it have.

    Parameters
    ----------
    quantity : in small letters ("heart rate"); both are empty for what is none
    """
    for words, units, named in _QUANTITIES:
        if quantity in words.split("|"):
            return frozenset(units.split()), frozenset(named.split())
    return frozenset(), frozenset()


UNITS: dict[str, str] = {row.name: row.says for row in _ROWS if row.channel}
"""The units a channel may have → what they are."""

_PLAIN = frozenset({"", "1", "count"})  # what is no unit but a number
_KEYS = {"_s": "s", "_ms": "ms", "_hz": "Hz", "_frac": "frac", "_pct": "%", "_mb": "MB"}
_NO_SHOW = frozenset({"frac", "1"})


def _fold(text: str) -> str:
    """Return a unit without case, spaces, brackets and marks of a power: m/s², (m/s)^2, M/S2."""
    folded = text.strip().casefold().replace("²", "2").replace("³", "3").replace("·", "*")
    return re.sub(r"\*\*|[()\s^]", "", folded)


def _by_spelling() -> dict[str, UnitRow]:
    """Return folded spelling → its unit; a spelling that folds like two units is left to them."""
    found: dict[str, list[UnitRow]] = {}
    for row in _ROWS:
        for spelling in row.written:
            rows = found.setdefault(_fold(spelling), [])
            rows += [row] if row not in rows else []
    return {folded: rows[0] for folded, rows in found.items() if len(rows) == 1}


_NAMED = {row.name: row for row in _ROWS}
_SPELLED = _by_spelling()


def _row_of(text: str) -> UnitRow | None:
    return _NAMED.get(text.strip()) or _SPELLED.get(_fold(text))


def check_unit(unit: str) -> str:
    """Return the table's spelling of `unit`; an empty one is "a.u.".

    Raises
    ------
    NotFoundError : a unit that is not in the table; "a.u." stands for "the source does not say"
    """
    row = _row_of(unit or "a.u.") if unit.strip() else _NAMED["a.u."]
    if row is None or not row.channel:
        raise unknown("unit", unit, UNITS)
    return row.name


_WORDS = re.compile(r"[^\W\d_]{2,20}(?:[ -][^\W\d_]{2,20})?")


def is_own_unit(unit: str) -> bool:
    """Say whether a unit is somebody's own: a word or two that are near no unit of the table."""
    folded = _fold(unit)
    return bool(_WORDS.fullmatch(unit)) and not any(
        OSA.distance(folded, known, score_cutoff=1) <= 1 for known in _SPELLED
    )


def own_or_known(unit: str) -> str:
    """Return the table's spelling of `unit`, or a person's own unit ("passengers") as written.

    Raises
    ------
    NotFoundError : a unit that is neither in the table nor a word or two far from all in it
    """
    kept = " ".join(unit.split())
    return kept if is_own_unit(kept) else check_unit(unit)


def kept_units(units: Iterable[str]) -> list[str]:
    """Return what to say of the units that are kept as a person wrote them, each once."""
    own = dict.fromkeys(u for u in units if is_own_unit(u))
    return [f"unit {u!r} is kept as it is" for u in own]


_BRACKETS = re.compile(r"[\[(]\s*([^\])]{1,20}?)\s*[\])]\s*$")
_COLUMNS = [row for row in _ROWS if row.channel and row.column]
_CAPITALS = {
    spelling: row.name
    for row in _COLUMNS
    for spelling in row.written
    if len(spelling) == 1 and spelling.isupper()
}
# what a column's name may end with, folded and with "_" for "/"
_ENDINGS = {
    _fold(ending).replace("/", "_"): row.name
    for row in _COLUMNS
    for ending in (row.name, *filter(None, row.ends.split("|")))
    if len(ending) > 1
}


def unit_in_name(name: str) -> str | None:
    """Return the unit that a column's own name ends with, None where it says none.

    "Wirkleistung_kW", "vibration_mm_s", "Temp (°C)"; a single small letter is no unit, and a
    single capital one only after "_".
    """
    bracket = _BRACKETS.search(name)
    if bracket:
        try:
            return check_unit({"in": "inch"}.get(bracket.group(1), bracket.group(1)))
        except NotFoundError:
            return None
    words = name.split()
    if len(words) > 1 and len(words[-1]) > 1 and words[-1] in UNITS:
        return words[-1]
    rate = _row_of(words[-1]) if words and "/" in words[-1] else None
    if rate is not None and rate in _COLUMNS:
        return rate.name
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
        if end.casefold() in _ENDINGS:
            return _ENDINGS[end.casefold()]
    return None


@dataclass(frozen=True)
class Unit:
    """A unit's family and the factor that brings a number to the family's base unit."""

    family: str
    factor: float = 1.0


def read_unit(text: str | None) -> Unit | None:
    """Return a result's unit, None for a plain number.

    Units that are not in the table stand for themselves.
    """
    row = _row_of(text or "1")
    if row is None:
        return Unit(_fold(text or ""))
    return None if row.name in _PLAIN else Unit(row.family or row.name, row.factor)


def is_measure(word: str) -> bool:
    """Say whether a word is a unit of measure, not of time: "km", "kWh", "degrees"."""
    row = _row_of(word) if len(word) > 1 else None
    return row is not None and row.name not in _PLAIN and row.family != "time"


def unit_of_key(key: str) -> str | None:
    """Return the unit a result's key ends with, None where it says none."""
    return next((unit for end, unit in _KEYS.items() if key.endswith(end)), None)


def unit_in_words(unit: str | None) -> str:
    """Return a unit as people write it behind a number: "m/s²", nothing for a plain one."""
    row = _row_of(unit or "1")
    text = str(unit)
    if row is None or (_fold(text) != _fold(row.name) and text not in row.ends.split("|")):
        name = text  # written in words already: "days", "/h"
    else:
        name = "" if row.name in _NO_SHOW else row.name
    squared = re.sub(r"\^2$", "²", re.sub(r"\^3$", "³", "" if unit is None else name))
    return re.sub(r"^\(([^()/]*)\)²$", r"\1²", squared)


def spellings(*families: str) -> Iterator[tuple[str, str, float]]:
    """Yield (spelling, unit, factor) of each unit, of all families if none is named.

    The spellings are as the table has them, neither folded nor in any order of length.
    """
    for row in _ROWS:
        if not families or row.family in families:
            for spelling in row.written:
                yield spelling, row.name, row.factor


# from how many of a unit on a time is told in it; one hour and one day are told as such, too
_LONG = (
    (12 * MONTH_S, "years", 2.0), (86_400.0, "days", 2.0), (3600.0, "h", 2.0), (60.0, "min", 10.0),
)  # fmt: skip
_RARE = ((60.0, "/min"), (3600.0, "/h"), (86_400.0, "/day"))
_SELDOM_HZ = 0.1  # less often than that is told by the minute, hour or day
_WHOLE = {3600.0: (1.0, "h"), 86_400.0: (1.0, "day")}
_NEAR = 1e-4  # relative; so near to whole months or years a time is told in them
SPANS = {
    "seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86_400.0, "weeks": 604_800.0,
    "months": MONTH_S, "quarters": 3 * MONTH_S, "years": 12 * MONTH_S,
}  # fmt: skip
"""Units that a length of time may be asked for in → seconds; months and years nominal."""


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
        if (whole := _in_months(size)) is not None:
            return math.copysign(whole[0], value), whole[1]
        for length, name, times in _LONG:
            if size >= times * length:
                return value / length, name
    elif unit.casefold() == "hz" and 0 < size < _SELDOM_HZ:
        for length, name in _RARE:
            if size * length >= 1 - 1e-6:
                return round(value * length, 5), name
    return value, unit


def _in_months(seconds: float) -> tuple[float, str] | None:
    """Return a time of whole nominal months in months, from two years on in years."""
    months = seconds / MONTH_S
    whole = round(months)
    if whole < 1 or abs(months - whole) > _NEAR * months:
        return None
    if whole >= 24:
        return whole / 12, "years"
    return (1.0, "year") if whole == 12 else (float(whole), "months" if whole > 1 else "month")


def in_span(seconds: float, unit: str) -> tuple[float, str]:
    """Return a length of time in the unit it was asked for in, and the unit's word for so many.

    Parameters
    ----------
    unit : one of `SPANS`
    """
    value = seconds / SPANS[unit]
    near = round(value)
    value = float(near) if abs(value - near) <= _NEAR * max(abs(value), 1.0) else value
    return value, unit.removesuffix("s") if value == 1 else unit


_ADDS_UP = frozenset({"energy", "volume", "mass"})
_ADDED = frozenset({"count"})


def adds_up(unit: str) -> bool:
    """Say whether values in a unit are amounts of their time, so that a day's are summed."""
    row = _row_of(unit)
    if row is None:
        return is_own_unit(unit)
    return row.family in _ADDS_UP or row.name in _ADDED


def duration_text(seconds: float) -> str:
    """Return a length of time as people say it: "6 h", "1 day", "90 s"."""
    value, unit = for_people(seconds, "s")
    return f"{value:.3g} {unit}"
