"""What several runs measure in one way, typed: intervals, coverage, drift, who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from tool_use_om.tools.call.content import (
    Count,
    EachOf,
    Fraction,
    Megabytes,
    Metric,
    Model,
    NamedHead,
    NamedModel,
    Row,
    Score,
    Seconds,
    Share,
    Split,
    Text,
    Verdict,
)

if TYPE_CHECKING:
    from tool_use_om.heads.numeric.metrics import Interval
    from tool_use_om.heads.trust.conformal import Coverage as Measured


class Estimate(Row):
    """A score with its interval over groups; `note` where the interval is a guess."""

    value: Score
    lower: Score
    upper: Score
    n: Count
    n_groups: Count
    note: Text | None = None

    @classmethod
    def of(cls, found: Interval) -> Self:
        """Return an interval as results show it."""
        return cls(
            value=found.value,
            lower=found.lower,
            upper=found.upper,
            n=found.n,
            n_groups=found.n_groups,
            note=found.note or None,
        )


class ShareEstimate(Estimate):
    """A share of cases with its interval over groups."""

    value: Share
    lower: Share
    upper: Share


class Ends(Row):
    """A value with its interval, without what it was measured on."""

    value: Score
    lower: Score
    upper: Score

    @classmethod
    def of(cls, found: Interval) -> Self:
        """Return an interval as short as results show it."""
        return cls(value=found.value, lower=found.lower, upper=found.upper)


class Coverage(Row):
    """How often sets or intervals hold the truth, asked for and measured."""

    nominal: Share
    empirical: Share
    lower: Share | None
    upper: Share | None
    n: Count

    @classmethod
    def of(cls, found: Measured) -> Self:
        """Return a measured coverage as results show it."""
        return cls(
            nominal=found.nominal,
            empirical=found.empirical,
            lower=found.lower,
            upper=found.upper,
            n=found.n,
        )


class SetCoverage(Coverage):
    """The same of prediction sets, with how large they are and what calibrated them."""

    mean_set_size: Score
    empty_frac: Fraction
    by: Text
    fallback_labels: list[Text]
    n_calibration_sessions: Count
    calibrated_on: Text


class Drift(Row):
    """Whether the sessions that are judged are like those calibrated on."""

    between: list[Split]
    p_value: Score | None
    drifted: Verdict | None
    why_not: Text | None = None
    distance: Score | None = None
    n_sessions: Annotated[list[Count] | None, EachOf("between")] = None


class Chance(Row):
    """What naming the commonest label always would reach."""

    accuracy: Share


class JudgedOn(Row):
    """What a run was judged on."""

    split: Split
    n_sessions: Count | None = None
    n_windows: Count | None = None
    unit: Text | None = None
    of_one_series: Verdict | None = None
    unit_of_labels: Text | None = None


class Candidate(Row):
    """One who could answer: what it reached on folds and on the test sessions, and its size."""

    model: Model
    kind: Text
    weight: Score | None = None
    folds: Ends
    test: Ends | Score | None = None
    memory_mb: Megabytes | None = None


class GateDifference(Row):
    """The best fallback against the head, on the folds."""

    a: NamedHead
    b: NamedHead
    metric: Metric
    value: Score
    lower: Score
    upper: Score
    clear: Verdict


class Gate(Row):
    """Whether a model of samples answers in the head's place, and why."""

    n_folds: Count | None = None
    compared_on: Text | None = None
    escalated: Verdict
    answered_by: NamedModel
    why: Text | None = None
    why_not: Text | None = None
    metric: Metric | None = None
    rows: list[Candidate] | None = None
    difference: GateDifference | None = None


class Vote(Row):
    """Who answers together, and how much each counts."""

    answered_by: NamedModel
    metric: Metric | None = None
    test_metric: Text | None = None
    unit: Text | None = None
    n_folded: Count | None = None
    n_backtested: Count | None = None
    budget_s: Seconds | None = None
    rows: list[Candidate] | None = None
    why: Text | None = None
    why_not: Text | None = None
