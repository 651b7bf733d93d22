"""What searching, ranking, looking for repeats and looking for the unusual find, typed."""

from __future__ import annotations

from typing import ClassVar, Literal

from tool_use_om.tools.call.content import (
    Content,
    Count,
    Measured,
    Name,
    Row,
    Score,
    Seconds,
    Share,
    Text,
    Verdict,
)


class Stretch(Row):
    """A part of a session, with its label where it has one."""

    session_id: Name
    start_s: Seconds
    end_s: Seconds
    label: Name | None = None


class Searched(Row):
    """What was searched through."""

    sessions: Count
    windows: Count | None = None


class NeighbourRow(Row):
    """A stretch like the query; smaller distances are more alike."""

    session_id: Name
    start_s: Seconds
    end_s: Seconds
    distance: Score
    label: Name | None


class NeighboursFound(Content):
    """The stretches most like a query."""

    key: ClassVar[str] = "neighbours"

    task: Literal["retrieve"] = "retrieve"
    head: Name
    query: Stretch
    channels: list[Name]
    n_searched: Searched
    neighbours: list[NeighbourRow]
    notes: list[Text]


class RankedSession(Row):
    """A session and how far it is from the others of its label."""

    session_id: Name
    distance: Score
    nearest_session: Name | None = None
    n_windows: Count | None = None


class SessionsRanked(Content):
    """The sessions of one label, the most unlike the others first."""

    key: ClassVar[str] = "ranking"

    task: Literal["retrieve"] = "retrieve"
    head: Name
    target_label: Name
    channels: list[Name]
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

    task: Literal["retrieve"] = "retrieve"
    head: Name
    length_s: Seconds
    channels: list[Name]
    n_searched: Searched
    motifs: list[MotifRow]
    meaning: Text
    notes: list[Text]


class Amount(Row):
    """How much something was compared with."""

    n_sessions: Count
    n_windows: Count


class ScoredWindow(Row):
    """One window and how unusual it is."""

    session_id: Name
    start_s: Seconds
    end_s: Seconds
    score: Score
    p_value: Score
    unusual: Verdict
    label: Name | None = None


class ScorePart(Row):
    """What one view of several says of a window, in usual spreads of that view's scores."""

    view: Name
    score: Score


class Outlier(Row):
    """Samples of one channel that stand out from what is usual for it.

    Of a series that goes like a price it is a step: `change_frac` of the value before, and the
    usual ends are shares, too.
    """

    session_id: Name
    channel: Name
    kind: Name
    start_s: Seconds
    end_s: Seconds
    at_s: Seconds
    date: Name | None = None
    value: Measured
    unit: Name
    usual_low: Measured
    usual_high: Measured
    deviations: Score
    change_frac: Share | None = None


class Scan(Row):
    """What stands out in the whole of a long series, sample by sample."""

    n_found: Count
    n_samples: Count
    found: list[Outlier]
    zone: Name | None = None


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
    measured_on: Name


class UnusualFound(Content):
    """The windows of one session, the most unusual first."""

    key: ClassVar[str] = "most_unusual"

    task: Literal["anomaly"] = "anomaly"
    head: Name
    query_session: Name
    channels: list[Name]
    compared_with: Amount
    n_windows: Count
    n_unusual: Count
    threshold: Score
    most_unusual: ScoredWindow
    parts: list[ScorePart] | None = None
    windows: list[ScoredWindow]
    scan: Scan | None = None
    irregular: Irregular | None = None
    coverage: ThresholdCoverage
    notes: list[Text]
