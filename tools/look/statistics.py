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
    Share,
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
    """One time beyond a level, such as the longest."""

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
    upper: Amount | None = None
    longest: LongestSpell | None = None
    first: LongestSpell | None = None
    last: LongestSpell | None = None


class EndValue(Row):
    """The first or the last value, with its date where it has one."""

    value: Measured
    unit: Unit
    time: Moment | None = None


class ChangeRow(StatisticRow):
    """The last value less the first, and its share of the first."""

    unit: Unit
    change_frac: Share | None = None
    n: Count
    first: EndValue
    last: EndValue


class UnlikeRow(StatisticRow):
    """How far a group is from the others, in the measure that sets it apart most."""

    unit: Unit
    measure: Text
    own: Amount
    usual: Amount
    limit: Score
    stands_out: Verdict


class CadenceRow(OrderedRow):
    """How often a movement repeats, and how often its strongest beat comes."""

    beats: Amount
    rhythmic_frac: Fraction


class DaysBeyond(Row):
    """How many days lie beyond a level."""

    n: Count
    of: Count
    above: Verdict
    channel: Channel
    level: Amount


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
        {"mean", "std", "variance", "min", "max", "range", "rms", "sum", "count"}
    )

    statistic: Statistic
    by: Annotated[Text, GROUPING]
    n_sessions: Count
    labels: Annotated[list[Label], OWNS_ALL]
    session_noun: Text | None = None
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
    """Means, spreads, extremes, sums, numbers of samples; of days, how many lie beyond a level."""

    beyond: DaysBeyond | None = None
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
    """Time above, below or between levels."""

    statistics = frozenset({"time_above", "time_below", "time_between"})

    rows: list[BeyondRow]
    highest: BeyondRow
    lowest: BeyondRow


class Cycles(ChannelStatistics):
    """Cycles, and those of the calendar."""

    statistics = frozenset({"cycle"})

    rows: list[CycleRow]
    highest: CycleRow
    lowest: CycleRow


class Changes(ChannelStatistics):
    """Changes from the first to the last value."""

    statistics = frozenset({"change"})

    rows: list[ChangeRow]
    highest: ChangeRow
    lowest: ChangeRow


class Unlikes(ChannelStatistics):
    """Groups by how unlike the others they are."""

    statistics = frozenset({"unlike"})

    rows: list[UnlikeRow]
    highest: UnlikeRow
    lowest: UnlikeRow


class Cadences(ChannelStatistics):
    """How often movements repeat."""

    statistics = frozenset({"cadence"})

    rows: list[CadenceRow]
    highest: CadenceRow
    lowest: CadenceRow


KINDS: tuple[type[ChannelStatistics], ...] = (
    Moments,
    Ordered,
    Trends,
    Correlations,
    TimesBeyond,
    Cycles,
    Changes,
    Unlikes,
    Cadences,
)


def model_of(statistic: str) -> type[ChannelStatistics]:
    """Return the model of a statistic's results."""
    return next(kind for kind in KINDS if statistic in kind.statistics)
