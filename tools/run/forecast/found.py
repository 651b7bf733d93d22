"""What a forecast says and how good such forecasts are, typed."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from tool_use_om.tools.call.content import (
    HELD_OUT,
    JUDGED,
    OWNS_ALL,
    TASK,
    Channel,
    Content,
    Count,
    Direction,
    End,
    Label,
    Measured,
    Metric,
    Moment,
    NamedHead,
    NamedModel,
    Row,
    Score,
    Seconds,
    Session,
    Share,
    Start,
    Text,
    Unit,
    Verdict,
)
from tool_use_om.tools.run.measures import Coverage, Drift, Gate, JudgedOn, Vote


class ForecastError(Row):
    """An error with its interval over sessions, and the baseline's beside it."""

    value: Measured
    unit: Unit
    baseline: Measured
    lower: Measured
    upper: Measured
    n: Count
    n_groups: Count


class ForecastErrors(Row):
    """The errors that could be measured: mixed units are not averaged, constants have no scale."""

    mae: ForecastError | None = None
    mase: ForecastError | None = None
    crps: ForecastError | None = None


class ForecastDifference(Row):
    """The head's error minus the baseline's, window by window."""

    metric: Metric
    value: Measured
    unit: Unit
    lower: Measured
    upper: Measured


class Brier(Row):
    """The squared error of chances, with its interval."""

    value: Score
    lower: Score
    upper: Score
    n: Count


class Reliability(Row):
    """How often it came where it was said to be about so likely."""

    probability: Share
    came: Share
    n: Count


class Event(Row):
    """How likely a channel reaches a level, and how well such chances were known before."""

    channel: Channel
    threshold: Measured
    unit: Unit
    direction: Direction
    horizon_s: Seconds
    probability: Share
    probability_not: Share
    base_rate: Share
    brier: Brier
    brier_of_base_rate: Score
    skill: Score | None
    reliability: list[Reliability]
    n_paths: Count
    meaning: Text


class Total(Row):
    """The steps of a forecast together, of power as energy."""

    value: Measured
    unit: Unit


class ForecastRow(Row):
    """The forecast of one channel past the end of one stretch."""

    session_id: Session
    channel: Channel
    unit: Unit
    start_s: Start
    end_s: End
    start_date: Moment | None = None
    end_date: Moment | None = None
    mean: Measured
    min: Measured
    max: Measured
    lower: Measured
    upper: Measured
    total: Total | None = None
    probability: Share | None = None


class ForecastStep(Row):
    """One step of a forecast on the calendar."""

    date: Moment
    median: Measured
    lower: Measured
    upper: Measured
    unit: Unit


class Forecasted(Content):
    """What comes next, with intervals, and the errors of such forecasts on held-out futures."""

    key: ClassVar[str] = "forecasts"

    task: Annotated[Literal["forecast"], TASK] = "forecast"
    head: NamedHead
    answered_by: NamedModel
    horizon_s: Seconds
    told_s: Seconds | None = None
    period: Text | None = None
    context_s: Seconds
    channels: list[Channel]
    label: Annotated[Label | None, OWNS_ALL]
    judged_on: Annotated[JudgedOn, JUDGED]
    metrics: Annotated[ForecastErrors, HELD_OUT]
    beats_baseline: Verdict
    difference: ForecastDifference
    coverage: Annotated[Coverage, HELD_OUT]
    event: Event | None = None
    n_forecasts: Count
    forecasts_from: Text
    forecasts: list[ForecastRow]
    steps: list[ForecastStep]
    zone: Text | None = None
    gate: Gate | None
    vote: Vote | None
    drift: Drift
    notes: list[Text]
