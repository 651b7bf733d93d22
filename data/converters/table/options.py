"""What a person may say about a table; everything left out is found by evidence, and said."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tool_use_om.data.converters.table.files.cells import Cells, Decimal
from tool_use_om.data.converters.table.roles import NONE, Roles
from tool_use_om.data.converters.table.times.column import ClockOptions, Order, TimeUnit
from tool_use_om.data.format.calendar import zone_of


class TableOptions(BaseModel):
    """How to read a table; column names are the file's own, "none" says there is no such column.

    `time` may name two columns as "Date+Time". `units` maps a column, or the beginning of several
    columns' names, to a unit; others get the unit their name ends with, else "a.u.". `rate_hz` is
    measured (one over the mean step, drop-outs left out) unless given; with it no time column is
    needed. `time_unit` "auto" reads dates as dates, large numbers as Unix time, others as their
    name and steps say. `tz` is the zone of dates written without one. `sensor` and `value` are the
    columns of a table in long form, one row a reading. `missing` are numbers that stand for
    missing values, "none" keeps what looks like one. `sheet` is the sheet of a workbook.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: str | None = None
    session: str | None = None
    subject: str | None = None
    label: str | None = None
    split: str | None = None
    sensor: str | None = None
    value: str | None = None
    units: dict[str, str] = Field(default_factory=dict)
    skip: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    sheet: str | None = None
    rate_hz: float | None = Field(default=None, ge=1e-10, le=1e9, allow_inf_nan=False)
    time_unit: TimeUnit = "auto"
    order: Order = "auto"
    tz: str | None = None
    decimal: Decimal = "auto"
    separator: str = "auto"
    encoding: str = "auto"
    modality: str = "signal"
    title: str = ""
    licence: str = "not stated"
    split_by: Literal["auto", "session", "time"] = "auto"

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, tz: str | None) -> str | None:
        if tz is not None:
            zone_of(tz)
        return tz

    @field_validator("missing")
    @classmethod
    def _numbers(cls, missing: tuple[str, ...]) -> tuple[str, ...]:
        for text in missing:
            if text != NONE and not re.fullmatch(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", text):
                raise ValueError("should be numbers such as -99,9999, or none")
        return missing

    def roles(self, cells: Cells) -> Roles:
        """Return the uses of columns that were named."""
        time: tuple[str, ...] = ()
        if self.time is not None:
            whole = self.time in cells.columns or "+" not in self.time
            time = (self.time,) if whole else tuple(p.strip() for p in self.time.split("+"))
        return Roles(
            time=time,
            session=self.session,
            subject=self.subject,
            label=self.label,
            sensor=self.sensor,
            value=self.value,
        )

    def clock(self, cells: Cells) -> ClockOptions:
        """Return how the time column is read."""
        return ClockOptions(
            unit=self.time_unit,
            order=self.order,
            zone=self.tz,
            european=cells.decimal == ",",
            spreadsheet=cells.spreadsheet,
        )
