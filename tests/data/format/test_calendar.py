"""Days, business days and months as even steps, and back as exact dates."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.calendar import (
    STEP_S,
    Calendar,
    Step,
    advance,
    date_text,
    find_step,
    steps_between,
    zone_of,
)

STEPS: list[Step] = ["day", "business_day", "week", "month", "quarter", "year"]


@settings(max_examples=40, deadline=None)
@given(
    step=st.sampled_from(STEPS),
    first=st.dates(date(1950, 1, 1), date(2080, 1, 1)),
    n=st.integers(12, 60),
)
def test_find_step_finds_the_calendar_that_dates_were_made_by(
    step: Step, first: date, n: int
) -> None:
    """Dates made by a step are found to have it, and count one step each."""
    if step in {"month", "quarter", "year"}:
        first = first.replace(day=1)
    start = np.datetime64(first, "us")
    if step == "business_day":
        start = np.busday_offset(np.datetime64(first, "D"), 0, roll="forward").astype("M8[us]")
    dates = advance(start, step, np.arange(n))
    assert find_step(dates) == step
    assert steps_between(dates, step).tolist() == list(range(n))


def test_find_step_reads_month_ends_as_months() -> None:
    """The last days of months are one month apart, whatever their number."""
    dates = np.array(["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29"], "M8[D]")
    assert find_step(dates) == "month"
    assert advance(dates[0].astype("M8[us]"), "month", np.arange(4)).astype("M8[D]").tolist() == (
        dates.tolist()
    )


@pytest.mark.parametrize(
    "dates",
    [
        ["2024-01-01T00:00", "2024-01-01T01:00", "2024-01-01T02:00"],
        ["2024-01-01", "2024-01-05"],
        ["2024-01-01T08:00", "2024-01-02T09:00", "2024-01-03T08:00"],
        ["2024-01-01", "2024-01-04", "2024-01-07", "2024-01-10"],
    ],
)
def test_find_step_leaves_plain_seconds_alone(dates: list[str]) -> None:
    """Hours, two dates, several times of day and every third day are no calendar of its own."""
    assert find_step(np.array(dates, "M8[m]")) is None


def test_stamps_skip_weekends_and_short_months() -> None:
    """The step after Friday 29 November 2024 is Monday; twelve months on is the same day."""
    friday = datetime(2024, 11, 29, tzinfo=UTC)
    week = Calendar(step="business_day").stamps(friday, np.arange(3) * STEP_S["business_day"])
    assert [date_text(s, "business_day") for s in week] == [
        "2024-11-29", "2024-12-02", "2024-12-03",
    ]  # fmt: skip
    year = Calendar(step="month").stamps(datetime(1960, 12, 1, tzinfo=UTC), [12 * STEP_S["month"]])
    assert date_text(year[0], "month") == "1961-12"


def test_stamps_tell_local_time_through_a_change_of_the_clock() -> None:
    """In Berlin the night of 27 October 2024 has 25 hours."""
    calendar = Calendar(zone="Europe/Berlin")
    start = datetime(2024, 10, 26, 22, tzinfo=UTC)
    texts = [date_text(s, None) for s in calendar.stamps(start, np.array([0, 3, 4, 25]) * 3600)]
    assert texts == [
        "2024-10-27 00:00", "2024-10-27 02:00", "2024-10-27 03:00", "2024-10-28 00:00",
    ]  # fmt: skip


def test_an_unknown_zone_is_refused_with_examples() -> None:
    """A zone that does not exist is refused in our words."""
    with pytest.raises(DataError, match="Europe/Berlin"):
        zone_of("Berlin/Europe")
