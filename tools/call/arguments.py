"""The arguments of every tool: what a language model fills in, described and checked."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from tool_use_om.data.format.schema import Split
from tool_use_om.data.quality.issue import IssueKind
from tool_use_om.heads.classify.descriptions import ActivityDescription
from tool_use_om.heads.contract.spec import Task
from tool_use_om.tokenizers.spec import Precision
from tool_use_om.tokenizers.windows.config import PartialConfig
from tool_use_om.tools.call.settings import head_settings


def as_names(value: object) -> object:
    """Accept one name, or names in one comma-separated string, where a list is meant."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(as_names)]
RareLabels = Literal["take", "leave_out"]
Statistic = Literal[
    "mean", "std", "variance", "min", "max", "range", "rms", "median", "percentile", "sum",
    "first", "last", "trend", "correlation", "time_above", "time_below", "time_between", "cycle",
    "count", "unlike", "cadence", "change",
]  # fmt: skip
Hour = Annotated[int, Field(ge=0, le=23)]
Weekday = Annotated[int, Field(ge=0, le=6)]
Month = Annotated[int, Field(ge=1, le=12)]
IsoDate = Annotated[str, AfterValidator(lambda text: date.fromisoformat(text).isoformat())]
Seconds = Annotated[float, Field(ge=0)]


_MOST = 2**53


class Arguments(BaseModel):
    """Base of all arguments: unknown ones are refused, and so are NaN and Infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _countable(cls, given: Any) -> Any:  # noqa: ANN401 - whatever a model wrote
        for name, value in given.items() if isinstance(given, dict) else ():
            if isinstance(value, int) and abs(value) > _MOST:
                raise ValueError(f"{name} is beyond any count: at most {_MOST}")
        return given


class ListDatasets(Arguments):
    """No arguments."""


class SessionFilters(Arguments):
    """Which sessions (and which labelled parts of them) are meant; nothing given means all."""

    sessions: Names | None = Field(default=None, description="Session ids.")
    labels: Names | None = Field(
        default=None, description="Keep only parts with one of these labels."
    )
    subjects: Names | None = Field(default=None, description="Subject ids.")
    split: Split | None = Field(default=None, description="Keep one split only.")
    min_duration_s: Seconds | None = Field(
        default=None, description="Keep sessions of at least this many seconds."
    )
    max_duration_s: Seconds | None = Field(
        default=None, description="Keep sessions of at most this many seconds."
    )


class ShowSessionStats(SessionFilters):
    """Which sessions to count."""

    dataset: str | None = Field(
        default=None, description="Data set to open and select; default: current."
    )
    at_s: Seconds | None = Field(
        default=None, description="Also say which labels hold at this second of the sessions."
    )
    stretches_of: Names | None = Field(
        default=None, description="Also tell when these labels hold: their stretches in the data."
    )


class ShowChannelStats(Arguments):
    """What to compute over the working set."""

    channels: Names | None = Field(
        default=None, description="Channel ids or a modality name; default: the selected channels."
    )
    by: Literal["channel", "label", "session", "subject", "hour", "weekday", "month", "date"] = (
        Field(
            default="channel",
            description="One row for each channel, or for each channel and group; the hour of the "
            "day, weekday, month and date need sessions with dates.",
        )
    )
    statistic: Statistic = Field(
        default="std",
        description="The number to compute. time_above, time_below: seconds beyond `threshold`, "
        "time_between: up to `upper`; trend: change over time; cycle: how long a recurring cycle "
        "is; correlation: of each two channels; count: of samples; unlike: which session, subject "
        "or date is unlike the others; cadence: repeats a second; change: last less first value.",
    )
    percent: float | None = Field(
        default=None, ge=0, le=100, description="Which percentile (statistic 'percentile')."
    )
    threshold: float | None = Field(
        default=None, description="The level of time_above and time_below, in the channel's unit."
    )
    upper: float | None = Field(
        default=None, description="The upper level of time_between, in the channel's unit."
    )


Grouping = Literal[
    "whole", "hour", "date", "night", "week", "weekday", "month", "year", "weekend", "parts",
    "periods", "half", "session", "subject", "label",
]  # fmt: skip
Period = Annotated[list[IsoDate], Field(min_length=2, max_length=2)]
Part = Annotated[list[Hour], Field(min_length=2, max_length=2)]


class MeasureAmounts(Arguments):
    """An amount by group: what of which channel or label, in which groups, how put together."""

    of: Literal["value", "rise", "energy", "return", "time", "events"] = Field(
        default="value",
        description="value: of the channel; rise: what a counter went up by; energy: power over "
        "time; return: percent over the group before; time, events: how long, how often a label "
        "holds or the channel is beyond the level.",
    )
    channel: str | None = Field(default=None, description="Not needed for a label.")
    label: str | None = Field(default=None, description="For time and events.")
    above: float | None = Field(default=None, description="Level, in the channel's unit.")
    below: float | None = Field(default=None, description="Level; with above: between both.")
    statistic: Literal["mean", "median", "min", "max", "range", "std", "sum", "first", "last",
                       "change"] = Field(
        default="mean", description="Within each group."
    )  # fmt: skip
    by: Grouping = Field(
        default="whole",
        description="What is compared. night: noon to noon; weekend: against working days; half: "
        "first and second of each session.",
    )
    per: Grouping | None = Field(
        default=None, description="First an amount for each of these, then their mean by group."
    )
    parts: list[Part] | None = Field(
        default=None, description="For parts: hours of the day, such as [[6, 14], [14, 22]]."
    )
    periods: list[Period] | None = Field(
        default=None, description="For periods: first and last dates, both included."
    )
    passing: float | None = Field(
        default=None, description="Also count the groups whose amount is above this."
    )
    passing_below: bool = Field(default=False, description="Count those below it instead.")


class SelectChannels(Arguments):
    """Which channels later steps use."""

    channels: Names = Field(description="Channel ids, a modality name, or 'all'.", min_length=1)


class FilterByTime(SessionFilters):
    """Narrows the working set; filters not named stay as they are."""

    start_s: Seconds | None = Field(default=None, description="From this second of each session.")
    end_s: float | None = Field(
        default=None, gt=0, description="Up to this second of each session."
    )
    tail_s: float | None = Field(
        default=None, gt=0, description="Only the last so many seconds of each session."
    )
    hours: list[Hour] | None = Field(default=None, description="Hours of the day, 0 to 23.")
    weekdays: list[Weekday] | None = Field(
        default=None, description="Days of the week, 0 = Monday to 6 = Sunday."
    )
    months: list[Month] | None = Field(default=None, description="Months, 1 to 12.")
    first_date: IsoDate | None = Field(default=None, description="From this date, YYYY-MM-DD.")
    last_date: IsoDate | None = Field(default=None, description="Up to and with this date.")
    reset: bool = Field(default=False, description="Drop all earlier filters first.")


class PlotSessions(Arguments):
    """What to draw."""

    sessions: Names | None = Field(
        default=None, description="Session ids; default: the first selected ones."
    )
    channels: Names | None = Field(
        default=None, description="Channels; default: the selected channels."
    )
    max_sessions: int = Field(
        default=4, ge=1, le=12, description="Draw at most this many sessions."
    )


class DescribeSignal(Arguments):
    """Which stretch of which session to say in words."""

    session: str | None = Field(
        default=None, description="Session id; default: the first selected one."
    )
    start_s: Seconds | None = Field(default=None, description="From this second of the session.")
    end_s: float | None = Field(default=None, gt=0, description="Up to this second of the session.")
    channels: Names | None = Field(
        default=None, description="Channels; default: the selected channels."
    )


class CheckData(Arguments):
    """What to look for, and where; the filters of the working set hold."""

    kinds: Annotated[list[IssueKind], BeforeValidator(as_names)] | None = Field(
        default=None, description="Kinds of issue to look for; default: all.", min_length=1
    )
    channels: Names | None = Field(
        default=None, description="Channels; default: the selected channels."
    )
    sessions: Names | None = Field(default=None, description="Session ids; default: the selected.")
    max_sessions: int = Field(
        default=400, ge=1, le=1000, description="Read the samples of at most this many sessions."
    )


class SelectTokenizer(Arguments):
    """Which frozen encoder turns windows into tokens."""

    tokenizer: str | None = Field(
        default=None, description="A tokenizer's name; default: chosen by rule from the data."
    )
    precision: Precision = Field(
        default="float32",
        description="What it calculates in. Others than float32 only when asked for: bfloat16 is "
        "faster on processors made for it, int8 costs some accuracy.",
    )


class ConfigureTokenizer(PartialConfig, Arguments):
    """How windows are cut; what is left out is derived from the data."""

    @field_validator("context_features", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return as_names(value)


class SelectChannelsForEncoding(Arguments):
    """Which of the selected channels the encoder sees."""

    channels: Names | None = Field(
        default=None, description="Channels; default: the selected channels."
    )
    max_channels: int | None = Field(
        default=None, ge=1, description="Keep at most this many, the liveliest first."
    )


class SelectTaskHead(Arguments):
    """What is to be done, and by which light head."""

    task: Task = Field(description="What to do with the tokens.")
    head: str | None = Field(default=None, description="A head's name; default: chosen by rule.")
    labels_per_class: int | None = Field(
        default=None, ge=1, description="How many labelled examples a class may be used."
    )


class ConfigureHead(Arguments):
    """Settings of the selected head."""

    params: dict[str, Any] = Field(
        description="Setting name → value, as the head lists them.",
        json_schema_extra=head_settings,
    )


class RunTask(Arguments):
    """What to find, forecast or search with the selected head."""

    target_label: str | None = Field(
        default=None, description="Activity to find, forecast from, or rank sessions of."
    )
    target_channels: Names | None = Field(default=None, description="Channels to forecast.")
    period: Literal["tomorrow", "next_week", "next_month", "next_year"] | None = Field(
        default=None, description="Instead of horizon_s: of the calendar."
    )
    horizon_s: float | None = Field(
        default=None, gt=0, description="Forecast this many seconds ahead."
    )
    sessions: Names | None = Field(default=None, description="Only these sessions.")
    query_session: str | None = Field(default=None, description="Session to search from or check.")
    query_start_s: Seconds | None = Field(default=None, description="Query begins at this second.")
    query_end_s: float | None = Field(default=None, gt=0, description="Query ends at this second.")
    k: int = Field(default=5, ge=1, le=50, description="How many neighbours.")
    labels_per_class: int | None = Field(
        default=None, ge=1, description="Fit on so many labelled sessions a class."
    )
    rare_labels: RareLabels = Field(
        default="take",
        description="Labels with fewer sessions: take what there is, or leave them out.",
    )
    coverage: float = Field(default=0.9, ge=0.5, le=0.99, description="Nominal coverage.")
    threshold: float | None = Field(
        default=None,
        description="Forecast: also how likely the one channel reaches this level.",
    )
    direction: Literal["above", "below"] = Field(
        default="above", description="The side of the threshold."
    )
    descriptions: list[ActivityDescription] | None = Field(
        default=None,
        min_length=2,
        max_length=20,
        description="Classify with no labels: activities in measurable terms.",
    )
    class_conditional: bool = Field(default=False, description="Calibrate sets label by label.")
    max_set_size: int = Field(
        default=1, ge=1, le=50, description="Abstain where more labels stay possible."
    )
    suspect_labels: bool = Field(
        default=False,
        description="Rank recordings by doubt in their labels.",
    )
    allow_raw: bool = Field(
        default=False,
        description="Compare with raw fallbacks too; a clearly better one answers.",
    )


class CompareHeads(Arguments):
    """Which heads of the current task to compare."""

    heads: Names | None = Field(default=None, description="Head names; default: all of the task.")
    labels_per_class: int | None = Field(
        default=None,
        ge=1,
        description="Fit on this many labelled sessions a class, drawn repeatedly.",
    )
    rare_labels: RareLabels = Field(
        default="take",
        description="A label with fewer sessions than labels_per_class: take what there is, or "
        "leave the label out.",
    )
    repeats: int = Field(
        default=10, ge=1, le=50, description="How many draws of the labelled sessions."
    )


class CompareEventModels(Arguments):
    """Which event models shall tell: a channel reaches a level within a time."""

    channel: str = Field(description="The channel that may reach the level.")
    threshold: float = Field(
        description="The level, in the channel's unit; in percent of change where relative is true."
    )
    relative: bool = Field(
        default=False, description="The threshold is a change in percent from the last value."
    )
    direction: Literal["above", "below"] = Field(
        default="above", description="Reached from below (above) or from above (below)."
    )
    horizon_s: float = Field(gt=0, description="Within this many seconds.")


class InterpretResults(Arguments):
    """Which result to explain."""

    result_id: str | None = Field(
        default=None, description="A result id; default: the last run_task."
    )


class RequestLabels(Arguments):
    """How many labels to ask a person for."""

    budget: int = Field(ge=1, le=100, description="Ask for at most this many labels.")
    label_set: str | None = Field(default=None, description="Label set the answers belong to.")
