"""What a check of the data finds, typed."""

from __future__ import annotations

from tool_use_om.tools.call.content import (
    Content,
    Count,
    DataSetName,
    End,
    Fraction,
    Measured,
    Moment,
    Row,
    Session,
    Start,
    Text,
    Unit,
    Where,
)


class IssueRow(Row):
    """A finding, with where it is worst."""

    kind: Text
    severity: Text
    where: Where
    text: Text
    n_sessions: Count
    session_id: Session | None = None
    other_session: Text | None = None
    start_s: Start | None = None
    end_s: End | None = None
    value: Measured | None = None
    unit: Unit | None = None
    from_: Moment | None = None
    to: Moment | None = None


class Lacking(Row):
    """How many values lack in all, in how many places, and of how many there should be."""

    n_values: Count
    n_places: Count
    share_frac: Fraction


class Checked(Content):
    """What was looked for, how much was read, and what was found, the worst first."""

    dataset: DataSetName
    zone: Text | None = None
    kinds: list[Text]
    n_sessions: Count
    n_sessions_read: Count
    rule: Text
    n_problems: Count
    n_notes: Count
    lacking: Lacking | None = None
    places: dict[str, Count]
    worst: list[IssueRow]
    unchecked: list[Text]
