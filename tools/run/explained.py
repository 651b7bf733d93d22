"""Why a run came out as it did, typed: one model for each kind of run."""

from __future__ import annotations

from typing import Annotated, ClassVar

from tool_use_om.tools.call.content import (
    LEFT_OUT,
    OWNS_ALL,
    TASK,
    Channel,
    Content,
    Count,
    End,
    Feature,
    Fraction,
    Hertz,
    Label,
    Measured,
    NamedHead,
    Percent,
    Row,
    Score,
    Seconds,
    Session,
    Share,
    Span,
    Start,
    Text,
    Unit,
    Verdict,
)


class Cadence(Row):
    """Cycles in a second, the median of windows that repeat."""

    median: Hertz
    lower: Hertz
    upper: Hertz
    n: Count
    n_sessions: Count


class Rhythm(Row):
    """How fast something repeats, or why no rhythm is given."""

    cadence_hz: Cadence | None
    period_s: Seconds | None
    why_not: Text | None = None
    rhythm_strength: Score | None = None
    rhythmic_frac: Fraction | None = None


class Trend(Row):
    """A change over time."""

    value: Measured | None
    unit: Unit


class ComponentRow(Row):
    """What a channel is made of within a window: level, trend, season, rest."""

    channel: Channel
    level: Measured | None
    unit: Unit
    trend: Trend
    trend_frac: Fraction | None
    season_frac: Fraction | None
    rest_frac: Fraction | None


class SalientChannel(Row):
    """What is lost when a channel says nothing."""

    channel: Channel
    probability_drop: Score
    accuracy_drop: Score


class Difference(Row):
    """A difference with its interval."""

    value: Score
    lower: Score
    upper: Score


class Faithfulness(Row):
    """Whether losing the salient channel hurts more than losing another."""

    faithful: Verdict | None
    why_not: Text | None = None
    salient_on_each_half: list[Text] | None = None
    salient_drop: Score | None = None
    random_drop: Score | None = None
    difference: Difference | None = None
    salient_accuracy_drop: Score | None = None
    random_accuracy_drop: Score | None = None
    n_windows: Count | None = None
    n_sessions: Count | None = None


class Example(Span):
    """The surest window of what was found."""

    label: Label
    probability: Share


class Near(Span):
    """A stretch that a window was compared with."""

    distance: Score
    label: Label | None


class Counterfactual(Near):
    """The nearest stretch of another label, and how much farther it is than its own."""

    times_farther: Score | None


class Doubted(Span):
    """The stretch that is least certain."""

    label: Label
    confidence: Share


class ClassificationExplained(Content):
    """Rhythm, salient channels, nearest examples, and what would change it."""

    key: ClassVar[str] = "salient_channels"

    task: Annotated[str, TASK]
    explains: Text
    target_label: Annotated[Label | None, OWNS_ALL]
    cadence_hz: Cadence | None = LEFT_OUT
    period_s: Seconds | None = LEFT_OUT
    why_not: Text | None = None
    rhythm_strength: Score | None = None
    rhythmic_frac: Fraction | None = None
    components: list[ComponentRow] | None = None
    salient_channels: list[SalientChannel]
    note: Text | None = None
    faithfulness: Faithfulness
    explains_head: NamedHead | None = None
    note_on_head: Text | None = None
    example: Example | None = None
    nearest_prototypes: list[Near] | None = None
    nearest_windows: list[Near] | None = None
    what_would_change: Counterfactual | None = LEFT_OUT
    least_certain: Doubted | None = None


class ChannelTrend(Row):
    """How a channel's forecasts change over time."""

    channel: Channel
    value: Measured | None
    unit: Unit


class IntervalWidth(Row):
    """How wide the interval is in the first and the last tenth of the horizon."""

    channel: Channel
    first: Measured
    last: Measured
    unit: Unit


class ForecastExplained(Content):
    """Trend, season and how fast the uncertainty grows."""

    key: ClassVar[str] = "interval_width"

    task: Annotated[str, TASK]
    explains: Text
    label: Annotated[Label | None, OWNS_ALL]
    horizon_s: Seconds
    trend: list[ChannelTrend]
    period_s: Seconds | None
    why_not: Text | None = None
    rhythm_strength: Score | None = None
    rhythmic_frac: Fraction | None = None
    season_hz: Cadence | None
    interval_width: list[IntervalWidth]
    error_reduction_pct: Percent | None = None


class ApartRow(Row):
    """A level or spread in which one stretch differs from the others."""

    channel: Channel
    feature: Feature
    value: Measured
    others_median: Measured
    unit: Unit
    z: Score


class SearchExplained(Content):
    """The neighbours' labels and rhythm."""

    key: ClassVar[str] = "most_common_label"

    task: Annotated[str, TASK]
    explains: Text
    labels: dict[Label, Count]
    most_common_label: Text
    most_common_frac: Fraction
    query_rhythm: Rhythm
    neighbours_rhythm: Rhythm
    nearest_to_farthest: Score


class RankingExplained(Content):
    """What sets the session apart that is least like the others."""

    key: ClassVar[str] = "own_rhythm"

    task: Annotated[str, TASK]
    explains: Text
    target_label: Annotated[Label | None, OWNS_ALL]
    session_id: Session
    set_apart_by: list[ApartRow]
    own_rhythm: Rhythm
    others_rhythm: Rhythm


class UnusualExplained(Content):
    """What sets the strangest stretch apart."""

    key: ClassVar[str] = "p_value"

    task: Annotated[str, TASK]
    explains: Text
    session_id: Session
    start_s: Start
    end_s: End
    p_value: Score
    unusual: Verdict
    set_apart_by: list[ApartRow]


KINDS: tuple[type[Content], ...] = (
    ClassificationExplained,
    ForecastExplained,
    SearchExplained,
    RankingExplained,
    UnusualExplained,
)
