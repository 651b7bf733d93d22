"""Units: a closed table, forgiving about spelling only."""

from __future__ import annotations

import pytest

from tool_use_om.data.errors import NotFoundError
from tool_use_om.data.units import (
    MONTH_S,
    SPANS,
    UNITS,
    Unit,
    check_unit,
    duration_text,
    in_span,
    own_or_known,
    read_unit,
    spellings,
    unit_in_name,
    unit_in_words,
)


@pytest.mark.parametrize(
    ("written", "unit"),
    [("g", "g"), (" m/s2 ", "m/s^2"), ("BPM", "bpm"), ("°C", "degC"), ("", "a.u."), ("MV", "mV")],
)
def test_check_unit_returns_the_table_spelling(written: str, unit: str) -> None:
    """Other spellings become the table's own, also those that differ in case only."""
    assert check_unit(written) == unit


def test_check_unit_names_the_nearest_when_unknown() -> None:
    """A unit outside the table is refused and the nearest known one named."""
    with pytest.raises(NotFoundError, match="m/s\\^2"):
        check_unit("m/s^3")


def test_check_unit_takes_every_spelling_of_the_table() -> None:
    """A spelling that two units share is left to neither; all others lead into the table."""
    for spelling, unit, _ in spellings():
        if unit in UNITS:
            assert check_unit(spelling) == unit


@pytest.mark.parametrize("unit", [u for u in UNITS if u not in {"1", "count"}])
def test_unit_of_a_channel_is_read_as_itself(unit: str) -> None:
    """Every unit has a family and a factor above zero, in whatever case and spacing."""
    found = read_unit(unit)
    assert found is not None
    assert found.factor > 0
    assert check_unit(unit_in_words(unit)) == unit


@pytest.mark.parametrize(
    ("one", "other", "times"),
    [
        ("kWh", "Wh", 1000), ("km/h", "m/s", 1 / 3.6), ("mm/s", "m/s", 1e-3), ("bar", "hPa", 1000),
        ("mV", "uV", 1000), ("g", "m/s^2", 9.80665), ("rpm", "Hz", 1 / 60), ("%", "frac", 0.01),
        ("h", "min", 60), ("m^3/h", "l/min", 1000 / 60), ("kW", "W", 1000),
    ],
)  # fmt: skip
def test_units_of_one_family_convert(one: str, other: str, times: float) -> None:
    """A number in one unit is so many in the other."""
    a, b = read_unit(one), read_unit(other)
    assert a is not None and b is not None  # noqa: PT018 - both, for the type checker
    assert a.family == b.family
    assert a.factor / b.factor == pytest.approx(times)


@pytest.mark.parametrize(("one", "other"), [("degC", "degF"), ("kWh", "kW"), ("USD", "EUR")])
def test_units_of_two_families_do_not_convert(one: str, other: str) -> None:
    """What has another zero, another meaning or a rate that changes is never converted."""
    a, b = read_unit(one), read_unit(other)
    assert a is not None and b is not None  # noqa: PT018 - both, for the type checker
    assert a.family != b.family


def test_unit_outside_the_table_stands_for_itself() -> None:
    """A derived unit is read the same however its power is written; a plain number has none."""
    assert read_unit("(a.u.)^2") == read_unit("(a.u.)²") == Unit("a.u.2")
    assert read_unit("1") is read_unit(None) is read_unit("count") is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Wirkleistung_kW", "kW"), ("vibration_mm_s", "mm/s"), ("flow_l_min", "l/min"),
        ("temp_C", "degC"), ("Druck (hPa)", "hPa"), ("v_kph", "km/h"), ("x_min", None),
        ("heading_degrees", None), ("Power", None), ("flow_meter", None),
        ("glucose_mg_dL", "mg/dL"),
    ],
)  # fmt: skip
def test_unit_in_the_name_of_a_column(name: str, unit: str | None) -> None:
    """A column's own name may say its unit; what may be another word is left open."""
    assert unit_in_name(name) == unit


@pytest.mark.parametrize("unit", ["passengers", "parts made", "bookings"])
def test_own_unit_is_kept_as_written_and_never_converted(unit: str) -> None:
    """A word or two that no known unit is near stand for themselves."""
    assert own_or_known(f" {unit} ") == unit_in_words(unit) == unit
    found, length = read_unit(unit), read_unit("m")
    assert found is not None and length is not None  # noqa: PT018 - both, for the type checker
    assert found.family != length.family


@pytest.mark.parametrize("unit", ["secnds", "kwg", "m/s^3", "a b c", "litrs"])
def test_slip_of_a_known_unit_is_asked_back(unit: str) -> None:
    """What is one letter from a known unit, or no word, is no own unit."""
    with pytest.raises(NotFoundError):
        own_or_known(unit)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (144 * MONTH_S, "12 years"), (MONTH_S, "1 month"), (12 * MONTH_S, "1 year"),
        (18 * MONTH_S, "18 months"), (60 * 86_400, "60 days"), (5 * 365.2425 * 86_400, "5 years"),
        (6 * 3600, "6 h"), (86_400, "1 day"),
    ],
)  # fmt: skip
def test_lengths_are_told_as_people_say_them(seconds: float, told: str) -> None:
    """Whole months in months, from two years on in years; days stay days."""
    assert duration_text(seconds) == told


@pytest.mark.parametrize(
    ("unit", "told"), [("weeks", (40.0, "weeks")), ("hours", (6720.0, "hours"))]
)
def test_a_length_is_told_in_the_unit_asked_for(unit: str, told: tuple[float, str]) -> None:
    """280 days are 40 weeks; one is said as one."""
    assert in_span(280 * 86_400, unit) == told
    assert in_span(SPANS[unit], unit) == (1.0, unit.removesuffix("s"))


@pytest.mark.parametrize(
    ("written", "unit"),
    [("lb", "lb"), ("lbs", "lb"), ("pounds", "lb"), ("mmol/l", "mmol/L"), ("mg/dl", "mg/dL")],
)
def test_units_of_scales_and_meters_are_known_in_any_spelling(written: str, unit: str) -> None:
    """As given, in brackets and, of a rate, bare behind a name or alone; pounds are weighed."""
    assert own_or_known(written) == unit
    assert unit_in_name(f"Level ({written})") == unit
    if "/" in written:
        assert unit_in_name(f"Scan Glucose {written}") == unit_in_name(written) == unit
    else:
        assert read_unit(written) == Unit("mass", 0.45359237)
