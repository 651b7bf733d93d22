"""Units: a closed table, forgiving about spelling only."""

from __future__ import annotations

import pytest

from tool_use_om.data.errors import NotFoundError
from tool_use_om.data.units import _SPELLINGS, UNITS, check_unit


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


def test_check_unit_spellings_lead_into_the_table() -> None:
    """Every accepted spelling stands for a unit of the table."""
    assert set(_SPELLINGS.values()) <= set(UNITS)
