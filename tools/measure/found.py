"""What an amount by group finds, typed: a row a group, the ends, and what follows from all."""

from __future__ import annotations

from typing import Annotated

from tool_use_om.tools.call.content import (
    GROUPING,
    Channel,
    Content,
    Count,
    Fraction,
    Group,
    Label,
    Measured,
    Moment,
    Row,
    Seconds,
    Session,
    Share,
    Statistic,
    Text,
    Unit,
    Verdict,
)


class AmountRow(Row):
    """The amount of one group.

    `n` samples, stretches or smaller groups are behind it; `part` says that less than three
    quarters of the group's time was recorded; `share_frac` is of the time recorded.
    """

    group: Group | None = None
    value: Measured
    unit: Unit
    n: Count
    part: Verdict | None = None
    share_frac: Fraction | None = None
    session_id: Session | None = None
    time: Moment | None = None


class AmountOf(Row):
    """An amount that belongs to no single group."""

    value: Measured
    unit: Unit


class StretchRow(Row):
    """One time that a label holds or a level is passed, and how far."""

    session_id: Session
    start_s: Seconds
    end_s: Seconds
    length_s: Seconds
    from_: Moment | None = None
    to: Moment | None = None
    extreme: Measured | None = None
    unit: Unit | None = None


class Passed(Row):
    """How many groups lie beyond a level, and which of them is the first."""

    n: Count
    of: Count
    above: Verdict
    value: Measured
    unit: Unit
    first: Group | None = None
    last: Group | None = None


class Difference(Row):
    """The first of two groups less the other, and their ratio less one."""

    value: Measured
    unit: Unit
    more_frac: Share | None = None
    first: Text
    other: Text


class Amounts(Content):
    """Amounts by group, the highest first."""

    key = "of"

    of: Text
    statistic: Statistic
    channel: Channel | None = None
    label: Label | None = None
    level: AmountOf | None = None
    upper: AmountOf | None = None
    above: Verdict | None = None
    by: Annotated[Text, GROUPING]
    per: Text | None = None
    n_sessions: Count
    n_groups: Count
    n_parts: Count
    recorded_s: Seconds
    rows: list[AmountRow]
    highest: AmountRow
    lowest: AmountRow
    mean: AmountOf
    total: AmountOf | None = None
    without: list[Group]
    passed: Passed | None = None
    difference: Difference | None = None
    longest: StretchRow | None = None
    first: StretchRow | None = None
    last: StretchRow | None = None
    note: Text | None = None
    zone: Text | None = None
