"""What a comparison of heads finds, typed."""

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
    Head,
    Label,
    Measured,
    Metric,
    NamedHead,
    Row,
    Score,
    Seconds,
    Text,
    Unit,
    Verdict,
)
from tool_use_om.tools.run.measures import Chance, Estimate, JudgedOn, ShareEstimate


class HeadDifference(Row):
    """The best head minus the second best; clear where its interval leaves out zero."""

    a: NamedHead
    b: NamedHead
    metric: Metric
    value: Score | None
    lower: Score | None
    upper: Score | None
    clear: Verdict


class ErrorEstimate(Estimate):
    """An error with its interval over sessions."""

    value: Measured
    lower: Measured
    upper: Measured
    unit: Unit | None = None

    def in_unit(self, unit: str) -> ErrorEstimate:
        """Return the same with its unit beside it."""
        return ErrorEstimate(**self.to_json() | {"unit": unit or None})


class ClassifierRow(Row):
    """How right one head is."""

    head: Head
    accuracy: ShareEstimate
    macro_f1: Estimate


class ForecasterRow(Row):
    """How far one head is off."""

    head: Head
    mae: ErrorEstimate | None = None
    mase: ErrorEstimate | None = None
    crps: ErrorEstimate | None = None


class ClassifiersCompared(Content):
    """Heads that classify, the best first, on the same held-out windows."""

    key: ClassVar[str] = "repeats"

    task: Annotated[Literal["classify"], TASK] = "classify"
    labels_per_class: Count | None
    repeats: Count
    judged_on: Annotated[JudgedOn, JUDGED]
    rows: list[ClassifierRow]
    best: NamedHead
    difference: HeadDifference
    chance: Annotated[Chance, HELD_OUT]
    rare_labels: dict[Label, Count]
    notes: list[Text]


class ForecastersCompared(Content):
    """Heads that forecast, the best first, on the same held-out futures."""

    key: ClassVar[str] = "horizon_s"

    task: Annotated[Literal["forecast"], TASK] = "forecast"
    horizon_s: Seconds
    channels: list[Channel]
    label: Annotated[Label | None, OWNS_ALL]
    judged_on: Annotated[JudgedOn, JUDGED]
    rows: list[ForecasterRow]
    best: NamedHead
    difference: HeadDifference
    notes: list[Text]
