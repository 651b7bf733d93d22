"""What searching, ranking, looking for repeats and looking for the unusual find, typed."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from tool_use_om.tools.call.content import (
    HELD_OUT,
    OWNS_ALL,
    TASK,
    Channel,
    Content,
    Count,
    End,
    Label,
    Measured,
    Moment,
    NamedHead,
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


class Stretch(Span):
    """A part of a session, with its label where it has one."""

    label: Label | None


class Searched(Row):
    """What was searched through."""

    sessions: Count
    windows: Count | None = None


class NeighbourRow(Span):
    """A stretch like the query; smaller distances are more alike."""

    distance: Score
    label: Label | None


class NeighboursFound(Content):
    """The stretches most like a query."""

    key: ClassVar[str] = "neighbours"

    task: Annotated[Literal["retrieve"], TASK] = "retrieve"
    head: NamedHead
    query: Span
    channels: list[Channel]
    n_searched: Searched
    neighbours: list[NeighbourRow]
    notes: list[Text]


class RankedSession(Row):
    """A session and how far it is from the others of its label."""

    session_id: Session
    distance: Score
    nearest_session: Text | None = None
    n_windows: Count | None = None


class SessionsRanked(Content):
    """The sessions of one label, the most unlike the others first."""

    key: ClassVar[str] = "ranking"

    task: Annotated[Literal["retrieve"], TASK] = "retrieve"
    head: NamedHead
    target_label: Annotated[Label, OWNS_ALL]
    channels: list[Channel]
    n_sessions: Count
    most_unlike: RankedSession
    most_typical: RankedSession
    ranking: list[RankedSession]
    meaning: Text
    notes: list[Text]


class MotifRow(Row):
    """Two stretches that repeat each other."""

    distance: Score
    first: Stretch
    second: Stretch


class MotifsFound(Content):
    """What recurs, the best repeats first."""

    key: ClassVar[str] = "motifs"

    task: Annotated[Literal["retrieve"], TASK] = "retrieve"
    head: NamedHead
    length_s: Seconds
    channels: list[Channel]
    n_searched: Searched
    motifs: list[MotifRow]
    meaning: Text
    notes: list[Text]


class Amount(Row):
    """How much something was compared with."""

    n_sessions: Count
    n_windows: Count


class ScoredWindow(Span):
    """One window and how unusual it is."""

    score: Score
    p_value: Score
    unusual: Verdict


class TopWindow(ScoredWindow):
    """The most unusual window, with its label where it has one."""

    label: Label | None


class ScorePart(Row):
    """What one view of several says of a window, in usual spreads of that view's scores."""

    view: Text
    score: Score


class Outlier(Row):
    """Samples of one channel that stand out from what is usual for it.

    Of a series that goes like a price it is a step: `change_frac` of the value before, where the
    others usually lie between `step_low_frac` and `step_high_frac`.
    """

    session_id: Session
    channel: Channel
    kind: Text
    start_s: Start
    end_s: End
    at_s: Seconds
    date: Moment | None = None
    value: Measured
    unit: Unit
    usual_low: Measured
    usual_high: Measured
    deviations: Score
    change_frac: Share | None = None
    step_low_frac: Share | None = None
    step_high_frac: Share | None = None


class Scan(Row):
    """What stands out in the whole of a long series, sample by sample."""

    n_found: Count
    n_samples: Count
    found: list[Outlier]
    zone: Text | None = None


class Irregular(Row):
    """Time stamps that leave much of an even grid empty, and what was done about it."""

    empty: Share
    bridged_s: Seconds


class ThresholdCoverage(Row):
    """The share of usual windows under the threshold, asked for and measured."""

    nominal: Share
    empirical: Share
    lower: Share | None = None
    upper: Share | None = None
    n: Count
    measured_on: Text


class UnusualFound(Content):
    """The windows of one session, the most unusual first."""

    key: ClassVar[str] = "most_unusual"

    task: Annotated[Literal["anomaly"], TASK] = "anomaly"
    head: NamedHead
    query_session: Annotated[Session, OWNS_ALL]
    channels: list[Channel]
    compared_with: Amount
    n_windows: Count
    n_unusual: Count
    threshold: Score
    most_unusual: TopWindow
    parts: list[ScorePart] | None = None
    windows: list[ScoredWindow]
    scan: Scan | None = None
    irregular: Irregular | None = None
    coverage: Annotated[ThresholdCoverage, HELD_OUT]
    notes: list[Text]
