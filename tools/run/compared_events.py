"""What a comparison of models of one event finds, typed."""

from __future__ import annotations

from typing import Annotated

from tool_use_om.tools.call.content import (
    HELD_OUT,
    Channel,
    Content,
    Count,
    DataSetName,
    Direction,
    Measured,
    Model,
    NamedModel,
    Row,
    Score,
    Seconds,
    Share,
    Text,
    Unit,
    Verdict,
)
from tool_use_om.tools.run.measures import Estimate


class EventModelRow(Row):
    """How well one model tells the event: ranking, and its probabilities against the base rate."""

    model: Model
    auc: Estimate
    skill: Score
    beats_base_rate: Verdict


class EventModelsCompared(Content):
    """Models of one event, the best first, and whether any beats always saying how often it comes.

    `best` is None where none does. `skill` is 1 - Brier / Brier of the base rate.
    """

    dataset: DataSetName
    channel: Channel
    threshold: Measured
    unit: Unit
    relative: Verdict
    direction: Direction
    horizon_s: Seconds
    base_rate: Share
    n_train: Count
    n_windows: Count
    n_events: Count
    rows: Annotated[list[EventModelRow], HELD_OUT]
    best: NamedModel | None
    as_good: list[Text]
    failed: dict[str, Text]
    split: Text
    notes: list[Text]
