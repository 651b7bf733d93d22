"""What a description is made of: one typed row a fact, and the text that says them."""

from __future__ import annotations

from tool_use_om.tools.call.content import (
    Channel,
    Content,
    Count,
    DataSetName,
    End,
    Fraction,
    Measured,
    Row,
    Seconds,
    Session,
    Start,
    Text,
    Unit,
)


class FactRow(Row):
    """A fact of one channel, of a kind of `heads.describe.facts`."""

    channel: Channel
    unit: Unit
    kind: Text


class LevelRow(FactRow):
    """It stays where it is."""

    level: Measured


class ReachRow(FactRow):
    """It is anywhere between two values."""

    low: Measured
    high: Measured


class CourseRow(FactRow):
    """It goes from one value to another."""

    first: Measured
    last: Measured


class OutRow(FactRow):
    """It leaves its course for a moment: how often, how far at most, and when that is."""

    n: Count
    top: Measured
    at_s: Seconds


class PlateauRow(FactRow):
    """It is at a higher level for some of the time."""

    level: Measured
    start_s: Start
    end_s: End


class TurnsRow(ReachRow):
    """It goes between two values again and again."""

    period_s: Seconds


class LimitRow(FactRow):
    """It is at its limit for a share of the time."""

    limit: Measured
    share_frac: Fraction


AnyRow = LevelRow | ReachRow | CourseRow | OutRow | PlateauRow | TurnsRow | LimitRow


class SignalDescribed(Content):
    """A description in words, and the facts it is made of: each number of it is one of theirs."""

    dataset: DataSetName
    session_id: Session
    n_sessions: Count
    start_s: Start
    end_s: End
    rows: list[AnyRow]
    description: Text
    unsaid: list[Channel]
    n_left_out: Count
