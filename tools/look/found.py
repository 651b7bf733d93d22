"""What looking at the data finds, typed: sessions, channels, labels, data sets, a selection."""

from __future__ import annotations

from typing import Annotated

from tool_use_om.tools.call.content import (
    OWNS_ALL,
    Channel,
    Content,
    Count,
    DataSetName,
    End,
    Fraction,
    Hertz,
    Label,
    Moment,
    Named,
    Row,
    Seconds,
    Session,
    Span,
    Split,
    Start,
    Subject,
    Text,
    Unit,
    Verdict,
)


class Durations(Row):
    """How long sessions are, and all together."""

    min: Seconds
    median: Seconds
    max: Seconds
    total: Seconds


class ChannelRow(Row):
    """A channel with its unit, sampling rate and period."""

    id: Channel
    unit: Unit
    rate_hz: Hertz
    period_s: Seconds


class SessionLength(Row):
    """The longest or shortest session; `n` are as long."""

    session_id: Session
    duration_s: Seconds
    n: Count


class Dates(Row):
    """The first and the last sample's moment, and how long all of it is."""

    from_: Moment | None
    to: Moment | None
    length_s: Seconds
    n_sessions: Count
    zone: Text | None = None


class SubjectRow(Row):
    """A person with their sessions."""

    subject: Subject
    n_sessions: Count
    total_s: Seconds
    sessions: list[Session]


class LabelRow(Row):
    """A label with its sessions and its time."""

    label: Label
    set: Text
    n_sessions: Count
    sessions_frac: Fraction
    total_s: Seconds
    time_frac: Fraction
    n_stretches: Count


class Hole(Span):
    """A part of a session without a label."""

    length_s: Seconds


class Unlabelled(Row):
    """What has no label in the set that covers most, the longest parts first."""

    total_s: Seconds
    time_frac: Fraction
    n_parts: Count
    n_sessions: Count
    parts: list[Hole]


class LabelStretch(Row):
    """A labelled part of a session."""

    session_id: Session
    label: Label
    start_s: Start
    end_s: End


class HeldStretch(Span):
    """A stretch of one label, with its moments where the session has a date."""

    from_: Moment | None
    to: Moment | None
    length_s: Seconds


class LabelTimes(Row):
    """When a label holds, in order of time; stretches that touch are one, the first few listed.

    `time_frac` is its share of the recorded time that was asked about.
    """

    label: Label
    n_stretches: Count
    n_sessions: Count
    total_s: Seconds
    time_frac: Fraction
    longest: HeldStretch
    shortest: HeldStretch
    last: HeldStretch
    zone: Text | None = None
    stretches: list[HeldStretch]


class LabelsAt(Row):
    """The labels that hold in a session at one second."""

    session_id: Session
    labels: list[Label]


class AtSecond(Row):
    """The labels that hold at one second of each session that is so long."""

    at_s: Seconds
    sessions: list[LabelsAt]
    n_sessions: Count


class SessionsCounted(Content):
    """The sessions that fit what was asked, and what they hold; nothing of them where none fits."""

    dataset: DataSetName
    n_sessions: Count
    n_sessions_total: Count
    n_subjects: Count
    duration_s: Durations
    session_noun: Text | None = None
    sessions_per_label: dict[Label, Count]
    sessions_per_split: dict[Split, Count]
    channels: list[ChannelRow]
    sessions: list[Session]
    selected_s: Seconds | None = None
    longest: SessionLength | None = None
    shortest: SessionLength | None = None
    dates: Dates | None = None
    subjects: list[SubjectRow] | None = None
    labels: list[LabelRow] | None = None
    n_labels: Count | None = None
    label_set: Text | None = None
    unlabelled: Unlabelled | None = None
    stretches: list[LabelStretch] | None = None
    at: AtSecond | None = None
    label_times: list[LabelTimes] | None = None


class DataSetRow(Row):
    """A data set that can be asked about."""

    name: Named
    title: Text
    n_sessions: Count
    n_subjects: Count
    channels: list[Channel]
    labels: dict[str, list[Label]]
    duration_s: Seconds
    synthetic: Verdict


class DataSetsListed(Content):
    """The data sets there are."""

    datasets: list[DataSetRow]


class ChannelsSelected(Content):
    """The channels that later steps use."""

    channels: list[ChannelRow]


class Filtered(Content):
    """What is selected now."""

    n_sessions: Count
    n_segments: Count
    total_s: Seconds
    start_s: Seconds
    end_s: Seconds
    labels: Annotated[list[Label], OWNS_ALL]
    split: Annotated[Split | None, OWNS_ALL]
    sessions: list[Session]
    note: Text | None = None


class Drawn(Content):
    """The sessions and channels of a figure."""

    sessions: list[Session]
    channels: list[Channel]
    n_figures: Count
