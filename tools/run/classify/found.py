"""What a classification finds, by labels or by descriptions, typed."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from tool_use_om.tools.call.content import (
    HELD_OUT,
    JUDGED,
    OWNS_ALL,
    TASK,
    Content,
    Count,
    Fraction,
    Hertz,
    Label,
    NamedHead,
    NamedModel,
    Row,
    Score,
    Share,
    Span,
    Text,
    Verdict,
)
from tool_use_om.tools.run.measures import (
    Chance,
    Drift,
    Estimate,
    Gate,
    JudgedOn,
    SetCoverage,
    ShareEstimate,
    Vote,
)


class TrainedOn(Row):
    """What was learned from; `rare_labels` have fewer sessions than were asked for."""

    n_sessions: Count
    n_windows: Count
    rare_labels: dict[Label, Count] | None = None


class Metrics(Row):
    """How right it is on what was held out."""

    accuracy: ShareEstimate
    macro_f1: Estimate


class PrecisionRecall(Row):
    """How right it is about one label; None where it was never said, or is never there."""

    precision: Share | None
    recall: Share | None
    n_windows: Count


class Abstention(Row):
    """How much is left open, and how right the rest is."""

    max_set_size: Count
    abstained_frac: Fraction
    n_answered: Count
    accuracy_answered: ShareEstimate | None


class SaidStretch(Span):
    """A stretch that is said to have a label."""

    label: Label
    confidence: Share
    in_prediction_set: Verdict | None
    n_windows: Count


class FoundStretch(SaidStretch):
    """The same, with the share of it that the held-out labels confirm."""

    confirmed_frac: Fraction | None


class Classified(Content):
    """Where a label (or each) was found in the held-out sessions, and how right that is."""

    key: ClassVar[str] = "n_segments"

    task: Annotated[Literal["classify"], TASK] = "classify"
    head: NamedHead
    answered_by: NamedModel
    trained_on: TrainedOn
    judged_on: Annotated[JudgedOn, JUDGED]
    metrics: Annotated[Metrics, HELD_OUT]
    chance: Annotated[Chance, HELD_OUT]
    target: Annotated[PrecisionRecall | None, HELD_OUT] = None
    coverage: Annotated[SetCoverage | None, HELD_OUT]
    abstention: Annotated[Abstention | None, HELD_OUT]
    drift: Drift | None
    gate: Gate | None
    vote: Vote | None
    target_label: Annotated[Label | None, OWNS_ALL]
    n_segments: Count
    n_sessions_found: Count
    segments: list[FoundStretch]
    notes: list[Text]


class DescribedMetrics(Row):
    """How right it is where labels have the names of the descriptions."""

    accuracy: ShareEstimate


class Confusion(Row):
    """What was said of the windows of one label."""

    label: Label
    said: dict[Label, Count]


class Matching(Row):
    """The windows that are as described."""

    n_windows: Count
    n_sessions: Count


class BorneOut(Matching):
    """The same, with how far labels of that name agree."""

    n_labelled: Count
    labelled_found_frac: Fraction
    found_labelled_frac: Fraction | None
    labelled_cadence_hz: Hertz | None


class ClosestWindow(Span):
    """A window and how near it is to what was described."""

    matches: Verdict
    score: Score
    cadence_hz: Hertz | None
    regularity: Score


class DescribedWindow(Span):
    """A window and the description that fits it best."""

    label: Label
    probability: Share
    fits: Verdict


class Described(Content):
    """Which windows are as described in words, no label used."""

    key: ClassVar[str] = "described"

    task: Annotated[Literal["classify"], TASK] = "classify"
    head: NamedHead
    described: list[Text]
    n_windows: Count
    n_sessions: Count
    found: dict[Label, Count]
    fits: Score
    metrics: Annotated[DescribedMetrics | None, HELD_OUT]
    confusion: list[Confusion] | None
    target_label: Annotated[Label | None, OWNS_ALL]
    matching: BorneOut | Matching | None = None
    closest: list[ClosestWindow] | None = None
    segments: list[DescribedWindow]
    meaning: Text
    notes: list[Text]
