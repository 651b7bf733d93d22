"""What a statistic of channels finds, typed: a row a channel and group, each kind its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from tool_use_om.tools.call.content import (
    GROUPING,
    OWNS_ALL,
    Channel,
    Content,
    Count,
    Fraction,
    Group,
    Label,
    Measured,
    Moment,
    Percent,
    Row,
    Score,
    Seconds,
    Session,
    Statistic,
    Text,
    Unit,
    Verdict,
)


class Amount(Row):
    """A value in the unit beside it."""

    value: Measured
    unit: Unit


class StatisticRow(Row):
    """What every row has: its channel, its group where there are groups, and the number."""

    channel: Channel
    group: Group | None = None
    value: Measured


class MomentRow(StatisticRow):
    """A statistic of samples in any order; extremes say where, sums of power what energy it is."""

    unit: Unit
    n: Count
    energy: Amount | None = None
    session_id: Session | None = None
    at_s: Seconds | None = None
    time: Moment | None = None


class OrderedRow(StatisticRow):
    """A quantile, or the first or last value with where it is."""

    n: Count
    session_id: Session | None = None
    at_s: Seconds | None = None
    time: Moment | None = None
    unit: Unit


class TrendRow(StatisticRow):
    """A change over time, with its interval where there are samples enough."""

    unit: Unit
    per: Text
    lower: Measured | None = None
    upper: Measured | None = None
    over: Text
    course: Text
    interval_pct: Percent
    span_s: Seconds
    n: Count


class CorrelationRow(Row):
    """How two channels go together."""

    channel: Channel
    other: Text
    group: Group | None = None
    value: Score
    unit: Unit
    lower: Score | None
    upper: Score | None
    clear: Verdict
    interval_pct: Percent
    n: Count


class LongestSpell(Row):
    """The longest time beyond a level."""

    session_id: Session
    length_s: Seconds
    start_s: Seconds
    end_s: Seconds
    time: Moment | None = None


class BeyondRow(StatisticRow):
    """How long, how much of the time and how often a channel is beyond a level."""

    unit: Unit
    share_frac: Fraction
    n_times: Count
    n: Count
    level: Amount
    longest: LongestSpell | None = None


class CycleFound(Row):
    """A cycle, of the calendar by name or of any length, and how much it explains."""

    name: Text | None = None
    period_s: Seconds
    strength_frac: Fraction
    n_cycles: Score
    clear: Verdict | None = None
    n_sessions: Count | None = None
    n_with: Count | None = None


class CycleRow(StatisticRow):
    """Whether a channel has a cycle, and how strong those of the calendar are."""

    unit: Unit
    clear: Verdict
    n: Count
    cycle: CycleFound | None = None
    calendar: list[CycleFound]


class ChannelStatistics(Content):
    """One statistic of channels, the highest first."""

    statistics: ClassVar[frozenset[str]] = frozenset(
        {"mean", "std", "variance", "min", "max", "range", "rms", "sum"}
    )

    statistic: Statistic
    by: Annotated[Text, GROUPING]
    n_sessions: Count
    labels: Annotated[list[Label], OWNS_ALL]
    n_rows: Count
    percent: Score | None = None
    note: Text | None = None
    zone: Text | None = None
    rows: list[Any]
    highest: Any
    lowest: Any
    ratio: Score | None

    @classmethod
    def is_of(cls, content: Mapping[str, Any]) -> bool:
        """Tell whether a result of the tool is of this statistic."""
        return content.get("statistic") in cls.statistics


class Moments(ChannelStatistics):
    """Means, spreads, extremes, sums."""

    rows: list[MomentRow]
    highest: MomentRow
    lowest: MomentRow


class Ordered(ChannelStatistics):
    """Medians and percentiles, first and last values."""

    statistics = frozenset({"median", "percentile", "first", "last"})

    rows: list[OrderedRow]
    highest: OrderedRow
    lowest: OrderedRow


class Trends(ChannelStatistics):
    """Changes over time."""

    statistics = frozenset({"trend"})

    rows: list[TrendRow]
    highest: TrendRow
    lowest: TrendRow


class Correlations(ChannelStatistics):
    """How each two channels go together."""

    statistics = frozenset({"correlation"})

    rows: list[CorrelationRow]
    highest: CorrelationRow
    lowest: CorrelationRow


class TimesBeyond(ChannelStatistics):
    """Time above or below a level."""

    statistics = frozenset({"time_above", "time_below"})

    rows: list[BeyondRow]
    highest: BeyondRow
    lowest: BeyondRow


class Cycles(ChannelStatistics):
    """Cycles, and those of the calendar."""

    statistics = frozenset({"cycle"})

    rows: list[CycleRow]
    highest: CycleRow
    lowest: CycleRow


KINDS: tuple[type[ChannelStatistics], ...] = (
    Moments,
    Ordered,
    Trends,
    Correlations,
    TimesBeyond,
    Cycles,
)


def model_of(statistic: str) -> type[ChannelStatistics]:
    """Return the model of a statistic's results."""
    return next(kind for kind in KINDS if statistic in kind.statistics)
